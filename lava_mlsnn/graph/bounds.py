"""How large every number of a network can get, per channel, and whether hardware's registers hold it.

Interval arithmetic over weights, biases, the widths of messages and T: what comes out can be wider than what any input
reaches, never narrower. Intervals of spikes contain zero, because a neuron may be silent and padding is. They are
float64, exact below 2**53; a recurrent loop of neurons without a largest spike gives UNBOUNDED.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..helpers.check import Shape
from .graph import INPUT, Connection, Input, Layer, NetGraph, require_graph
from .neurons import (
    LIF,
    Barrier,
    Delta,
    MultiLevel,
    Readout,
    Relay,
    Rescale,
    Scheduled,
    Sigma,
    SigmaDelta,
    SoftLIF,
    Staircase,
    Stepwise,
)
from .synapses import Conv, DelayDense, Dense, Identity, Injection, Pool, Synapse

Floats = NDArray[np.float64]

UNBOUNDED = 2.0**200
"""Stands for infinity; finite, so that zero times it is zero."""


class Range(NamedTuple):
    """Smallest and largest value of each channel, float64 (C,)."""

    low: Floats
    high: Floats

    @property
    def magnitude(self) -> Floats:
        """Largest absolute value of each channel."""
        return np.maximum(-self.low, self.high)


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
    flow = {INPUT: (message, _scale(message, graph.timesteps))}
    out: dict[str, Bounds] = {}
    for layer in graph:
        flow[layer.name] = _own_flow(layer, graph.timesteps)
        result = _layer_bounds(graph, layer, flow)
        out[layer.name] = result
        flow[layer.name] = (result.message, result.total)
    return out


def _input_range(source: Input) -> Range:
    size = source.shape[0]
    return _range(np.full(size, -source.bound if source.signed else 0.0), np.full(size, source.bound - source.signed))


def _own_flow(layer: Layer, timesteps: int) -> tuple[Range, Range]:
    """Spikes of a layer as it sees itself through a recurrent connection, before its own bounds are known."""
    limit = layer.neuron.message_bound(0)
    known = isinstance(layer.neuron, MultiLevel | Barrier | LIF | SoftLIF | Scheduled | Staircase)
    high = np.full(layer.shape[0], float(limit) if known and limit is not None else UNBOUNDED)
    message = _range(np.zeros_like(high) if known else -high, high)
    return message, _scale(message, timesteps)


def _layer_bounds(graph: NetGraph, layer: Layer, flow: dict[str, tuple[Range, Range]]) -> Bounds:
    per_step = tuple(_accumulator(graph, c, [flow[s][0] for s in c.sources]) for c in layer.connections)
    bias = _bias(layer)
    current = _sum([*per_step, bias])
    steps, neuron = graph.timesteps, layer.neuron
    if isinstance(neuron, MultiLevel | Barrier | Scheduled):
        membrane, message = _fire(neuron, current, steps)
    elif isinstance(neuron, Staircase):
        membrane = _range(*current)
        passed = (current.high[:, None] >= neuron.thresholds).sum(axis=1)
        message = _range(np.zeros_like(current.low), passed.astype(np.float64))
    elif isinstance(neuron, LIF):
        membrane = _scale(_sum(per_step), 64 * _geometric(1 - (neuron.du + 1) / 4096, steps))
        message = _range(np.zeros_like(current.low), np.ones_like(current.high))
    elif isinstance(neuron, SoftLIF):
        membrane = _soft_lif(neuron, current, steps)
        message = _range(np.zeros_like(current.low), np.full_like(current.high, neuron.amplitude))
    elif isinstance(neuron, Rescale):
        membrane = _sweep([_stepwise(neuron, current, t) for t in range(neuron.columns)])
        message = _range(np.maximum(membrane.low, -neuron.limit), np.minimum(membrane.high, neuron.limit))
    elif isinstance(neuron, Readout):
        membrane = message = _scale(_range(*current), steps)
    elif isinstance(neuron, Delta | SigmaDelta | Sigma):
        sums = tuple(_accumulator(graph, c, [flow[s][1] for s in c.sources]) for c in layer.connections)
        return _sigma_delta(layer, per_step, current, _sum(sums), bias, steps)
    elif isinstance(neuron, Relay):
        membrane, message = current, _range(*current)
    else:
        raise TypeError(f"no bounds for a neuron of type {type(neuron).__name__}")
    return Bounds(per_step, current, membrane, message, _scale(message, steps))


def _fire(neuron: MultiLevel | Barrier | Scheduled, current: Range, steps: int) -> tuple[Range, Range]:
    """H of a soft reset: what is left over is below one threshold, unless the input exceeds N thresholds per step."""
    table = neuron.thresholds if isinstance(neuron, Scheduled) else None
    one = getattr(neuron, "threshold", np.int32(1))
    threshold, largest = (
        np.broadcast_to(value, current.high.shape).astype(np.float64)
        for value in ((one, one) if table is None else (table.min(axis=1), table.max(axis=1)))
    )
    excess = np.maximum(current.high - neuron.levels * threshold, 0)
    before = steps - 1
    left = np.maximum(largest - 1 + (before - 1) * excess, before * excess) if before else np.zeros_like(threshold)
    high = current.high + np.minimum(left, before * np.maximum(current.high, 0))
    low = current.low + before * np.minimum(current.low, 0)
    fired = np.clip(np.floor_divide(high, threshold), 0, neuron.levels)
    return _clip(low, high), _range(np.zeros_like(high), fired)


def _stepwise(neuron: Stepwise, current: Range, t: int) -> Range:
    """x in step t."""
    scale, offset = (table[:, t % table.shape[1]].astype(np.float64) for table in (neuron.scale, neuron.offset))
    unit = 2.0**neuron.shift
    ends = [np.floor((end * scale + np.floor(unit / 2)) / unit) + offset for end in current]
    return _clip(np.minimum(*ends), np.maximum(*ends))


def _soft_lif(neuron: SoftLIF, current: Range, steps: int) -> Range:
    """H in any step: V is below the threshold, or what one threshold less leaves of a larger H."""
    keep, threshold = 1 - neuron.dv / 4096, np.broadcast_to(neuron.threshold, current.high.shape).astype(np.float64)
    low, high = np.zeros_like(current.low), np.zeros_like(current.high)
    reached = []
    for t in range(steps):
        x = _stepwise(neuron, current, t)
        low, high = _clip(keep * low + x.low, keep * high + x.high)
        reached.append(Range(low, high))
        low, high = np.minimum(low, 0.0), np.maximum(np.minimum(high, threshold), high - threshold)
        high = np.maximum(high, 0.0)
    return _sweep(reached)


def _sweep(ranges: list[Range]) -> Range:
    """What any of them contains."""
    return Range(np.min([r.low for r in ranges], axis=0), np.max([r.high for r in ranges], axis=0))


def _sigma_delta(
    layer: Layer, per_step: tuple[Range, ...], current: Range, sums: Range, bias: Range, steps: int
) -> Bounds:
    """Sigma-delta messages telescope: up to any step their sum is the activation, less what has not been sent."""
    neuron = layer.neuron
    if isinstance(neuron, Sigma):
        return Bounds(per_step, current, sums, sums, _scale(sums, steps))
    assert isinstance(neuron, Delta | SigmaDelta)
    unit = 2.0 ** (neuron.spike_exp + neuron.state_exp)
    act = _range(*_scale(current, unit))
    if isinstance(neuron, SigmaDelta):
        act = _range(np.zeros_like(sums.low), sums.high + bias.high * unit)
    step = 2.0**neuron.state_exp
    corrected = neuron.model == "corrected"
    kept = max(neuron.vth * unit - 1, step - 1 if corrected else 0, 0)
    swing = act.high - act.low + kept
    message = _range(np.floor(-swing / step), np.floor(swing / step))
    lost = 0 if corrected else steps * (1 - 1 / step)
    total = _range(np.floor((act.low - kept) / step - lost), np.ceil((act.high + kept) / step))
    return Bounds(per_step, current, act if isinstance(neuron, Delta) else sums, message, total)


def _accumulator(graph: NetGraph, connection: Connection, sources: list[Range]) -> Range:
    return _map(connection.synapse, graph.shape(connection.sources[0]), _sum(sources))


def _map(synapse: Synapse, in_shape: Shape, spikes: Range) -> Range:
    """Range of a synapse's output: positive weights meet the largest spikes, negative ones the smallest, and v.v."""
    if isinstance(synapse, Pool):
        return _scale(spikes, synapse.kernel[0] * synapse.kernel[1])
    if isinstance(synapse, Conv | Dense | DelayDense):
        positive, negative = _per_channel(synapse, in_shape)
    elif isinstance(synapse, Identity):
        low, high = synapse.weight * spikes.low, synapse.weight * spikes.high
        return _clip(np.minimum(low, high), np.maximum(low, high))
    elif isinstance(synapse, Injection):
        return spikes
    else:
        raise TypeError(f"no bounds for a synapse of type {type(synapse).__name__}")
    return _clip(positive @ spikes.low + negative @ spikes.high, positive @ spikes.high + negative @ spikes.low)


def _per_channel(synapse: Conv | Dense | DelayDense, in_shape: Shape) -> tuple[Floats, Floats]:
    """Sums of the positive and of the negative weights from each input channel, float64 (O, C)."""
    weight = synapse.weight.reshape(synapse.weight.shape[0], -1)
    groups = synapse.groups if isinstance(synapse, Conv) else 1
    per_group, outputs = in_shape[0] // groups, len(weight)
    parts = []
    for sign in (np.maximum, np.minimum):
        sums = sign(weight, 0).reshape(outputs, per_group, -1).sum(axis=2, dtype=np.float64)
        wide = np.zeros((outputs, in_shape[0]))
        for g in range(groups):
            rows = slice(g * outputs // groups, (g + 1) * outputs // groups)
            wide[rows, g * per_group : (g + 1) * per_group] = sums[rows]
        parts.append(wide)
    return parts[0], parts[1]


def _bias(layer: Layer) -> Range:
    bias = np.zeros(layer.shape[0]) if layer.bias is None else layer.bias.astype(np.float64)
    flat = bias.reshape(layer.shape[0], -1)
    return Range(flat.min(axis=1), flat.max(axis=1))


def _clip(low: Floats, high: Floats) -> Range:
    return Range(np.maximum(low, -UNBOUNDED), np.minimum(high, UNBOUNDED))


def _range(low: Floats, high: Floats) -> Range:
    """An interval of spikes or of a state: zero is always in it."""
    return _clip(np.minimum(low, 0.0), np.maximum(high, 0.0))


def _sum(ranges: list[Range] | tuple[Range, ...]) -> Range:
    return _clip(np.sum([r.low for r in ranges], axis=0), np.sum([r.high for r in ranges], axis=0))


def _scale(values: Range, factor: float) -> Range:
    return _clip(values.low * factor, values.high * factor)


def _geometric(ratio: float, steps: int) -> float:
    return float(steps) if ratio == 1 else (1 - ratio**steps) / (1 - ratio)
