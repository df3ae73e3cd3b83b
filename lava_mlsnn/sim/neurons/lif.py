"""Lava's leaky integrate-and-fire neuron."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...graph.neurons import LIF
from ..simd import Lanes
from .kernel import Arranged, Kernel, compiles


def decay(x: Lanes, keep: Lanes) -> Lanes:
    """sign(x) ((abs(x) keep) >> 12) in 32 bits: abs(x) in two pieces, of which the upper one needs no shift."""
    sign, size = x >> 31, abs(x)
    kept = size.shift_in_zeros(12) * keep + ((size & 4095) * keep).shift_in_zeros(12)
    return (kept ^ sign) - sign


def _step(
    current: Lanes, u: Lanes, v: Lanes, bias: Lanes, keep_u: Lanes, keep_v: Lanes, threshold: Lanes
) -> tuple[Lanes, ...]:
    limit = 1 << 23
    u = decay(u, keep_u) + (current << 6)
    u = (u > limit).where(u - 2 * limit, (u <= -limit).where(u + 2 * limit, u))
    v = (decay(v, keep_v) + u + bias).clip(1 - limit, limit - 1)
    fired = v > threshold
    return fired.count(), u, fired.where(0, v)


_kernel = Kernel(_step, "u", "v", from_zero=True)


@compiles(LIF)
def _(neuron: LIF, bias: NDArray[np.int64]) -> Arranged:
    keep_u, keep_v, threshold = 4095 - np.asarray(neuron.du), 4096 - np.asarray(neuron.dv), np.asarray(neuron.vth) << 6
    return _kernel(bias=bias << neuron.bias_exp, keep_u=keep_u, keep_v=keep_v, threshold=threshold)
