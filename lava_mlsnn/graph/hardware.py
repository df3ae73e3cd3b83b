"""What of a network the hardware cannot hold, said before anybody maps or trusts it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .bounds import UNBOUNDED, Bounds, Range, bounds
from .graph import Connection, Layer, NetGraph
from .neurons import LIF, Delta, MultiLevel, Scheduled, SigmaDelta, SoftLIF, Staircase
from .spec import INT24_MAX
from .synapses import Conv, DelayDense, Dense, Identity, weight_exponent

WEIGHT_LIMITS = (-128, 127)
LIF_VTH_MAX = 2**17 - 1
LIF_BIAS_LIMITS = (-(2**12), 2**12 - 1)
DELAY_MAX = 62


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
    limits = bounds(graph)
    return [line for layer in graph for line in _layer_problems(layer, limits[layer.name])]


def _layer_problems(layer: Layer, limits: Bounds) -> Iterator[str]:
    for connection, accumulator in zip(layer.connections, limits.accumulators, strict=True):
        yield from _weight_problems(layer, connection)
        if connection.synapse.delay:
            yield from _register(layer, accumulator, f"accumulator of {'+'.join(connection.sources)}")
    yield from _register(layer, limits.current, "current a + b")
    yield from _register(layer, limits.membrane, "membrane")
    if isinstance(layer.neuron, LIF):
        yield from _lif_problems(layer, layer.neuron)
    elif isinstance(layer.neuron, MultiLevel | SoftLIF) and layer.neuron.threshold.max() > INT24_MAX:
        channel = int(layer.neuron.threshold.argmax())
        yield f"{_at(layer, channel)}: threshold {layer.neuron.threshold.max()} exceeds 24 bits ({INT24_MAX})"
    elif isinstance(layer.neuron, Scheduled | Staircase) and layer.neuron.thresholds.max() > INT24_MAX:
        channel = int(layer.neuron.thresholds.max(axis=1).argmax())
        yield f"{_at(layer, channel)}: threshold {layer.neuron.thresholds.max()} exceeds 24 bits ({INT24_MAX})"
    elif isinstance(layer.neuron, Delta | SigmaDelta):
        yield from _register(layer, limits.message, "message")


def _weight_problems(layer: Layer, connection: Connection) -> Iterator[str]:
    synapse = connection.synapse
    if not isinstance(synapse, Conv | Dense | DelayDense | Identity):
        return
    low, high = WEIGHT_LIMITS
    exponent = weight_exponent(synapse.weight)
    mantissa = synapse.weight.astype(np.int64) >> exponent
    excess = np.maximum(mantissa - high, low - mantissa)
    if excess.size and excess.max() > 0:
        worst = np.unravel_index(int(excess.argmax()), excess.shape)
        yield (
            f"{_at(layer, int(worst[0]) if worst else 0)}: weight {synapse.weight[worst]} is not 8 signed bits "
            f"times 2**{exponent} ({low << exponent} .. {high << exponent}) in the {synapse.kind} from "
            f"{'+'.join(connection.sources)}"
        )


def _lif_problems(layer: Layer, neuron: LIF) -> Iterator[str]:
    if neuron.vth > LIF_VTH_MAX:
        yield f"layer {layer.name!r}: threshold {neuron.vth} exceeds 17 bits ({LIF_VTH_MAX})"
    if layer.bias is not None:
        low, high = LIF_BIAS_LIMITS
        excess = np.maximum(layer.bias.astype(np.int64) - high, low - layer.bias.astype(np.int64))
        if excess.max() > 0:
            worst = np.unravel_index(int(excess.argmax()), excess.shape)
            yield f"{_at(layer, int(worst[0]))}: bias {layer.bias[worst]} exceeds 13 bits ({low} .. {high})"


def _register(layer: Layer, values: Range, what: str) -> Iterator[str]:
    """A signed 24-bit register."""
    if values.magnitude.max() <= INT24_MAX:
        return
    channel = int(values.magnitude.argmax())
    low, high = values.low[channel], values.high[channel]
    worst = high if high >= -low else low
    reach = f"can reach {worst:.0f}" if abs(worst) < UNBOUNDED else "has no bound"
    yield f"{_at(layer, channel)}: {what} {reach}, 24 bits hold +-{INT24_MAX}"


def _at(layer: Layer, channel: int) -> str:
    return f"layer {layer.name!r}, channel {channel}"
