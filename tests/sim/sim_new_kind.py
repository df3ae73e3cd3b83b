"""A neuron and a synapse that the package does not know, each with its compiled half; run by test_sim_kernels.py."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lava_mlsnn import sim
from lava_mlsnn.graph.fixed import wrap
from lava_mlsnn.graph.neurons import Neuron
from lava_mlsnn.graph.synapses import Synapse
from lava_mlsnn.netx import Connection, Conv, Input, Layer, MultiLevel, NetGraph
from lava_mlsnn.sim.neurons import Arranged, Kernel, compiles
from lava_mlsnn.sim.scatter import scatters
from lava_mlsnn.sim.synapses import Layout, Window, layout
from lava_mlsnn.sim.synapses import compiles as compiles_synapse


def new_kinds() -> tuple[Any, Any]:
    """Made here, not when a test run imports this file: a kind enters the registries."""

    @dataclass(frozen=True, eq=False)
    class Resonator(Neuron):
        """v <- v + a + b - w, w <- w + v / 4; sends v / 2**shift at the threshold, and both become zero."""

        kind: ClassVar[str] = "resonator"
        state: ClassVar[tuple[str, ...]] = ("v", "w")
        signed: ClassVar[bool] = True
        threshold: Any
        shift: int = 2

        def step(self, state, current, bias=None, channel_axis=-3, t=0):
            bias = 0 if bias is None else bias.reshape(-1, 1, 1)
            v = wrap(state["v"].astype(np.int64) + np.asarray(current, np.int64) + bias - state["w"])
            w = wrap(state["w"] + (v >> 2).astype(np.int64))
            fired = v >= np.asarray(self.threshold).reshape(-1, 1, 1)
            return np.where(fired, v >> self.shift, 0), {"v": np.where(fired, 0, v), "w": np.where(fired, 0, w)}

    def step(current, v, w, bias, threshold, *, shift):
        v = v + current + bias - w
        w = w + (v >> 2)
        fired = v >= threshold
        return fired.where(v >> shift, 0), fired.where(0, v), fired.where(0, w)

    kernel = Kernel(step, "v", "w")

    @compiles(Resonator)
    def _(neuron: Resonator, bias: NDArray[np.int64]) -> Arranged:
        return kernel(bias=bias, threshold=neuron.threshold, shift=neuron.shift)

    @dataclass(frozen=True, eq=False)
    class Roll(Synapse):
        """Every channel to the next one, the last to the first, times a weight."""

        kind: ClassVar[str] = "roll"
        weight: Any

        def out_shape(self, in_shape):
            return in_shape

        def accumulate(self, spikes):
            return np.roll(np.asarray(spikes, np.int64), 1, axis=-3) * int(self.weight)

    @scatters
    def one_channel(weights, constants, link, acc, target, work, events):
        features = link.out_channels
        for e in range(events.first, events.first + events.count):
            neuron = work[e]
            channel = neuron % events.channels
            out = (channel + 1) % features
            acc[target + neuron - channel + out] += (
                work[e + events.size] * weights[link.weight + channel * link.row + out]
            )

    @compiles_synapse(Roll)
    def _(synapse: Roll, in_shape: tuple[int, int, int]) -> Layout:
        channels, height, width = in_shape
        weight = np.roll(np.eye(channels, dtype=np.int32), 1, axis=1) * synapse.weight
        one = weight.reshape(channels, 1, 1, channels)
        return layout(one_channel, one, Window(height, height, 1), Window(width, width, 1))

    return Resonator, Roll


def main() -> None:
    from lava_mlsnn.sim.advance import dispatcher

    resonator, roll_ = new_kinds()
    rng = np.random.default_rng(0)
    for weight in (3, 2**22 + 1):  # in 8 bits, and in the kernel that computes all that does not fit
        shape = (35, 4, 3)
        conv = Connection("input", Conv(rng.integers(-9, 10, (35, 2, 3, 3)), padding=1))
        roll = Connection("a", roll_(weight))
        layers = (
            Layer("a", (conv,), shape, resonator(rng.integers(20, 300, 35)), rng.integers(-5, 6, 35)),
            Layer("b", (roll,), shape, MultiLevel(5, 40)),
        )
        graph = NetGraph(Input((2, 4, 3)), layers, 3)
        images = rng.integers(0, 30, (4, 2, 4, 3))
        runs = [sim.run(graph, images, trace=True, engine=engine, threads=1) for engine in ("fast", "reference")]
        assert runs[0].difference(runs[1]) == "", runs[0].difference(runs[1])
        assert runs[0].overflows == runs[1].overflows
        assert all(len(np.unique(spikes)) > 1 for spikes in runs[0].traces.values())
    stats = dispatcher().stats
    json.dump({"hits": sum(stats.cache_hits.values()), "misses": sum(stats.cache_misses.values())}, sys.stdout)


if __name__ == "__main__":
    main()
