"""How large every number of a network can get, per channel, and whether hardware's registers hold it.

Interval arithmetic over weights, biases, the widths of messages and T: what comes out can be wider than what any input
reaches, never narrower. A recurrent loop of neurons without a largest spike gives UNBOUNDED.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .graph import INPUT, Connection, Input, Layer, NetGraph, require_graph
from .ranges import UNBOUNDED, Inflow, Range, add

__all__ = ["UNBOUNDED", "Bounds", "Range", "bounds"]


@dataclass(frozen=True)
class Bounds:
    """Ranges of one layer in one sample of T steps.

    Attributes:
        accumulators: what each connection's synapse sums up in one step, one Range per connection.
        current: a + b, all connections and the bias.
        membrane: the register that must not overflow: H before the reset for multi-level neurons, barriers and soft
            LIFs, V for a readout, the current u for a LIF (its v saturates), x for a rescale, sigma for sigma-delta
            neurons, act for a delta encoder.
        message: one spike.
        total: sum of one neuron's spikes up to any step.
    """

    accumulators: tuple[Range, ...]
    current: Range
    membrane: Range
    message: Range
    total: Range

    @property
    def current_min(self) -> float:
        """Smallest a + b of any channel."""
        return float(self.current.low.min())

    @property
    def current_max(self) -> float:
        """Largest a + b of any channel."""
        return float(self.current.high.max())


def bounds(graph: NetGraph) -> dict[str, Bounds]:
    """Bounds of every layer, by name.

    Example:
        >>> from lava_mlsnn.netx import Connection, Dense, Input, Layer, MultiLevel, NetGraph
        >>> dense = Dense(np.array([[3, -1], [0, 2]]))
        >>> layer = Layer("a", (Connection("input", dense),), (2, 1, 1), MultiLevel(4, 100), np.array([7, 0]))
        >>> limits = bounds(NetGraph(Input((2, 1, 1), bits=8), (layer,)))["a"]
        >>> limits.current.low.tolist(), limits.current.high.tolist()
        ([-248.0, 0.0], [772.0, 510.0])
        >>> limits.message.high.tolist()
        [4.0, 4.0]
    """
    require_graph(graph)
    message = _input_range(graph.input)
    flow = {INPUT: (message, message.scale(graph.timesteps))}
    out: dict[str, Bounds] = {}
    for layer in graph:
        own = layer.neuron.spike_range(layer.shape[0])  # as it sees itself through a recurrent connection
        flow[layer.name] = (own, own.scale(graph.timesteps))
        result = _layer_bounds(graph, layer, flow)
        out[layer.name] = result
        flow[layer.name] = (result.message, result.total)
    return out


def _input_range(source: Input) -> Range:
    size = source.shape[0]
    low, high = -source.bound if source.signed else 0.0, source.bound - source.signed
    return Range(np.full(size, low), np.full(size, float(high))).with_zero()


def _layer_bounds(graph: NetGraph, layer: Layer, flow: dict[str, tuple[Range, Range]]) -> Bounds:
    def accumulator(connection: Connection, which: int) -> Range:
        spikes = add(flow[source][which] for source in connection.sources)
        return connection.synapse.spread(spikes, graph.shape(connection.sources[0]))

    per_step = tuple(accumulator(connection, 0) for connection in layer.connections)
    total = add(accumulator(connection, 1) for connection in layer.connections)
    bias = _bias(layer)
    current = add([*per_step, bias])
    out = layer.neuron.ranges(Inflow(add(per_step), current, bias, total, graph.timesteps))
    sent = out.message.scale(graph.timesteps) if out.total is None else out.total
    return Bounds(per_step, current, out.membrane, out.message, sent)


def _bias(layer: Layer) -> Range:
    bias = np.zeros(layer.current_shape[0]) if layer.bias is None else layer.bias.astype(np.float64)
    flat = bias.reshape(layer.current_shape[0], -1)
    return Range(flat.min(axis=1), flat.max(axis=1))
