"""Lowering: a multi-level network at T = 1 rewritten with stock neurons only, for chips without our microcode.

A graded spike becomes a thermometer of binary ones, z = sum over k = 1 .. N of [H >= k theta], each from one stock LIF
neuron with full decay. Stock NetX knows one threshold per layer and chains only, so thresholds are staggered by channel
bias, and whatever a later layer still needs travels beside the main path through relay channels: all layers of one
depth become one layer of the chain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..graph.bounds import Bounds, bounds
from ..graph.graph import INPUT, Connection, Layer, NetGraph, require_graph
from ..graph.neurons import LIF, Barrier, MultiLevel, Neuron, Readout, Relay
from ..graph.synapses import Conv, Dense, Identity, Pool, Synapse
from ..helpers.check import Shape
from ._spread import spread_biases

MAX_CURRENT = 2**17 - 1
"""A stock LIF shifts current and bias left by 6 bits into 24: a larger current would wrap."""

BIAS_LIMITS = (-(2**15), 2**15 - 1)
"""A stock LIF keeps its bias in 16 bits on the CPU; a wider one would wrap. For Loihi's 13 see spread_biases."""


@dataclass(frozen=True)
class Place:
    """Where a lowered network carries the graded spikes of one layer.

    ``z[c] = sum(spikes[layer][first + c * levels : first + (c + 1) * levels])``
    """

    layer: str
    first: int
    levels: int


@dataclass(frozen=True)
class _Rows:
    """Output channels of a chain layer: a kernel over all its input channels; a channel spikes where a + offset > 0."""

    kernel: NDArray[np.int64]
    stride: tuple[int, int]
    padding: tuple[int, int]
    offset: NDArray[np.int64]


def lower(graph: NetGraph, target: str = "stock") -> NetGraph:
    r"""Rewrite ``graph`` (T = 1) as a chain of stock LIF layers that computes the same spikes, bit for bit.

    .. math:: z_c = \sum_{k=1}^{N} [a + b_c \ge k\theta_c] = \sum_{k=1}^{N} [a + (b_c - k\theta_c + 1 + vth) > vth]

    The result holds LIF layers and, if ``graph`` ends in one, its readout. :func:`places` tells which channels carry
    which layer. The price is N neurons for one, with N times the synapses on each side, and one relay per bit and step
    for what bypasses a layer. A bias of more than the chip's 13 bits is shared with channels of the layer before that
    always spike; in the first layer, and where weights cannot carry it, it stays: exact on the CPU, and named by
    :func:`problems`.

    Args:
        graph: multi-level, barrier and relay neurons; conv, dense, pool and identity synapses.
        target: "stock", the only one.

    Raises:
        ValueError: T > 1 (a stock LIF cannot reset softly), a neuron or synapse without stock counterpart, layers
            of one depth that no single convolution can hold, currents of 17 bits, biases of 16: names the layer and the
            value.
    """
    require_graph(graph)
    if target != "stock":
        raise ValueError(f"lower: unknown target {target!r}, expected 'stock'")
    if graph.timesteps != 1:
        raise ValueError(f"lower: T = {graph.timesteps}: stock LIF neurons cannot reset softly, expected T = 1")
    limits = bounds(graph)
    for layer in graph:
        _check(graph, layer, limits[layer.name])
    plan = _Plan.of(graph)
    layers: list[Layer] = []
    for depth in range(1, graph.latency + 1):
        layers.append(_chain_layer(plan, depth, layers[-1].name if layers else INPUT))
    return NetGraph(graph.input, spread_biases(layers, MAX_CURRENT), 1, graph.labels)


def places(graph: NetGraph) -> dict[str, Place]:
    """Which channels of ``lower(graph)`` carry the spikes of each spiking layer of ``graph``."""
    plan = _Plan.of(graph)
    return {
        layer.name: Place(
            plan.name(graph.depth[layer.name]),
            plan.channels[graph.depth[layer.name]][layer.name],
            plan.levels[layer.name],
        )
        for layer in graph
        if layer.neuron.spiking
    }


@dataclass(frozen=True)
class _Plan:
    """Where every spike is at every depth.

    ``levels``: channels that carry one spike of a layer: N for a thermometer, 1 for the graded input and the readout.
    ``channels``: per depth, what is there (made there, or relayed to a later reader): name -> first channel.
    """

    graph: NetGraph
    levels: Mapping[str, int]
    channels: Mapping[int, Mapping[str, int]]

    @classmethod
    def of(cls, graph: NetGraph) -> _Plan:
        last = dict(graph.depth)
        for layer in graph:
            for source in layer.inputs:
                last[source] = max(last[source], graph.depth[layer.name] - 1)
        if last[INPUT] > 0:
            raise ValueError(
                f"lower: the input is read again at depth {last[INPUT] + 1}, but relays carry binary spikes only"
            )
        limits = bounds(graph)
        levels = {INPUT: 1, **{layer.name: _levels(layer, limits) for layer in graph}}
        channels: dict[int, dict[str, int]] = {}
        for depth in range(graph.latency + 1):
            channels[depth], first = {}, 0
            for name, born in graph.depth.items():
                if born <= depth <= last[name]:
                    channels[depth][name] = first
                    first += graph.shape(name)[0] * levels[name]
        return cls(graph, levels, channels)

    def name(self, depth: int) -> str:
        return "+".join(layer.name for layer in self.graph if self.graph.depth[layer.name] == depth)

    def width(self, depth: int) -> int:
        return sum(self.graph.shape(name)[0] * self.levels[name] for name in self.channels[depth])


def _levels(layer: Layer, limits: Mapping[str, Bounds]) -> int:
    if isinstance(layer.neuron, MultiLevel | Barrier):
        return layer.neuron.levels
    if isinstance(layer.neuron, Relay):
        return max(int(limits[layer.name].current_max), 1)
    return 1


def _check(graph: NetGraph, layer: Layer, limits: Bounds) -> None:
    neuron = layer.neuron
    if not isinstance(neuron, MultiLevel | Barrier | Relay | Readout):
        raise ValueError(
            f"layer {layer.name!r}: lower takes multi-level neurons, barriers and relays, got {neuron.kind}"
        )
    if graph.depth[layer.name] == 0:
        raise ValueError(f"layer {layer.name!r}: lower expects synapses with weights, got an injection of the input")
    if layer.name in layer.inputs:
        raise ValueError(f"layer {layer.name!r}: lower has no stock counterpart for a recurrent connection at T = 1")
    if isinstance(neuron, Readout) and layer is not graph.output:
        raise ValueError(f"layer {layer.name!r}: lower expects a readout at the end of the network only")
    if layer.bias is not None and layer.bias.ndim == 3 and layer.shape[1:] != (1, 1):
        raise ValueError(
            f"layer {layer.name!r}: lower needs one bias per channel, got one per neuron {layer.bias.shape}"
        )
    if isinstance(neuron, Relay) and limits.current_min < 0:
        raise ValueError(
            f"layer {layer.name!r}: a relay of sums down to {limits.current_min:.0f} has no binary counterpart"
        )
    worst = sum(float(accumulator.magnitude.max()) for accumulator in limits.accumulators)
    if worst > MAX_CURRENT:
        raise ValueError(
            f"layer {layer.name!r}: currents up to {worst:.0f} do not fit a stock LIF, expected <= {MAX_CURRENT}"
        )


def _chain_layer(plan: _Plan, depth: int, source: str) -> Layer:
    graph, name = plan.graph, plan.name(depth)
    sizes = {alive: graph.shape(alive)[1:] for alive in plan.channels[depth]}
    if len(set(sizes.values())) > 1:
        raise ValueError(f"layer {name!r}: lower needs one size for all that is alive at depth {depth}, got {sizes}")
    in_shape = (plan.width(depth - 1), *graph.shape(next(iter(plan.channels[depth - 1])))[1:])
    rows: list[_Rows] = []
    for alive in plan.channels[depth]:
        rows += _own(plan, graph[alive]) if graph.depth[alive] == depth else [_relay(plan, alive, depth)]
    synapse = _merge(name, rows, in_shape, next(iter(sizes.values())))
    offset = np.concatenate([row.offset for row in rows])
    neuron: Neuron = graph[next(iter(sizes))].neuron
    if not isinstance(neuron, Readout):
        vth = int(np.clip(-(int(offset.max()) + int(offset.min())) // 2, 0, MAX_CURRENT))
        neuron, offset = LIF(vth=vth, du=4095, dv=4096), offset + vth
    if offset.min() < BIAS_LIMITS[0] or offset.max() > BIAS_LIMITS[1]:
        raise ValueError(
            f"layer {name!r}: thresholds and biases need stock biases of {offset.min()} .. {offset.max()}, "
            f"expected {BIAS_LIMITS[0]} .. {BIAS_LIMITS[1]}"
        )
    bias = offset if offset.any() else None
    return Layer(name, (Connection((source,), synapse),), synapse.out_shape(in_shape), neuron, bias)


def _own(plan: _Plan, layer: Layer) -> list[_Rows]:
    """The thermometer of a layer: the rows of its first connection hold the offsets, those of others add to them."""
    levels, before = plan.levels[layer.name], plan.graph.depth[layer.name] - 1
    rows: list[_Rows] = []
    for connection in layer.connections:
        try:
            kernel, stride, padding = _kernel(connection.synapse, plan.graph.shape(connection.sources[0]))
        except ValueError as error:
            raise ValueError(f"layer {layer.name!r}: {error}") from None
        full = np.zeros((len(kernel) * levels, plan.width(before), *kernel.shape[2:]), np.int64)
        for source in connection.sources:
            wide = kernel.repeat(plan.levels[source], axis=1).repeat(levels, axis=0)
            first = plan.channels[before][source]
            full[:, first : first + wide.shape[1]] += wide
        rows.append(_Rows(full, stride, padding, np.zeros(0, np.int64) if rows else _offset(layer, levels)))
    return rows


def _offset(layer: Layer, levels: int) -> NDArray[np.int64]:
    bias = np.zeros(layer.shape[0], np.int64) if layer.bias is None else layer.bias.astype(np.int64).reshape(-1)
    if isinstance(layer.neuron, Readout):
        return bias
    threshold = np.broadcast_to(getattr(layer.neuron, "threshold", np.int64(1)), bias.shape).astype(np.int64)
    steps = np.arange(1, levels + 1, dtype=np.int64)
    return (bias[:, None] + 1 - steps * threshold[:, None]).reshape(-1)


def _relay(plan: _Plan, name: str, depth: int) -> _Rows:
    width = plan.graph.shape(name)[0] * plan.levels[name]
    kernel = np.zeros((width, plan.width(depth - 1), 1, 1), np.int64)
    kernel[np.arange(width), plan.channels[depth - 1][name] + np.arange(width)] = 1
    return _Rows(kernel, (1, 1), (0, 0), np.zeros(width, np.int64))


def _kernel(synapse: Synapse, in_shape: Shape) -> tuple[NDArray[np.int64], tuple[int, int], tuple[int, int]]:
    """Any synapse as an ungrouped, undilated convolution: kernel (O, I, Kh, Kw), stride, padding."""
    channels = in_shape[0]
    eye = np.eye(channels, dtype=np.int64)[:, :, None, None]
    if isinstance(synapse, Dense):
        return synapse.weight.astype(np.int64).reshape(-1, *in_shape), (1, 1), (0, 0)
    if isinstance(synapse, Pool):
        return eye * np.ones(synapse.kernel, np.int64), synapse.stride, (0, 0)
    if isinstance(synapse, Identity):
        return eye * synapse.weight.astype(np.int64).reshape(-1, 1, 1, 1), (1, 1), (0, 0)
    if isinstance(synapse, Conv):
        out_channels, per_group, *size = synapse.weight.shape
        extent = [d * (k - 1) + 1 for d, k in zip(synapse.dilation, size, strict=True)]
        kernel = np.zeros((out_channels, channels, *extent), np.int64)
        for group in range(synapse.groups):
            out = slice(group * out_channels // synapse.groups, (group + 1) * out_channels // synapse.groups)
            into = slice(group * per_group, (group + 1) * per_group)
            kernel[out, into, :: synapse.dilation[0], :: synapse.dilation[1]] = synapse.weight[out]
        return kernel, synapse.stride, synapse.padding
    raise ValueError(f"lower has no stock counterpart for a {synapse.kind} synapse")


def _merge(name: str, rows: list[_Rows], in_shape: Shape, size: tuple[int, int]) -> Conv | Dense:
    """One synapse for all rows; kernels are set into a common one so that each keeps its position."""
    pad = [max(row.padding[axis] for row in rows) for axis in (0, 1)]
    strides = {row.stride for row in rows}
    if len(strides) > 1 and size == (1, 1):  # one position: any stride that leaves it alone will do
        strides = {(in_shape[1] + 2 * pad[0], in_shape[2] + 2 * pad[1])}
    if len(strides) > 1:
        raise ValueError(f"layer {name!r}: lower cannot put strides {sorted(strides)} into one convolution")
    extent = [max(row.kernel.shape[2 + axis] - row.padding[axis] for row in rows) + pad[axis] for axis in (0, 1)]
    out: list[NDArray[np.int64]] = []
    for row in rows:
        wide = np.zeros((row.kernel.shape[0], row.kernel.shape[1], *extent), np.int64)
        top, left = (pad[axis] - row.padding[axis] for axis in (0, 1))
        wide[:, :, top : top + row.kernel.shape[2], left : left + row.kernel.shape[3]] = row.kernel
        if row.offset.size:
            out.append(wide)
        else:
            out[-1] += wide
    kernel = np.concatenate(out)
    if tuple(extent) == in_shape[1:] and pad == [0, 0]:
        return Dense(kernel.reshape(len(kernel), -1).astype(np.int32))
    conv = Conv(kernel.astype(np.int32), next(iter(strides)), (pad[0], pad[1]))
    if conv.out_shape(in_shape)[1:] != size:
        raise ValueError(f"layer {name!r}: no single convolution from {in_shape} gives all layers of size {size}")
    return conv
