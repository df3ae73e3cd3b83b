"""The engine as the fused Process drives it: one Lava timestep of the whole network per call."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lava_mlsnn.netx import INPUT, Connection, DelayDense, Dense, Input, Layer, NetGraph, Relay
from lava_mlsnn.proc.observe import Tally
from lava_mlsnn.proc.pipeline import Pipeline
from lava_mlsnn.sim.engine import Engine
from lava_mlsnn.sim.program import compile_graph


class Stream(Protocol):
    """A pipelined network."""

    def step(self, frame: NDArray[Any]) -> Mapping[str, NDArray[np.int32]]:
        """One timestep: the input (C, H, W) in, the spikes of the wanted layers out, valid until the next call."""

    @property
    def tally(self) -> Tally | None:
        """Counts of the last step, None where nobody has counted."""


class EngineStream:
    """The event-driven engine.

    Args:
        graph: the network.
        reset_interval: steps between resets, None for none.
        reset_offset: their phase, see :class:`~lava_mlsnn.proc.pipeline.Pipeline`.
        wanted: layers whose spikes each step returns.
    """

    def __init__(self, graph: NetGraph, reset_interval: int | None, reset_offset: int, wanted: tuple[str, ...]) -> None:
        channels, height, width = graph.input.shape
        self.frame = np.zeros((1, height, width, channels), np.int32)
        self.flat = self.frame.reshape(1, -1)
        interval = reset_interval or 0
        program = compile_graph(graph, pipelined=True)
        self.engine = Engine(program, wanted, 1, interval, reset_offset % interval if interval else 0)
        self.spikes = {name: self.engine.view(name)[0] for name in wanted}
        self.nodes = len(graph) + 1

    def step(self, frame: NDArray[Any]) -> Mapping[str, NDArray[np.int32]]:
        """One timestep."""
        self.frame[0] = frame.transpose(1, 2, 0)
        self.engine.advance(self.flat)
        return self.spikes

    @property
    def tally(self) -> Tally:
        """Counts of the last step."""
        now, n = self.engine.now, self.nodes
        return Tally(now[:n], now[n : 2 * n], now[3 * n :])


class ReferenceStream:
    """The slow reference, for what the engine does not do; it shows all layers and counts nothing."""

    tally = None

    def __init__(self, graph: NetGraph, reset_interval: int | None, reset_offset: int) -> None:
        self.step = Pipeline(graph, reset_interval, reset_offset).step


def stream(graph: NetGraph, reset_interval: int | None, reset_offset: int, wanted: tuple[str, ...]) -> Stream:
    """The fastest stream that computes ``graph``, its kernels compiled, ready to be forked."""
    if any(isinstance(c.synapse, DelayDense) for layer in graph for c in layer.connections):
        return ReferenceStream(graph, reset_interval, reset_offset)
    _warm_up()
    return EngineStream(graph, reset_interval, reset_offset, wanted)


@cache
def _warm_up() -> None:
    """Compile the kernels, or load them from their cache, in the process that later forks."""
    layer = Layer("relay", (Connection((INPUT,), Dense(np.ones((1, 1), np.int32))),), (1, 1, 1), Relay())
    EngineStream(NetGraph(Input((1, 1, 1)), (layer,)), None, 0, ("relay",)).step(np.zeros((1, 1, 1), np.int32))
