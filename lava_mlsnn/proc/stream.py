"""The engine as the fused Process drives it, its kernels compiled before Lava forks."""

from __future__ import annotations

from functools import cache

import numpy as np

from lava_mlsnn.graph.graph import INPUT, Connection, Input, Layer, NetGraph
from lava_mlsnn.graph.neurons import Relay
from lava_mlsnn.graph.synapses import Dense
from lava_mlsnn.sim import Stream


def stream(graph: NetGraph, reset_interval: int | None, reset_offset: int) -> Stream:
    """A stream that computes ``graph``, ready to be forked."""
    _warm_up()
    return Stream(graph, reset_interval, reset_offset)


@cache
def _warm_up() -> None:
    """Compile the kernels, or load them from their cache, in the process that later forks."""
    layer = Layer("relay", (Connection((INPUT,), Dense(np.ones((1, 1), np.int32))),), (1, 1, 1), Relay())
    Stream(NetGraph(Input((1, 1, 1)), (layer,))).step(np.zeros((1, 1, 1), np.int32))
