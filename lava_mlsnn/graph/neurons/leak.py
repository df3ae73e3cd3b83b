"""The leak of a register, finer than the 12 bits of Lava's decay: a mantissa of 24 bits over a power of two."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...helpers.check import IntArray, int_array
from ..fixed import Wide, per_channel
from ..ranges import Floats
from ..spec import INT24_MAX

LEAK_MAX = INT24_MAX
"""Largest mantissa of a leak."""

LEAK_BITS = 30
"""Largest exponent of a leak."""


def as_leak(value: Any, what: str) -> IntArray:
    """Mantissas of a leak, int32 () or (C,)."""
    array = int_array(value, what, (0, 1))
    if array.size == 0 or array.min() < 0 or array.max() > LEAK_MAX:
        raise ValueError(f"{what}: expected integers in 0 .. {LEAK_MAX}, got {array.tolist()}")
    return array


def check_leak(what: str, mantissa: IntArray, bits: int) -> None:
    """ValueError if more would leak than there is."""
    if mantissa.max() > 1 << bits:
        raise ValueError(f"{what}: expected at most 2**{bits}, got {mantissa.max()}")


def leaked(x: Any, mantissa: IntArray, bits: int, channel_axis: int) -> Wide:
    r"""What is left of x after a step: :math:`x - \lfloor x d / 2^{bits} + 1/2 \rfloor`.

    Example:
        >>> leaked(np.array([1000, -1000, 3]), np.array(205), 12, -1).tolist()
        [950, -950, 3]
    """
    x = np.asarray(x, np.int64)
    return x - ((x * per_channel(mantissa, x.ndim, channel_axis) + ((1 << bits) >> 1)) >> bits)


def kept(mantissa: IntArray, bits: int, channels: int) -> Floats:
    """The factor by which a leak multiplies, (C,)."""
    return np.broadcast_to(1 - mantissa / 2.0**bits, (channels,)).astype(np.float64)


def rounded_leak(leak: NDArray[Any] | float) -> tuple[IntArray, int]:
    """The mantissas and exponent nearest to leaks in 0 .. 1.

    The exponent is the largest with which all of them fit 24 bits, or the smallest with which they are exact.

    Example:
        >>> rounded_leak(0.5), rounded_leak(0.1), rounded_leak(np.array([1.0, 0.25]))
        ((array(1, dtype=int32), 1), (array(6710886, dtype=int32), 26), (array([4, 1], dtype=int32), 2))
    """
    exact = np.asarray(leak, np.float64)
    top = LEAK_BITS
    while np.rint(exact.max(initial=0.0) * 2.0**top) > LEAK_MAX:
        top -= 1
    for bits in range(1, top):
        if np.array_equal(np.rint(exact * 2.0**bits), exact * 2.0**bits):
            break
    else:
        bits = top
    return int_array(np.rint(exact * 2.0**bits), "leak"), bits
