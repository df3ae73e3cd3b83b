from __future__ import annotations

import csv
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from lava_mlsnn import block, data, train
from lava_mlsnn.neuron import MultiLevel
from lava_mlsnn.train.lightning_import import pl

TINY = train.Recipe(epochs=2, quantized_epochs=1, batch=64, augment=train.Augment(shift=1))


def network(levels: int = 4, steps: int = 1) -> nn.Module:
    return nn.Sequential(
        block.Input((1, 8, 8), 1 / 16, 5, steps),
        block.Conv(1, 8, 3, 2, 1, neuron=MultiLevel(levels=levels)),
        block.Readout(128, 10),
    )


def weights(net: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in net.state_dict().items()}


def trained(seed: int = 0, **options: object) -> tuple[train.Result, dict[str, torch.Tensor]]:
    with train.seeded(seed):
        net = network()
    result = train.fit(net, data.load("digits"), TINY, seed=seed, progress=False, **options)  # type: ignore[arg-type]
    return result, weights(result.net)


def test_same_seed_same_weights_other_seed_other_weights():
    (first, a), (_, b), (_, c) = trained(1), trained(1), trained(2)
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert any(not torch.equal(a[name], c[name]) for name in a)
    assert len(first.history) == 3 and first.quantized and not first.net.training


def test_an_ann_twin_has_no_accuracy_of_integers():
    digits = data.load("digits")
    twin = train.create("cnn", digits, width=4, neuron="relu")
    assert list(train.accuracies(twin, digits)) == ["float"]
    with pytest.raises(ValueError, match=r"quantized_epochs: expected 0 .*: layer 'conv1': a ReLU .* sends no spikes"):
        train.fit(twin, digits, TINY, progress=False)


def test_it_learns_and_knows_both_accuracies():
    result, _ = trained(3)
    assert block.quantization_of(result.net) is not None
    accuracy = train.accuracies(result.net, data.load("digits"))
    assert accuracy["float"] > 0.8 and accuracy["quantized"] > 0.8
    assert block.quantization_of(result.net) is not None, "measuring leaves the mode as it was"
    assert result.history[-1]["train_loss"] < result.history[0]["train_loss"]


def test_quantized_accuracy_is_that_of_the_exported_network():
    from lava_mlsnn import netx, sim

    digits = data.load("digits")
    result, _ = trained(4)
    run = sim.run(netx.quantize(result.net), digits.test_images)
    assert train.accuracies(result.net, digits)["quantized"] == float((run.labels == digits.test_labels).mean())


def test_sixteen_bits_train_and_export_the_same_integers():
    from lava_mlsnn import netx, sim

    digits = data.load("digits")
    with train.seeded(0):
        net = network()
    seen, last = set(), set()

    def look(module: torch.nn.Module, _: object, out: torch.Tensor) -> None:
        seen.add(out.dtype)
        last.add((module.weight.is_contiguous(memory_format=torch.channels_last), out.stride(1)))

    net[1].synapse.register_forward_hook(look)
    train.fit(net, digits, TINY, machine=train.Machine("cpu", precision="bf16"), progress=False)
    assert torch.bfloat16 in seen and all(p.dtype == torch.float32 for p in net.parameters())
    assert last == {(True, 1)}, "kernels and maps have their channels last"
    assert all(p.is_contiguous() for p in net.parameters())
    accuracy = train.accuracies(net, digits)
    run = sim.run(netx.quantize(net), digits.test_images)
    assert accuracy["quantized"] > 0.7
    assert accuracy["quantized"] == float((run.labels == digits.test_labels).mean())


class PowerCutError(Exception):
    pass


class Kill(pl.Callback):
    """Ends a training in the middle of an epoch, as a power cut does."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def on_train_batch_end(self, trainer: pl.Trainer, *_: object) -> None:
        if trainer.current_epoch == self.epoch and trainer.global_step % 5 == 0:
            raise PowerCutError


@pytest.mark.parametrize("epoch", [1, 2], ids=["float", "quantized"])
def test_resume_after_a_kill_gives_the_same_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, epoch: int):
    from lava_mlsnn.train import loop as module

    recipe = train.Recipe(epochs=2, quantized_epochs=2, batch=64, augment=train.Augment(shift=1))
    digits, whole, cut = data.load("digits"), network(), network()
    cut.load_state_dict(weights(whole))
    expected = train.fit(whole, digits, recipe, seed=7, progress=False)

    make = module._trainer
    with monkeypatch.context() as patch:
        patch.setattr(
            module, "_trainer", lambda recipe, callbacks, *rest: make(recipe, [*callbacks, Kill(epoch)], *rest)
        )
        with pytest.raises(PowerCutError):
            train.fit(cut, digits, recipe, seed=7, out=tmp_path, progress=False)
    fresh = network()
    result = train.fit(fresh, digits, recipe, seed=7, out=tmp_path, resume=True, progress=False)
    assert all(torch.equal(value, weights(fresh)[name]) for name, value in weights(whole).items())
    assert result.history == expected.history


def test_each_epoch_has_its_own_order(monkeypatch: pytest.MonkeyPatch):
    from lava_mlsnn.train.batches import Batches

    seen: list[int] = []
    real = Batches.__iter__
    monkeypatch.setattr(Batches, "__iter__", lambda self: (seen.append(self.epoch), (yield from real(self)))[0])
    train.fit(network(), data.load("digits"), TINY, progress=False)
    assert seen == [0, 1, 2]


def test_metrics_land_as_csv(tmp_path: Path):
    recipe = train.Recipe(epochs=2, quantized_epochs=0, batch=256, validation=0.2)
    train.fit(network(), data.load("digits"), recipe, out=tmp_path, progress=False)
    rows = list(csv.DictReader((tmp_path / "metrics.csv").read_text().splitlines()))
    assert {"train_loss", "train_accuracy", "val_loss", "val_accuracy", "epoch"} <= set(rows[0])
    assert [path.name for path in tmp_path.glob("*.ckpt")] == ["last.ckpt"]

    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    drawn = [event.value for event in events.Scalars("train_loss")]
    assert drawn == pytest.approx([float(row["train_loss"]) for row in rows if row["train_loss"]], rel=1e-6)


def test_float_epochs_end_early_and_quantized_ones_follow():
    recipe = train.Recipe(
        epochs=30,
        quantized_epochs=1,
        batch=64,
        optimizer=train.Optimizer(lr=1e-9),
        validation=0.2,
        patience=2,
        schedule=train.Schedule("constant"),
    )
    net = network()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.0  # nothing moves: no epoch is better than the first
    result = train.fit(net, data.load("digits"), recipe, progress=False)
    assert len(result.history) == 4 and result.quantized


def test_training_does_not_look_at_the_test_split():
    digits = data.load("digits")
    part = data.Dataset(
        **{
            **{name: getattr(digits, name) for name in digits.__dataclass_fields__},
            "test_images": np.zeros_like(digits.test_images),
        }
    )
    nets = [network(), network()]
    nets[1].load_state_dict(weights(nets[0]))
    for net, dataset in zip(nets, (digits, part), strict=True):
        train.fit(net, dataset, TINY, progress=False)
    assert all(torch.equal(value, weights(nets[1])[name]) for name, value in weights(nets[0]).items())


def test_it_is_quiet_and_leaves_no_trace(capfd: pytest.CaptureFixture[str], tmp_path: Path):
    net = network()
    torch.manual_seed(5)
    expected = torch.get_rng_state()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train.fit(net, data.load("digits"), TINY, out=tmp_path, progress=False)
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.equal(torch.get_rng_state(), expected)


def test_progress_is_told_without_a_terminal(capfd: pytest.CaptureFixture[str]):
    train.fit(network(), data.load("digits"), TINY, name="tiny")
    _, err = capfd.readouterr()
    assert "training tiny: epoch 3/3, loss" in err


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: nn.Linear(3, 3), "starts with block.Input"),
        (lambda: nn.Sequential(block.Input((1, 8, 8), 1 / 255, 5)), "input scale.*0.0039.*0.0625"),
        (lambda: nn.Sequential(block.Input((3, 8, 8), 1 / 16, 5)), r"shape.*\(3, 8, 8\).*\(1, 8, 8\)"),
        (lambda: nn.Sequential(block.Input((1, 8, 8), 1 / 16, 8)), "bits.*8.*5"),
    ],
)
def test_networks_that_do_not_fit_the_data_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        train.fit(build(), data.load("digits"), TINY, progress=False)


def test_nothing_to_resume_is_an_error(tmp_path: Path):
    with pytest.raises(ValueError, match="resume: expected a checkpoint"):
        train.fit(network(), data.load("digits"), TINY, out=tmp_path, resume=True, progress=False)
