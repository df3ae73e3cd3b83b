"""A stretch of a network as a network of its own."""

from __future__ import annotations

from dataclasses import replace

from ..helpers.check import integer
from .bounds import bounds
from .graph import INPUT, Connection, Input, Layer, NetGraph

MAX_BITS = 24


def part(graph: NetGraph, first: int = 0, stop: int | None = None) -> NetGraph:
    """The layers from number ``first`` up to ``stop``, as a slice has them.

    The spikes that enter layer ``first`` become the input, as integers of unit scale in as many bits as they can need.
    Fed with them, the part computes what the whole does.

    Args:
        graph: the network.
        first: how many layers to leave out at the start, fewer than there are.
        stop: where the part ends; None, or more than there are, is the end of the network.

    Raises:
        ValueError: numbers out of range; the part reads several of the layers left out, or a readout, or spikes of
            more than 24 bits.

    Example:
        >>> import numpy as np
        >>> from lava_mlsnn.netx import Connection, Dense, Input, Layer, MultiLevel, NetGraph
        >>> def layer(name, source):
        ...     return Layer(name, (Connection(source, Dense(np.eye(2))),), (2, 1, 1), MultiLevel(4, 1))
        >>> tail = part(NetGraph(Input((2, 1, 1)), (layer("a", "input"), layer("b", "a"))), 1)
        >>> [each.name for each in tail], tail.input.bits, tail["b"].inputs
        (['b'], 3, ('input',))
    """
    first = integer(first, "first layer", 0, len(graph) - 1)
    end = len(graph) if stop is None else min(integer(stop, "number of layers", 1, 2**31), len(graph))
    if end <= first:
        raise ValueError(f"layers {first} to {end}: expected at least one")
    if (first, end) == (0, len(graph)):
        return graph
    labels = graph.labels if end == len(graph) else ()
    layers = graph.layers[first:end]
    if first == 0:
        return NetGraph(graph.input, layers, graph.timesteps, labels)
    source = _entry(graph, layers)
    return NetGraph(_input(graph, source), tuple(_fed(layer, source) for layer in layers), graph.timesteps, labels)


def _entry(graph: NetGraph, layers: tuple[Layer, ...]) -> Layer:
    """The one layer outside that ``layers`` read."""
    inside = {layer.name for layer in layers}
    outside = sorted({name for layer in layers for name in layer.inputs if name not in inside})
    if len(outside) != 1 or outside[0] == INPUT:
        raise ValueError(
            f"layers {layers[0].name!r} to {layers[-1].name!r} read {', '.join(map(repr, outside))}: "
            f"expected one layer in front of them"
        )
    return graph[outside[0]]


def _input(graph: NetGraph, source: Layer) -> Input:
    if not source.neuron.spiking:
        raise ValueError(f"layer {source.name!r} sends no spikes: expected a part that starts before it")
    message = bounds(graph)[source.name].message
    low, high = int(message.low.min()), int(message.high.max())
    bits = max(high.bit_length(), (-low - 1).bit_length() if low < 0 else 0, 1) + (low < 0)
    if bits > MAX_BITS:
        raise ValueError(f"layer {source.name!r} can send {low} .. {high}: expected at most {MAX_BITS} bits")
    return Input(source.shape, scale=1.0, bits=bits, signed=low < 0)


def _fed(layer: Layer, source: Layer) -> Layer:
    connections = (
        Connection(tuple(INPUT if name == source.name else name for name in c.sources), c.synapse)
        for c in layer.connections
    )
    return replace(layer, connections=tuple(connections))
