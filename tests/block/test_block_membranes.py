"""Membranes in torch: the engine's on integers, layer by layer, step by step; in floats those of the neurons' loops."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from torch import Tensor, nn
from torch_nets import cases, leaky_cases

import lava_mlsnn as ml
from lava_mlsnn import block
from lava_mlsnn.neuron import ATIF, Barrier, MultiLevel, SoftLIF, functional
from lava_mlsnn.neuron.leaky import lif

from lava.lib.dl.slayer.block import cuba  # isort: skip - Lava is mended first

STEPS = 4


def assert_engine_s(net: nn.Module, x: Tensor) -> dict[str, Tensor]:
    found = block.membranes(net, x, integers=True)
    graph = ml.netx.quantize(net)
    start = next(module for module in net.modules() if isinstance(module, block.Input))
    images = start.messages(start.presented(x)).numpy().astype(int)
    expected = ml.sim.run(graph, images, trace="membrane").membranes
    assert list(found) == list(expected)
    for name, held in expected.items():
        assert found[name].dtype == torch.int32
        np.testing.assert_array_equal(found[name], held, err_msg=name)
    return found


@settings(max_examples=20, deadline=None)
@given(cases())
def test_random_networks_hold_what_the_engine_holds(case: tuple[nn.Module, Tensor]) -> None:
    net, x = case
    assert_engine_s(net.eval(), x)


@settings(max_examples=15, deadline=None)
@given(leaky_cases())
def test_leaky_networks_hold_what_the_engine_holds(case: tuple[nn.Module, Tensor]) -> None:
    net, x = case
    assert_engine_s(net.eval(), x)


def lively(net: nn.Module) -> nn.Module:
    """With weights that make all of it fire."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.uniform_(module.weight, -0.3, 0.6)
    return net


@pytest.mark.filterwarnings("ignore::FutureWarning")  # torch's, for SLAYER's weight_norm
def test_stock_and_scheduled_neurons_hold_what_the_engine_holds() -> None:
    torch.manual_seed(0)
    params = {"threshold": 1.25, "current_decay": 0.25, "voltage_decay": 0.03}
    net = nn.Sequential(
        block.Input((2, 6, 6), 1.0, 1, STEPS),
        cuba.Conv(params, 2, 4, 3, weight_scale=20),
        block.Conv(4, 4, 3, neuron=ATIF("nonuniform", STEPS)),
        block.Flatten(),
        block.Dense(16, 8, neuron=MultiLevel(3)),
        block.Readout(8, 3),
    )
    lively(net).eval()
    found = assert_engine_s(net, (torch.rand(3, 2, 6, 6, STEPS) < 0.5).float())
    assert list(found) == ["1", "2", "4", "5"] and all(held.any() for held in found.values())
    assert block.membranes(net, torch.ones(1, 2, 6, 6))["1"].max() <= 1.25, "SLAYER's units"
    block.quantized(net)
    assert_engine_s(net, torch.ones(1, 2, 6, 6))
    with pytest.raises(ValueError, match=r"in quantized mode: expected integers=True, or block\.unquantized"):
        block.membranes(net, torch.ones(1, 2, 6, 6))


class Floats(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.start = block.Input((2, 4, 4), 1 / 16, 5, STEPS)
        self.one = block.Conv(2, 4, 3, 1, 1, neuron=MultiLevel(3, 0.7))
        self.two = block.Conv(4, 4, 3, 1, 1, neuron=ATIF("nonuniform", STEPS, 3))
        self.sum = block.Add(Barrier(3))
        norm = block.Connection(nn.Conv2d(4, 3, 3), nn.BatchNorm2d(3))
        self.leaky = block.Leaky([norm], SoftLIF(0.8, 0.3))
        self.read = block.Readout(12, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.one(self.start(x))
        return self.read(self.leaky(self.sum(x, self.two(x))))


@torch.no_grad()
def test_float_membranes_are_those_of_the_neurons_own_loops() -> None:
    torch.manual_seed(3)
    net, x = lively(Floats()), torch.rand(3, 2, 4, 4, STEPS)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    found = block.membranes(net, x)
    assert list(found) == ["one", "two", "sum", "leaky", "read"]
    assert net.training and all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    net.eval()
    one = net.one(net.start(x))
    two, summed = net.two(one), net.sum(one, net.two(one))
    current = {
        "one": next(iter(net.one.connections))(net.start(x)),
        "two": next(iter(net.two.connections))(one),
        "leaky": next(iter(net.leaky.connections))(summed),
    }
    for t in range(STEPS):
        upto = slice(0, t + 1)
        expected = {
            "one": functional.multilevel(current["one"][..., upto], None, 0.7, 3)[1],
            "sum": functional.barrier((one + two)[..., upto], None, 3)[1],
            "leaky": lif(current["leaky"][..., upto], None, 0.3, 0.8, "triangle", 1.0)[1],
            "two": functional.scheduled(
                current["two"][..., upto] * 3, None, net.two.neuron.thresholds[: t + 1], 3, "attached", 5.0
            )[1],
        }
        for name, held in expected.items():
            torch.testing.assert_close(found[name][..., t], held, atol=1e-5, rtol=1e-5, msg=f"{name}, step {t}")
            assert held.any()
    torch.testing.assert_close(found["read"][..., -1].flatten(1) / STEPS, net(x))


def test_window_blocks_are_named() -> None:
    net = ml.model.create(
        "window_cnn12", in_shape=(1, 8, 8), width=4, stages=("wF",), groups=1, mixing="channel", fusion="group"
    )
    with pytest.raises(ValueError, match=r"a Window: expected sim\.run"):
        block.membranes(net, torch.ones(1, 1, 8, 8))
