"""What of a network the hardware cannot hold, said before anybody maps or trusts it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .bounds import Bounds, bounds
from .graph import Connection, Layer, NetGraph
from .ranges import Range, wide
from .synapses import weight_exponent

WEIGHT_LIMITS = (-128, 127)
"""Mantissa of a weight on the chip: 8 signed bits."""


def check_hardware(graph: NetGraph) -> None:
    """Raise if :func:`problems` finds anything.

    Raises:
        ValueError: one line per problem, each naming layer, channel and value.

    Example:
        >>> from lava_mlsnn.netx import Connection, Dense, Input, NetGraph, Readout
        >>> dense = Dense(np.array([[1, 300]]))
        >>> layer = Layer("out", (Connection("input", dense),), (1, 1, 1), Readout())
        >>> check_hardware(NetGraph(Input((2, 1, 1)), (layer,)))
        Traceback (most recent call last):
        ValueError: layer 'out', channel 0: weight 300 is not 8 signed bits times 2**0 (-128 .. 127) in ...from input
    """
    found = problems(graph)
    if found:
        raise ValueError("\n".join(found))


def problems(graph: NetGraph) -> list[str]:
    """Everything that a chip could not store or would overflow, worst value of each kind per layer; empty if it fits.

    Checked: weights (8 signed bits times a power of two common to a synapse), accumulators, membranes and messages
    (24 bits, within one sample of T steps), LIF thresholds (17 bits) and biases (13 bits). A layer's bound comes from
    its weights and the widths of its sources' messages (:func:`lava_mlsnn.graph.bounds`).
    """
    return _lines(graph, proven=True)


def unproven(graph: NetGraph) -> list[str]:
    """Registers of sigma-delta networks that this analysis cannot bound, worst value of each kind per layer.

    A delta code is the change of an activation. Its sums are as large as the activation, which worst-case intervals
    let grow by the sum of absolute weights in every layer: what such a bound exceeds may fit all the same. What data
    need is shown by a run: the engine warns where sums of synapses leave 24 bits.
    """
    return _lines(graph, proven=False)


def _lines(graph: NetGraph, proven: bool) -> list[str]:
    limits = bounds(graph)
    sends_changes = {layer.name: layer.neuron.sends_changes for layer in graph}
    found: list[str] = []
    for layer in graph:
        by_changes = sends_changes[layer.name] or any(sends_changes.get(name, False) for name in layer.inputs)
        if by_changes is not proven:
            found += _register_problems(layer, limits[layer.name])
        if proven:
            found += _stored_problems(layer, limits[layer.name])
    return found


def _stored_problems(layer: Layer, limits: Bounds) -> Iterator[str]:
    for connection in layer.connections:
        yield from _weight_problems(layer, connection)
    for channel, what in layer.neuron.unfit(layer.bias):
        yield f"{_at(layer, channel)}: {what}"


def _register_problems(layer: Layer, limits: Bounds) -> Iterator[str]:
    for connection, accumulator in zip(layer.connections, limits.accumulators, strict=True):
        if connection.synapse.delay:
            yield from _register(layer, accumulator, f"accumulator of {'+'.join(connection.sources)}")
    yield from _register(layer, limits.current, "current a + b")
    yield from _register(layer, limits.membrane, "membrane")
    if layer.neuron.sends_changes:
        yield from _register(layer, limits.message, "message")


def _weight_problems(layer: Layer, connection: Connection) -> Iterator[str]:
    synapse, weights = connection.synapse, connection.synapse.weights
    if weights is None:
        return
    low, high = WEIGHT_LIMITS
    exponent = weight_exponent(weights)
    mantissa = weights.astype(np.int64) >> exponent
    excess = np.maximum(mantissa - high, low - mantissa)
    if excess.size and excess.max() > 0:
        worst = np.unravel_index(int(excess.argmax()), excess.shape)
        yield (
            f"{_at(layer, int(worst[0]) if worst else 0)}: weight {weights[worst]} is not 8 signed bits "
            f"times 2**{exponent} ({low << exponent} .. {high << exponent}) in the {synapse.kind} from "
            f"{'+'.join(connection.sources)}"
        )


def _register(layer: Layer, values: Range, what: str) -> Iterator[str]:
    for channel, excess in wide(values, what):
        yield f"{_at(layer, channel)}: {excess}"


def _at(layer: Layer, channel: int | None) -> str:
    return f"layer {layer.name!r}" + ("" if channel is None else f", channel {channel}")
