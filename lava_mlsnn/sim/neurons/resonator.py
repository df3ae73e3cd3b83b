"""Lava's resonate-and-fire neurons."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...graph.neurons import Resonator
from ...graph.spec import INT24_MAX
from ..simd import Lanes
from .kernel import Arranged, Kernel, compiles

BEYOND = 2**30
"""A current of this size saturates whatever it is added to, and the sum stays within 32 bits."""


def _scaled(x: Lanes, factor: Lanes) -> Lanes:
    """sign(x factor) (abs(x factor) >> 12) in 32 bits: abs(x) in two pieces, of which the upper one needs no shift."""
    sign, size, by = (x ^ factor) >> 31, abs(x), abs(factor)
    product = size.shift_in_zeros(12) * by + ((size & 4095) * by).shift_in_zeros(12)
    return (product ^ sign) - sign


def _turned(for_real: Lanes, for_imag: Lanes, real: Lanes, imag: Lanes, sin: Lanes, cos: Lanes) -> tuple[Lanes, Lanes]:
    to_real, to_imag = ((a << 6).clip(-BEYOND, BEYOND) for a in (for_real, for_imag))
    turned = _scaled(real, cos) - _scaled(imag, sin) + to_real, _scaled(real, sin) + _scaled(imag, cos) + to_imag
    return turned[0].clip(-INT24_MAX, INT24_MAX), turned[1].clip(-INT24_MAX, INT24_MAX)


def _phase_step(
    for_real: Lanes, for_imag: Lanes, real: Lanes, imag: Lanes, sin: Lanes, cos: Lanes, *, threshold: Lanes
) -> tuple[Lanes, ...]:
    x, y = _turned(for_real, for_imag, real, imag, sin, cos)
    fired = (x >= threshold).count() & (y >= 0).count() & (imag < 0).count()
    return fired, x, y


def _izhikevich_step(
    for_real: Lanes, for_imag: Lanes, real: Lanes, imag: Lanes, sin: Lanes, cos: Lanes, *, threshold: Lanes
) -> tuple[Lanes, ...]:
    x, y = _turned(for_real, for_imag, real, imag, sin, cos)
    fired = y >= threshold
    return fired.count(), fired.where(0, x), fired.where(threshold - 1, y)


_phase = Kernel(_phase_step, "real", "imag", currents=2)
_izhikevich = Kernel(_izhikevich_step, "real", "imag", currents=2)


@compiles(Resonator)
def _(neuron: Resonator, bias: NDArray[np.int64]) -> Arranged:
    kernel = _izhikevich if neuron.izhikevich else _phase
    return kernel(sin=neuron.sin_decay, cos=neuron.cos_decay, threshold=neuron.vth << 6)
