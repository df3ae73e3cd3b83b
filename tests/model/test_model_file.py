"""Networks on disk: what is saved comes back; what is not one of our files is refused in words."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import lava_mlsnn as ml
from lava_mlsnn import block, model

torch.set_num_threads(1)


def trained(**options: object) -> model.Network:
    torch.manual_seed(0)
    net = model.create("cnn", in_shape=(1, 6, 6), width=3, depth=2, num_classes=4, levels=3, steps=2, **options)
    for _ in range(2):
        net(torch.rand(8, 1, 6, 6))
    return net.eval()


@pytest.mark.parametrize("options", [{}, {"neuron": {"trainable": True}}, {"neuron": "relu"}])
def test_round_trip(tmp_path: Path, options: dict[str, object]) -> None:
    net, path = trained(**options), tmp_path / "net.safetensors"
    model.save(net, path, {"accuracy": 0.97, "labels": ["a", "b"]})
    again = model.load(path)
    x = torch.rand(3, 1, 6, 6)
    assert torch.equal(again(x), net(x))
    assert again.config == net.config and again.notes == {"accuracy": 0.97, "labels": ["a", "b"]}
    assert not again.training and again.in_shape == (1, 6, 6)
    model.save(again, path)
    assert model.load(path).notes == again.notes, "notes are kept when saved again without new ones"


def test_quantized_mode_is_kept(tmp_path: Path) -> None:
    net = block.quantized(trained(), 5, per_channel=False)
    model.save(net, tmp_path / "net.safetensors")
    again = model.load(tmp_path / "net.safetensors")
    mode = block.quantization_of(again)
    assert mode is not None and (mode.weight_bits, mode.per_channel) == (5, False)
    assert ml.netx.quantize(again) == ml.netx.quantize(net)


def test_a_network_of_ones_own_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"save: expected a network made by model.create, got Conv"):
        model.save(block.Conv(1, 2, 3), tmp_path / "x")  # type: ignore[arg-type]


def rewrite(path: Path, **changes: object) -> None:
    """Write the file again with other metadata."""
    content, tensors = model.file._read(str(path))
    content.update(changes)
    content = {k: v for k, v in content.items() if v != "drop"}
    save_file(tensors, str(path), {"lava_mlsnn": json.dumps(content)})


def test_files_that_are_not_ours(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    with pytest.raises(FileNotFoundError, match=r"net.safetensors: no such file"):
        model.load(path)
    path.write_bytes(b"not a network")
    with pytest.raises(ValueError, match=r"expected a safetensors file written by model.save"):
        model.load(path)
    save_file({"x": torch.zeros(1)}, str(path))
    with pytest.raises(ValueError, match="a safetensors file without a model configuration"):
        model.load(path)
    path.write_bytes(b"")
    os.truncate(path, 1 << 42)  # of nothing, and not to be mapped
    with pytest.raises(ValueError, match=r"expected a safetensors file written by model.save, found another"):
        model.load(path)

    model.save(trained(), path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"expected a safetensors file written by model.save"):
        model.load(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "other"}, "expected format 'lava-mlsnn model', got 'other'"),
        ({"config": "drop"}, r"missing \['config'\]"),
        ({"version": 99}, "version 99, this library reads up to 1: expected a newer library"),
        ({"config": {"name": "cnn", "in_shape": [1, 6, 6], "width": 4}}, "weights do not fit the model 'cnn'"),
        ({"config": {"name": "gnn"}}, "model: expected one of mlp"),
        ({"config": {"name": "cnn", "color": 1}}, "option of cnn: .*, got 'color'"),
    ],
)
def test_files_that_were_changed(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    path = tmp_path / "net.safetensors"
    model.save(trained(), path)
    rewrite(path, **changes)
    with pytest.raises(ValueError, match=message):
        model.load(path)


def test_a_file_of_version_1_is_still_read() -> None:
    """Written once by the library's first version and never again: weights, mode, thresholds and notes."""
    path = Path(__file__).parent / "files" / "sparse_resnet_v1.safetensors"
    net = model.load(path)
    assert net.config["name"] == "sparse_resnet18" and net.in_shape == (1, 6, 6) and net.notes["labels"] == list("abc")
    mode = block.quantization_of(net)
    assert mode is not None and (mode.weight_bits, mode.per_channel) == (6, True)
    images = (torch.arange(72).view(2, 1, 6, 6) * 7 % 17).to(torch.uint8)
    assert net(images).tolist() == net.notes["logits"], "integers times powers of two: equal on every machine"
