"""Frames of events from a file to joules: train, quantize, engine, Lava and the commands, with T frames and one."""

from __future__ import annotations

import json

import numpy as np
import pytest
from real_formats import write_cifar10, write_cifar10dvs, write_nmnist
from typer.testing import CliRunner

from lava_mlsnn import block, data, energy, netx, proc, sim, train
from lava_mlsnn.cli.app import app
from lava_mlsnn.data import cache

SHORT = train.recipe("digits", epochs=1, quantized_epochs=1, batch=10)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))


def mlsnn(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)


@pytest.mark.parametrize("steps", [1, 3])
def test_frames_of_events_through_training_engine_and_lava(steps, tmp_path):
    folder = write_nmnist(tmp_path / "nmnist", per_class=4, test_per_class=1, events=400)
    dataset = data.load(f"nmnist:{folder},size=12,complete=no", steps=steps)
    net = train.create("cnn", dataset, levels=2, steps=steps, width=4)
    train.fit(net, dataset, SHORT, progress=False)
    graph = netx.quantize(net, labels=dataset.labels)
    run = sim.run(graph, dataset.test_images, trace=True)
    np.testing.assert_array_equal(run.labels, train.predict(net, dataset).argmax(1))
    reference = sim.run(graph, dataset.test_images, engine="reference")
    np.testing.assert_array_equal(run.output, reference.output)
    assert run.activity == reference.activity
    frames = dataset.test_images
    assert run.activity.values["input"].tolist() == frames.sum(axis=(0, 1, 2, 3), dtype=np.int64).tolist()
    few = slice(0, 3)
    lava, engine = proc.simulate(graph, frames[few], fused=True, trace=True), sim.run(graph, frames[few], trace=True)
    np.testing.assert_array_equal(lava.output, engine.output)
    for name, spikes in engine.traces.items():
        np.testing.assert_array_equal(lava.traces[name], spikes)
    assert energy.estimate(graph, run.activity).total > 0


def test_torch_and_engine_have_the_same_spikes_of_frames(tmp_path):
    import torch

    folder = write_cifar10dvs(tmp_path / "dvs", per_class=3, events=400)
    dataset = data.load("cifar10dvs", folder, steps=2, size=16, by="time", complete=False)
    net = train.create("sparse_resnet18", dataset, levels=4, steps=2, width=4, blocks=(1, 1))
    graph = netx.quantize(net)
    net.eval()
    run = sim.run(graph, dataset.test_images, trace=True)
    with train_quantized(net):
        found = block.trace(net, torch.from_numpy(np.array(dataset.test_images)))
    for name, spikes in run.traces.items():
        np.testing.assert_array_equal(found[name].numpy(), spikes)


def train_quantized(net):
    from lava_mlsnn.block import as_integers

    return as_integers(net, 8)


def test_another_number_of_frames_is_refused(tmp_path):
    folder = write_nmnist(tmp_path / "nmnist")
    three, two = (data.load("nmnist", folder, steps=steps, size=8, complete=False) for steps in (3, 2))
    net = train.create("cnn", three, levels=1, steps=3, width=4)
    with pytest.raises(ValueError, match="steps of the network's input is 3, that of dataset 'nmnist' is 2"):
        train.fit(net, two, SHORT, progress=False)
    with pytest.raises(ValueError, match="images: expected shape"):
        sim.run(netx.quantize(net), two.test_images)


def test_the_commands_take_a_path_and_make_as_many_frames_as_the_network_has_steps(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = write_nmnist(tmp_path / "nmnist", per_class=3, events=200)
    name = f"nmnist:{folder},size=8,complete=no"
    size = ("-m", "width=4", "--epochs", 1, "--quantized-epochs", 1, "--batch", 10, "--recipe", "digits")
    result = mlsnn("train", "cnn", "--data", name, "-N", 1, "-T", 2, *size, "--out", tmp_path / "run")
    assert result.exit_code == 0, result.output
    mlsnn("export", tmp_path / "run" / "model.safetensors", "-o", tmp_path / "a.net")
    for command in (("simulate",), ("energy",)):
        result = mlsnn(*command, tmp_path / "a.net", "--data", name)
        assert result.exit_code == 0, result.output
    record = json.loads((tmp_path / "a.energy.json").read_text())
    assert "2 frames 8x8 by number" in json.dumps(record["run"])
    refused = mlsnn("simulate", tmp_path / "a.net", "--data", f"{name},steps=3")
    assert refused.exit_code == 2


def test_the_commands_take_cifar(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    archive = write_cifar10(tmp_path, count=40)
    size = ("-m", "width=4", "-m", "blocks=1,1", "--epochs", 1, "--quantized-epochs", 1, "--batch", 20)
    name = f"cifar10:{archive},complete=no"
    result = mlsnn("train", "sparse_resnet18", "--data", name, "--recipe", "digits", *size)
    assert result.exit_code == 0, result.output
    (model,) = tmp_path.glob("runs/*/model.safetensors")
    mlsnn("export", model, "-o", tmp_path / "a.net")
    assert mlsnn("energy", tmp_path / "a.net", "--data", name).exit_code == 0


# -- mlsnn data --------------------------------------------------------------------------------------------------------


def test_data_check_tells_what_is_wrong_and_fails(tmp_path):
    folder = write_nmnist(tmp_path / "nmnist")
    result = mlsnn("data", "check", folder, "--json", tmp_path / "check.json")
    assert result.exit_code == 1
    assert "20 recordings, expected 60000" in result.output and "Train.zip" in result.output
    content = json.loads((tmp_path / "check.json").read_text())
    assert content["passed"] is False and content["data"] == f"nmnist:{folder}"
    assert {f["what"]: f["passed"] for f in content["findings"]} == {
        "train recordings": False,
        "test recordings": False,
        "content": True,
    }


def test_data_check_passes_what_is_right():
    result = mlsnn("data", "check", "digits")
    assert result.exit_code == 0 and "complete and right" in result.output


@pytest.mark.parametrize("what", ["cifar10:/none", "/none"])
def test_data_check_of_nothing_is_one_line(what):
    result = mlsnn("data", "check", what)
    assert result.exit_code == 2


def test_data_list_tells_what_is_found(tmp_path, monkeypatch):
    write_cifar10(tmp_path / "cifar10")
    monkeypatch.setenv("MLSNN_DATA", str(tmp_path))
    result = mlsnn("data", "list", "--json", tmp_path / "list.json")
    assert result.exit_code == 0
    rows = {row["name"]: row for row in json.loads((tmp_path / "list.json").read_text())["datasets"]}
    assert set(rows) == set(data.names())
    assert rows["cifar10"]["found"].endswith("cifar-10-python.tar.gz") and rows["cifar100"]["found"] == "no"
