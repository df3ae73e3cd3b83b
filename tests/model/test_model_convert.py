"""ReLU networks become multi-level networks, with their loss told, and go on as any other."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from commands import mlsnn
from torch import Tensor, nn

import lava_mlsnn as ml
from lava_mlsnn.model._walk import best_range

DIGITS = ml.data.load("digits")


class Residual(nn.Module):
    """Everything that is converted, in one network."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(inplace=True))
        self.conv1, self.bn1 = nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8)
        self.conv2, self.bn2 = nn.Conv2d(8, 16, 3, stride=2, padding=1), nn.BatchNorm2d(16)
        self.skip = nn.Conv2d(8, 16, 1, stride=2)
        self.pool, self.drop = nn.AvgPool2d(2), nn.Dropout(0.1)
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 10))

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = torch.relu(self.bn1(self.conv1(x)) + x)
        x = (self.bn2(self.conv2(x)) + self.skip(x)).relu()
        return self.head(self.drop(self.pool(x)))


@pytest.fixture(scope="module")
def trained() -> nn.Module:
    torch.manual_seed(0)
    net = Residual()
    x = torch.from_numpy(DIGITS.train_images.copy()).float() * DIGITS.input_scale
    y = torch.from_numpy(DIGITS.train_labels.copy())
    optimizer = torch.optim.Adam(net.parameters(), 3e-3)
    for _ in range(12):
        for rows in torch.randperm(len(x)).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(x[rows]), y[rows]).backward()
            optimizer.step()
    return net.eval()


def test_the_loss_is_told_and_small_with_enough_levels(trained: nn.Module) -> None:
    before = {name: value.clone() for name, value in trained.state_dict().items()}
    converted = ml.model.convert(trained, DIGITS, levels=16)
    told = converted.conversion
    assert told.before > 0.95 and told.loss < 0.02 and "accuracy" in repr(told) and len(told.ranges) == 4
    logits = converted(torch.from_numpy(DIGITS.test_images.copy())).argmax(1).numpy()
    assert told.after == pytest.approx((logits == DIGITS.test_labels).mean())
    assert all(torch.equal(value, before[name]) for name, value in trained.state_dict().items())


def test_many_levels_compute_what_the_relu_network_does(trained: nn.Module) -> None:
    x = torch.from_numpy(DIGITS.test_images[:50].copy()).float() * DIGITS.input_scale
    with torch.no_grad():
        expected, found = trained(x), ml.model.convert(trained, DIGITS, levels=4000, samples=1438)(x)
    assert (found - expected).abs().max() < 0.05 * expected.abs().max()


def test_activations_are_rounded_to_the_nearest_level() -> None:
    torch.manual_seed(1)
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 10), nn.ReLU(), nn.Linear(10, 10)).eval()
    last = net[3]
    nn.init.eye_(last.weight)  # the logits are the activations
    nn.init.zeros_(last.bias)
    converted = ml.model.convert(net, DIGITS, levels=4)
    (worth,) = converted.conversion.ranges.values()
    x = torch.from_numpy(DIGITS.test_images.copy()).float() * DIGITS.input_scale
    with torch.no_grad():
        steps, found = net(x) / worth * 4, converted(x) / worth * 4
    near = torch.floor(steps + 0.5).clamp(0, 4)
    sure = ((steps + 0.5) - torch.round(steps + 0.5)).abs() > 1e-3
    assert sure.float().mean() > 0.9 and torch.allclose(found[sure], near[sure], atol=1e-4)


def test_it_is_exported_and_every_engine_agrees(trained: nn.Module) -> None:
    graph = ml.netx.quantize(ml.model.convert(trained, DIGITS, levels=8), labels=DIGITS.labels)
    run = ml.sim.run(graph, DIGITS.test_images)
    assert graph.timesteps == 1 and (run.labels == DIGITS.test_labels).mean() > 0.9
    lava = ml.proc.simulate(graph, DIGITS.test_images[:6], fused=False)
    assert np.array_equal(lava.output, run.output[:6])


def test_it_is_fine_tuned(trained: nn.Module) -> None:
    converted = ml.model.convert(trained, DIGITS, levels=2)
    recipe = ml.train.recipe("digits", epochs=2, quantized_epochs=1, lr=0.01)
    ml.train.fit(converted, DIGITS, recipe, progress=False)
    after = ml.train.accuracies(converted, DIGITS)
    assert after["float"] >= converted.conversion.after - 0.01 and after["quantized"] > 0.9


def test_it_is_saved_and_loaded_and_fine_tuned_from_its_file(trained: nn.Module, tmp_path: Path) -> None:
    converted, file = ml.model.convert(trained, DIGITS, levels=4), tmp_path / "net.safetensors"
    ml.model.save(converted, file)
    loaded, x = ml.model.load(file), torch.from_numpy(DIGITS.test_images[:50].copy())
    with torch.no_grad():
        assert torch.equal(loaded(x), converted.eval()(x))
    assert ml.netx.quantize(loaded) == ml.netx.quantize(converted)
    assert loaded.conversion == converted.conversion and loaded.config == converted.config
    out = tmp_path / "out"
    mlsnn("train", "--from", file, "--epochs", 1, "--quantized-epochs", 0, "--lr", 1e-12, "--out", out)
    tuned = ml.model.load(out / "model.safetensors")
    with torch.no_grad():
        assert torch.equal(tuned(x), converted(x)), "steps below the last bit leave it as it was"
    with pytest.raises(ValueError, match="this one was trained and saved since"):
        _ = tuned.conversion
    assert "parts" not in json.loads((out / "result.json").read_text())["command"]
    twin = ml.model.create(**{**loaded.config, "neuron": "relu"})
    assert isinstance(twin.relu.neuron if hasattr(twin, "relu") else twin.get_submodule("stem_2").neuron, nn.ReLU)


@pytest.mark.parametrize(
    "change",
    [{"kind": "x"}, {"name": "input"}, {"name": 3}, {"reads": ["later"]}, {"reads": []}, {"sizes": [[64, 0]]},
     {"sizes": [[64, 10], [64, 10]]}, {"sizes": 5}, {"sizes": [[1, 2, [3], [1, 1], [0, 0], [1, 1], 1]]}],
)  # fmt: skip
def test_parts_that_are_none_are_named(change: dict[str, Any]) -> None:
    part = {"name": "a", "reads": ["input"], "kind": "neurons", "sizes": [[64, 10]]}
    assert ml.model.create("converted", in_shape=(1, 8, 8), parts=(part,)).order == ["input", "a"]
    with pytest.raises(ValueError, match="of a converted network: "):
        ml.model.create("converted", in_shape=(1, 8, 8), parts=({**part, **change},))


@pytest.mark.parametrize("pool", [nn.MaxPool2d(2), nn.MaxPool2d((3, 2), 2, 1), nn.MaxPool2d(2, 1, 0, 2)], ids=str)
@pytest.mark.parametrize("levels", [1, 4, 255])
def test_a_max_pool_sends_the_largest_spike(pool: nn.MaxPool2d, levels: int) -> None:
    """Of two in a row, in floats, in torch's integers and in the engine."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), pool, nn.MaxPool2d(2, 1), nn.Flatten())
    net.append(nn.Linear(net(torch.zeros(1, 1, 8, 8)).numel(), 10))
    found = ml.model.convert(net.eval(), DIGITS, levels=levels).eval()
    images = torch.from_numpy(DIGITS.test_images[:20].copy())
    run = ml.sim.run(ml.netx.quantize(found), images.numpy(), trace=True)
    mine = ml.block.trace(found, images)
    assert all(np.array_equal(mine[name].numpy(), sent) for name, sent in run.trace.items())
    _, relu, *_, last, _, _ = found.order
    assert list(found.conversion.ranges) == [relu]
    floats: dict[str, Tensor] = {}

    def keep(name: str, _: nn.Module, inputs: tuple[Tensor, ...], sent: Tensor) -> None:
        floats[name] = (sent[..., 0] * levels).round()

    for name in (relu, last):
        getattr(found, name).register_forward_hook(partial(keep, name))
    with torch.no_grad():
        found(images)
    for maps in (floats, {name: mine[name][..., 0].float() for name in (relu, last)}):
        assert len(maps[relu].unique()) > min(levels, 20) and torch.equal(maps[last], net[3](pool(maps[relu])))


def test_a_max_pool_is_the_same_in_lava_and_from_its_file(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(18, 10)).eval()
    found = ml.model.convert(net, DIGITS, levels=4)
    ml.model.save(found, tmp_path / "x.safetensors")
    ml.netx.save(ml.netx.quantize(ml.model.load(tmp_path / "x.safetensors")), tmp_path / "x.net")
    graph = ml.netx.load(tmp_path / "x.net")
    assert graph == ml.netx.quantize(found) and len(graph) == 1 + 4 + 1
    run = ml.sim.run(graph, DIGITS.test_images[:4], trace=True)
    for fused in (True, False):
        lava = ml.proc.simulate(graph, DIGITS.test_images[:4], fused=fused, trace=True)
        assert lava.activity == run.activity
        assert all(np.array_equal(lava.trace[name], sent) for name, sent in run.trace.items())
    assert all(ml.energy.estimate(graph, run.activity, model=kind).total > 0 for kind in ("lemaire", "horowitz"))


def test_a_max_pool_becomes_an_average_where_it_is_wanted() -> None:
    torch.manual_seed(0)
    conv, end = nn.Conv2d(1, 4, 3, padding=1), nn.Linear(64, 10)
    net = nn.Sequential(conv, nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), end).eval()
    found = ml.model.convert(net, DIGITS, levels=8, max_pool="average")
    assert found.conversion.averaged == ("2",) and "1 max pools became averages" in repr(found.conversion)
    assert isinstance(net[2], nn.MaxPool2d), "it is not changed"
    same = ml.model.convert(nn.Sequential(conv, nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), end), DIGITS, levels=8)
    assert ml.netx.quantize(found) == ml.netx.quantize(same) and found.conversion.after == same.conversion.after
    with pytest.raises(ValueError, match=r"'0' \(MaxPool2d\) with padding \(1, 1\), .*: expected 0, 1 and False"):
        padded = nn.Sequential(nn.MaxPool2d(3, 2, padding=1), nn.Flatten(), nn.Linear(16, 10))
        ml.model.convert(padded, DIGITS, max_pool="average")
    with pytest.raises(ValueError, match="max_pool: expected one of exact, average"):
        ml.model.convert(net, DIGITS, max_pool="max")


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (nn.Sequential(nn.Conv2d(1, 2, 3), nn.Sigmoid(), nn.Flatten(), nn.Linear(72, 10)), r"'1' \(Sigmoid\)"),
        (
            nn.Sequential(nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16, 10)),
            r"'0' \(MaxPool2d\): expected one right behind",
        ),
        (nn.Sequential(nn.Conv2d(1, 2, 3), nn.Conv2d(2, 2, 3), nn.Flatten(), nn.Linear(32, 10)), "without ReLU"),
        (nn.Sequential(nn.Flatten(), nn.Linear(64, 10), nn.ReLU()), "ends in a Linear"),
        (nn.Sequential(nn.BatchNorm2d(1), nn.Flatten(), nn.Linear(64, 10)), "'0' normalizes no single convolution"),
    ],
)
def test_what_cannot_be_converted_is_named(net: nn.Module, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ml.model.convert(net, DIGITS, levels=4)


def test_the_range_is_that_of_the_least_error() -> None:
    values = np.abs(np.random.default_rng(0).normal(size=5000)) * np.array([1.0] * 4999 + [30.0])
    found = best_range(values, 4)

    def error(clip: float) -> float:
        return float(((np.clip(np.floor(values / clip * 4 + 0.5), 0, 4) * clip / 4 - values) ** 2).mean())

    assert error(found) <= min(error(float(values.max()) * share) for share in np.linspace(0.2, 1, 41))
    assert best_range(np.zeros(3), 4) == 1.0
