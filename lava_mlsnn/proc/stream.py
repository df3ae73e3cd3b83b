"""The engine as the fused Process drives it: one Lava timestep of the whole network per call."""

from __future__ import annotations

from functools import cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lava_mlsnn.netx import INPUT, Connection, DelayDense, Dense, Input, Layer, NetGraph, Relay
from lava_mlsnn.proc.observe import Counts
from lava_mlsnn.proc.pipeline import Pipeline
from lava_mlsnn.sim import Stream


class Streaming(Protocol):
    """A pipelined network; :class:`lava_mlsnn.sim.Stream` is one."""

    def step(self, frame: NDArray[Any]) -> NDArray[np.int32]:
        """One timestep: the input (C, H, W) in, the last layer's spikes (C', H', W') out."""

    def __getitem__(self, name: str) -> NDArray[np.int32]:
        """What a layer or "input" sent in the last step."""

    def counts(self) -> Counts | None:
        """(events, sum of values) of "input" and each layer in the last step, None where nobody has counted."""


def stream(graph: NetGraph, reset_interval: int | None, reset_offset: int) -> Streaming:
    """The fastest stream that computes ``graph``, its kernels compiled, ready to be forked."""
    if any(isinstance(c.synapse, DelayDense) for layer in graph for c in layer.connections):
        return Pipeline(graph, reset_interval, reset_offset)
    _warm_up()
    return Stream(graph, reset_interval, reset_offset)


@cache
def _warm_up() -> None:
    """Compile the kernels, or load them from their cache, in the process that later forks."""
    layer = Layer("relay", (Connection((INPUT,), Dense(np.ones((1, 1), np.int32))),), (1, 1, 1), Relay())
    Stream(NetGraph(Input((1, 1, 1)), (layer,))).step(np.zeros((1, 1, 1), np.int32))
