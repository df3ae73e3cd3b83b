"""Leaky neurons: Lava's LIF, and SoftLIF and Rescale behind a batch norm per timestep."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...graph.neurons import LIF, Rescale, SoftLIF
from ..simd import Lanes
from .kernel import Arranged, Kernel, compiles


def _decay(x: Lanes, keep: Lanes) -> Lanes:
    """sign(x) ((abs(x) keep) >> 12) in 32 bits: abs(x) in two pieces, of which the upper one needs no shift."""
    sign, size = x >> 31, abs(x)
    kept = size.shift_in_zeros(12) * keep + ((size & 4095) * keep).shift_in_zeros(12)
    return (kept ^ sign) - sign


def _lif_step(
    current: Lanes, u: Lanes, v: Lanes, bias: Lanes, *, keep_u: Lanes, keep_v: Lanes, threshold: Lanes
) -> tuple[Lanes, ...]:
    limit = 1 << 23
    u = _decay(u, keep_u) + (current << 6)
    u = (u > limit).where(u - 2 * limit, (u <= -limit).where(u + 2 * limit, u))
    v = (_decay(v, keep_v) + u + bias).clip(1 - limit, limit - 1)
    fired = v > threshold
    return fired.count(), u, fired.where(0, v)


_lif = Kernel(_lif_step, "u", "v")


@compiles(LIF)
def _(neuron: LIF, bias: NDArray[np.int64]) -> Arranged:
    keep_u, keep_v = 4095 - neuron.du, 4096 - neuron.dv
    return _lif(bias=bias << neuron.bias_exp, keep_u=keep_u, keep_v=keep_v, threshold=neuron.vth << 6)


def _soft_lif_step(
    current: Lanes,
    v: Lanes,
    scale: Lanes,
    shift: Lanes,
    offset: Lanes,
    threshold: Lanes,
    *,
    keep: Lanes,
    amplitude: Lanes,
) -> tuple[Lanes, ...]:
    h = _decay(v, keep) + current.scaled(scale, shift) + offset
    fired = h > threshold
    return fired.where(amplitude, 0), h - fired.where(threshold, 0)


_soft_lif = Kernel(_soft_lif_step, "v")


@compiles(SoftLIF)
def _(neuron: SoftLIF, bias: NDArray[np.int64]) -> Arranged:
    return _soft_lif(
        scale=neuron.scale.T,
        shift=neuron.shift,
        offset=neuron.offset.T,
        threshold=neuron.threshold,
        keep=4096 - neuron.dv,
        amplitude=neuron.amplitude,
    )


def _rescale_step(current: Lanes, scale: Lanes, shift: Lanes, offset: Lanes, *, limit: Lanes) -> tuple[Lanes, ...]:
    return ((current.scaled(scale, shift) + offset).clip(-limit, limit),)


_rescale = Kernel(_rescale_step)


@compiles(Rescale)
def _(neuron: Rescale, bias: NDArray[np.int64]) -> Arranged:
    return _rescale(scale=neuron.scale.T, shift=neuron.shift, offset=neuron.offset.T, limit=neuron.limit)
