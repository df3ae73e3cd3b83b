"""Networks of the papers' size at 32 x 32, random weights: one Process per layer, one in all, and the engine agree."""

from __future__ import annotations

import numpy as np
import pytest

from lava_mlsnn import proc, sim
from lava_mlsnn.netx import (
    LIF,
    Barrier,
    Connection,
    Conv,
    Dense,
    Identity,
    Input,
    Layer,
    MultiLevel,
    NetGraph,
    Pool,
    Readout,
    Relay,
)

LEVELS = 4


class Builder:
    """A network layer by layer; thresholds of a part of the current's standard deviation keep all depths alive."""

    def __init__(self, lif: bool = False) -> None:
        self.rng, self.lif = np.random.default_rng(11), lif
        self.layers: list[Layer] = []
        self.shapes = {"input": (3, 32, 32)}

    def add(self, name, connections, neuron, bias=None):
        shape = connections[0].synapse.out_shape(self.shapes[connections[0].sources[0]])
        self.layers.append(Layer(name, tuple(connections), shape, neuron, bias))
        self.shapes[name] = shape
        return name

    def conv(self, name, sources, features, stride=1, kernel=3):
        channels = self.shapes[sources[0]][0]
        weight = np.clip(np.rint(32 * self.rng.standard_normal((features, channels, kernel, kernel))), -127, 127)
        unit = int((6 if self.lif else 16) * np.sqrt(channels * kernel**2)) * (60 if sources == ("input",) else 1)
        neuron = LIF(unit, dv=2048) if self.lif else MultiLevel(LEVELS, unit)
        bias = self.rng.integers(-unit // 4, unit // 4, size=features)
        return self.add(name, [Connection(sources, Conv(weight, stride, kernel // 2))], neuron, bias)

    def graph(self, sources, steps):
        """Average pool and classifier behind ``sources``."""
        size = self.shapes[sources[0]][1]
        self.add("pool", [Connection(sources, Pool(size, size))], LIF(2) if self.lif else Relay())
        weight = self.rng.integers(-127, 128, size=(10, self.shapes["pool"][0]))
        self.add("out", [Connection("pool", Dense(weight))], LIF(50) if self.lif else Readout())
        return NetGraph(Input((3, 32, 32)), tuple(self.layers), steps)


def vgg16(steps):
    """13 convolutions of LIF neurons; the first of a stage has stride 2."""
    build, sources = Builder(lif=True), ("input",)
    for stage, (features, count) in enumerate(((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))):
        for i in range(count):
            sources = (build.conv(f"conv{stage}.{i}", sources, features, 2 if stage and not i else 1),)
    return build.graph(sources, steps)


def resnet18(barrier, steps):
    """Residual sums either end in a barrier neuron (Sparse-ResNet) or go on as sums (SEW-ResNet)."""
    build = Builder()
    sources = (build.conv("stem", ("input",), 64),)
    for stage, features in enumerate((64, 128, 256, 512)):
        for block in range(2):
            name, stride = f"stage{stage}.{block}", 2 if stage and not block else 1
            first = build.conv(f"{name}.a", sources, features, stride)
            second = build.conv(f"{name}.b", (first,), features)
            if stride == 2:
                sources = (build.conv(f"{name}.skip", sources, features, 2, kernel=1),)
            sources = (second, *sources)
            if barrier:
                sources = (build.add(f"{name}.sum", [Connection(sources, Identity())], Barrier(LEVELS)),)
    return build.graph(sources, steps)


NETWORKS = {
    "vgg16 lif, T = 1": lambda: vgg16(1),
    "vgg16 lif, T = 4": lambda: vgg16(4),
    "sparse resnet18, T = 1": lambda: resnet18(True, 1),
    "sparse resnet18, T = 4": lambda: resnet18(True, 4),
    "sew resnet18, T = 1": lambda: resnet18(False, 1),
    "sew resnet18, T = 4": lambda: resnet18(False, 4),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_every_layer_and_step_agrees(name):
    graph = NETWORKS[name]()
    image = np.random.default_rng(3).integers(0, 256, size=(1, 3, 32, 32))
    expected = sim.run(graph, image, trace=True, engine="reference")
    silent = [n for n in expected.trace if not expected.trace[n].any()]
    assert silent in ([], ["out"]), "every layer has something to compare"
    for fused in (True, False):
        run = proc.simulate(graph, image, fused=fused, trace=True, timeout=280)
        for layer, spikes in expected.trace.items():
            assert np.array_equal(run.trace[layer], spikes), (fused, layer)
        assert np.array_equal(run.output, expected.output)
        assert run.activity == expected.activity, run.activity.difference(expected.activity)
