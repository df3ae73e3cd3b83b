"""The slow, obviously right engine: one function per synapse kind, one step function per neuron kind, plain numpy.

These functions define what every other engine computes; the Lava ProcessModels of single layers call them. They are
pure: arguments are never written to. Numbers are computed in int64 and wrapped where Lava's registers wrap.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..graph.neurons import (
    LIF,
    Barrier,
    Delta,
    MultiLevel,
    Neuron,
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
from ..graph.spec import INT24_MAX
from ..graph.synapses import Conv, DelayDense, Dense, Identity, Injection, Pool, Synapse
from ..helpers.check import IntArray

Ints = NDArray[np.int32]
Wide = NDArray[np.int64]
State = Mapping[str, Ints]

ACCUMULATOR_BITS = 24
"""Width of a dendritic accumulator on Loihi, and of the one that Lava's Conv wraps to."""


def wrap(x: Any, bits: int = 32) -> Ints:
    """``x`` as a signed number of ``bits`` bits that wraps around (two's complement), as int32.

    Example:
        >>> wrap([2**23, -(2**23) - 1], 24).tolist()
        [-8388608, 8388607]
    """
    half = 1 << (bits - 1)
    return (((np.asarray(x, np.int64) + half) & (2 * half - 1)) - half).astype(np.int32)


def overflows(accumulated: Wide) -> int:
    """Number of accumulators that leave the signed 24-bit range.

    Example:
        >>> overflows(np.array([2**23 - 1, 2**23, -(2**23) - 1]))
        2
    """
    return int(np.count_nonzero((accumulated > INT24_MAX) | (accumulated < -INT24_MAX - 1)))


def current(synapse: Synapse, spikes: Any) -> Ints:
    """Current that Lava's synapse sends for ``spikes``: :func:`accumulate`, wrapped to 24 bits by Conv, else to 32.

    **Shape:** spikes int (..., C, H, W) -> int32 (..., C', H', W') with (C', H', W') = synapse.out_shape((C, H, W)).

    Example:
        >>> current(Dense(np.array([[2, -1]])), np.array([3, 4]).reshape(2, 1, 1)).ravel()
        array([2], dtype=int32)
    """
    return wrap(accumulate(synapse, spikes), current_bits(synapse))


def current_bits(synapse: Synapse) -> int:
    """Bits that the current of a synapse wraps to: 24 for Conv, as Lava's, else 32."""
    return ACCUMULATOR_BITS if isinstance(synapse, Conv) else 32


@singledispatch
def accumulate(synapse: Synapse, spikes: Any) -> Wide:
    """The exact linear map of a synapse, int64, before any wrap.

    **Shape:** spikes int (..., C, H, W) -> int64 (..., C', H', W').
    """
    raise TypeError(f"no reference for a synapse of type {type(synapse).__name__}")


@accumulate.register
def _conv(synapse: Conv, spikes: Any) -> Wide:
    spikes = np.asarray(spikes, np.int64)
    *batch, channels, height, width = spikes.shape
    out_channels, rows, columns = synapse.out_shape((channels, height, width))
    (ph, pw), (sh, sw), (dh, dw) = synapse.padding, synapse.stride, synapse.dilation
    padded = np.pad(spikes, [(0, 0)] * (spikes.ndim - 2) + [(ph, ph), (pw, pw)])
    groups = synapse.groups
    weight = synapse.weight.astype(np.int64).reshape(groups, out_channels // groups, *synapse.weight.shape[1:])
    out = np.zeros((*batch, groups, out_channels // groups, rows, columns), np.int64)
    for k in range(weight.shape[-2]):
        for m in range(weight.shape[-1]):
            y, x = k * dh, m * dw
            tap = padded[..., y : y + sh * (rows - 1) + 1 : sh, x : x + sw * (columns - 1) + 1 : sw]
            tap = tap.reshape(*batch, groups, channels // groups, rows, columns)
            out += np.einsum("...gihw,goi->...gohw", tap, weight[..., k, m], optimize=True)
    return out.reshape(*batch, out_channels, rows, columns)


@accumulate.register
def _dense(synapse: Dense, spikes: Any) -> Wide:
    spikes = np.asarray(spikes, np.int64)
    out, _, _ = synapse.out_shape(spikes.shape[-3:])
    flat = spikes.reshape(*spikes.shape[:-3], -1)
    return (flat @ synapse.weight.T.astype(np.int64)).reshape(*spikes.shape[:-3], out, 1, 1)


def accumulate_late(synapse: DelayDense, spikes: Callable[[int], Any]) -> Wide:
    """The exact sums of a synapse with delays, int64: every delay's weights times what was sent that long ago.

    Args:
        synapse: its weights and delays.
        spikes: ``spikes(d)`` are those of d steps ago, int (..., C, H, W).

    **Shape:** int64 (..., O, 1, 1).

    Example:
        >>> synapse = DelayDense(np.array([[1, 10]]), np.array([[0, 2]]))
        >>> past = [np.array([3, 4]), np.array([5, 6]), np.array([7, 8])]
        >>> accumulate_late(synapse, lambda d: past[d].reshape(2, 1, 1)).ravel()
        array([83])
    """
    delays = np.unique(synapse.delays).tolist()
    parts = (accumulate(Dense(np.where(synapse.delays == d, synapse.weight, 0)), spikes(d)) for d in delays)
    return np.asarray(sum(parts), np.int64)


@accumulate.register
def _pool(synapse: Pool, spikes: Any) -> Wide:
    windows = np.lib.stride_tricks.sliding_window_view(np.asarray(spikes, np.int64), synapse.kernel, axis=(-2, -1))
    return windows[..., :: synapse.stride[0], :: synapse.stride[1], :, :].sum(axis=(-2, -1))


@accumulate.register
def _identity(synapse: Identity, spikes: Any) -> Wide:
    weight = synapse.weight.astype(np.int64).reshape(-1, 1, 1)
    return np.asarray(spikes, np.int64) * weight


@accumulate.register
def _injection(synapse: Injection, spikes: Any) -> Wide:
    return np.asarray(spikes, np.int64)


_STATE: dict[type[Neuron], tuple[str, ...]] = {
    MultiLevel: ("v",),
    Barrier: ("v",),
    Relay: (),
    Readout: ("v",),
    LIF: ("u", "v"),
    SoftLIF: ("v",),
    Rescale: (),
    Scheduled: ("v",),
    Staircase: (),
    Delta: ("act", "residue"),
    SigmaDelta: ("sigma", "act", "residue"),
    Sigma: ("sigma",),
}


def initial_state(neuron: Neuron, shape: tuple[int, ...]) -> dict[str, Ints]:
    """The state at the start of a sample: zeros, int32, by the names that Lava gives them.

    Example:
        >>> sorted(initial_state(LIF(vth=10), (2, 1, 1)))
        ['u', 'v']
    """
    if type(neuron) not in _STATE:
        raise TypeError(f"no reference for a neuron of type {type(neuron).__name__}")
    return {name: np.zeros(shape, np.int32) for name in _STATE[type(neuron)]}


@singledispatch
def step(
    neuron: Neuron, state: State, current: Any, bias: IntArray | None = None, channel_axis: int = -3, t: int = 0
) -> tuple[Ints, dict[str, Ints]]:
    """One timestep of a population: the equations are in the docstring of the neuron's class.

    Args:
        neuron: its parameters.
        state: of :func:`initial_state` or of the step before; not written to.
        current: the sum of all synapses' currents.
        bias: one per channel (1-D, along ``channel_axis``), or any array that broadcasts to ``current``; None is zero.
        channel_axis: axis of channels in ``current``; -1 where they come last, as in Lava's (W, H, C) or for (C,).
        t: index of the step, from 0, for parameters that differ from step to step.

    Returns:
        (spikes, state): int32, of the shape of ``current``. What a Readout returns as spikes is its voltage.

    Raises:
        ValueError: a bias for a neuron that has none (barrier, delta, sigma).

    Example:
        >>> neuron = MultiLevel(levels=4, threshold=10)
        >>> z, state = step(neuron, initial_state(neuron, (1, 1, 3)), np.array([[[25, 99, -5]]]))
        >>> z.tolist(), state["v"].tolist()
        ([[[2, 4, 0]]], [[[5, 59, -5]]])
    """
    raise TypeError(f"no reference for a neuron of type {type(neuron).__name__}")


def _per_channel(values: IntArray | None, ndim: int, channel_axis: int) -> Wide | int:
    """``values`` shaped to broadcast along the channel axis."""
    if values is None:
        return 0
    if values.ndim != 1:
        return values.astype(np.int64)
    if not -ndim <= channel_axis < 0:
        raise ValueError(
            f"channel_axis: expected a negative axis of a current with {ndim} dimensions, got {channel_axis}"
        )
    shape = [1] * ndim
    shape[channel_axis] = -1
    return values.astype(np.int64).reshape(shape)


def _add(current: Any, bias: IntArray | None, channel_axis: int) -> Wide:
    current = np.asarray(current, np.int64)
    return current + _per_channel(bias, current.ndim, channel_axis)


def _no_bias(neuron: Neuron, bias: IntArray | None) -> None:
    if bias is not None:
        raise ValueError(f"bias: a {neuron.kind} neuron has none, got an array of shape {np.shape(bias)}")


def _fire(levels: int, threshold: Wide | int, v: Ints, a: Wide) -> tuple[Ints, dict[str, Ints]]:
    h = wrap(v.astype(np.int64) + a).astype(np.int64)
    z = np.clip(h // threshold, 0, levels)
    return z.astype(np.int32), {"v": wrap(h - threshold * z)}


@step.register
def _multilevel(
    neuron: MultiLevel, state: State, current: Any, bias: IntArray | None = None, channel_axis: int = -3, t: int = 0
) -> tuple[Ints, dict[str, Ints]]:
    threshold = _per_channel(neuron.threshold, np.ndim(current), channel_axis)
    return _fire(neuron.levels, threshold, state["v"], _add(current, bias, channel_axis))


@step.register
def _scheduled(
    neuron: Scheduled, state: State, current: Any, bias: IntArray | None = None, channel_axis: int = -3, t: int = 0
) -> tuple[Ints, dict[str, Ints]]:
    threshold = _per_channel(neuron.thresholds[:, t % neuron.thresholds.shape[1]], np.ndim(current), channel_axis)
    return _fire(neuron.levels, threshold, state["v"], _add(current, bias, channel_axis))


@step.register
def _staircase(
    neuron: Staircase, state: State, current: Any, bias: IntArray | None = None, channel_axis: int = -3, t: int = 0
) -> tuple[Ints, dict[str, Ints]]:
    h = wrap(_add(current, bias, channel_axis))
    steps = [h >= _per_channel(column, np.ndim(current), channel_axis) for column in neuron.thresholds.T]
    return np.sum(steps, axis=0, dtype=np.int32), {}


@step.register
def _barrier(
    neuron: Barrier, state: State, current: Any, bias: IntArray | None = None, channel_axis: int = -3, t: int = 0
) -> tuple[Ints, dict[str, Ints]]:
    _no_bias(neuron, bias)
    return _fire(neuron.levels, 1, state["v"], _add(current, None, channel_axis))


@step.register
def _relay(
    neuron: Relay, state: State, current: Any, bias: IntArray | None = None, channel_axis: int = -3, t: int = 0
) -> tuple[Ints, dict[str, Ints]]:
    return wrap(_add(current, bias, channel_axis)), {}


@step.register
def _readout(
    neuron: Readout, state: State, current: Any, bias: IntArray | None = None, channel_axis: int = -3, t: int = 0
) -> tuple[Ints, dict[str, Ints]]:
    v = wrap(state["v"] + _add(current, bias, channel_axis))
    return v, {"v": v}


def decay(x: Any, d: int) -> Wide:
    """Lava's decay of a 12-bit fixed-point register: sign(x) ((abs(x) (4096 - d)) >> 12), rounding toward zero.

    Example:
        >>> decay(np.array([100, -100]), 2048).tolist()
        [50, -50]
    """
    x = np.asarray(x, np.int64)
    return np.sign(x) * ((np.abs(x) * (4096 - d)) >> 12)


@step.register
def _lif(
    neuron: LIF, state: State, current: Any, bias: IntArray | None = None, channel_axis: int = -3, t: int = 0
) -> tuple[Ints, dict[str, Ints]]:
    limit = 1 << 23
    activation = wrap(np.asarray(current, np.int64) << 6)
    u = wrap(decay(state["u"], neuron.du + 1) + activation).astype(np.int64)
    u = np.where(u > limit, u - 2 * limit, np.where(u <= -limit, u + 2 * limit, u))
    scaled_bias = wrap(np.asarray(_per_channel(bias, np.ndim(current), channel_axis), np.int64) << neuron.bias_exp)
    v = wrap(decay(state["v"], neuron.dv) + u + scaled_bias)
    v = np.clip(v, -limit + 1, limit - 1)
    z = v > neuron.vth << 6
    return z.astype(np.int32), {"u": wrap(u), "v": np.where(z, 0, v).astype(np.int32)}


def _scaled(neuron: Stepwise, current: Any, bias: IntArray | None, channel_axis: int, t: int) -> Wide:
    """x of a :class:`Stepwise` neuron in step t."""
    _no_bias(neuron, bias)

    def of(values: IntArray) -> Wide:
        return np.asarray(_per_channel(values, np.ndim(current), channel_axis), np.int64)

    scale, offset = (table[:, t % table.shape[1]] for table in (neuron.scale, neuron.offset))
    shift = of(neuron.shift)
    product = wrap(np.asarray(current, np.int64)).astype(np.int64) * of(scale)
    return wrap(((product + ((1 << shift) >> 1)) >> shift) + of(offset)).astype(np.int64)


@step.register
def _soft_lif(
    neuron: SoftLIF, state: State, current: Any, bias: IntArray | None = None, channel_axis: int = -3, t: int = 0
) -> tuple[Ints, dict[str, Ints]]:
    x = _scaled(neuron, current, bias, channel_axis, t)
    h = wrap(decay(state["v"], neuron.dv) + x).astype(np.int64)
    threshold = _per_channel(neuron.threshold, np.ndim(current), channel_axis)
    fired = h > threshold
    return wrap(fired * neuron.amplitude), {"v": wrap(h - fired * threshold)}


@step.register
def _rescale(
    neuron: Rescale, state: State, current: Any, bias: IntArray | None = None, channel_axis: int = -3, t: int = 0
) -> tuple[Ints, dict[str, Ints]]:
    x = _scaled(neuron, current, bias, channel_axis, t)
    return wrap(np.clip(x, -neuron.limit, neuron.limit)), {}


def _encode(neuron: Delta | SigmaDelta, act: Ints, state: State) -> tuple[Ints, dict[str, Ints]]:
    threshold = int(wrap(neuron.vth << (neuron.spike_exp + neuron.state_exp)))
    delta = wrap(act.astype(np.int64) - state["act"] + state["residue"])
    sent = np.where(np.abs(delta) >= threshold, delta, 0)
    z = sent >> neuron.state_exp
    kept = z << neuron.state_exp if neuron.model == "corrected" else sent
    return z.astype(np.int32), {"act": act, "residue": wrap(delta.astype(np.int64) - kept)}


@step.register
def _delta(
    neuron: Delta, state: State, current: Any, bias: IntArray | None = None, channel_axis: int = -3, t: int = 0
) -> tuple[Ints, dict[str, Ints]]:
    _no_bias(neuron, bias)
    return _encode(neuron, wrap(np.asarray(current, np.int64) << (neuron.spike_exp + neuron.state_exp)), state)


@step.register
def _sigma_delta(
    neuron: SigmaDelta, state: State, current: Any, bias: IntArray | None = None, channel_axis: int = -3, t: int = 0
) -> tuple[Ints, dict[str, Ints]]:
    sigma = wrap(state["sigma"] + np.asarray(current, np.int64))
    scaled_bias = np.asarray(_per_channel(bias, np.ndim(current), channel_axis), np.int64)
    scaled_bias = wrap(scaled_bias << (neuron.spike_exp + neuron.state_exp)).astype(np.int64)
    z, rest = _encode(neuron, np.maximum(wrap(sigma + scaled_bias), 0), state)
    return z, {"sigma": sigma, **rest}


@step.register
def _sigma(
    neuron: Sigma, state: State, current: Any, bias: IntArray | None = None, channel_axis: int = -3, t: int = 0
) -> tuple[Ints, dict[str, Ints]]:
    _no_bias(neuron, bias)
    sigma = wrap(state["sigma"] + np.asarray(current, np.int64))
    return sigma, {"sigma": sigma}
