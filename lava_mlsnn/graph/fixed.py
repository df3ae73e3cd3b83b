"""Fixed-point arithmetic of Lava's registers: int64 within a step, wrapped where a register wraps."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .spec import INT24_MAX

Ints = NDArray[np.int32]
Wide = NDArray[np.int64]


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


def decay(x: Any, d: int | Wide) -> Wide:
    """Lava's decay of a 12-bit fixed-point register: sign(x) ((abs(x) (4096 - d)) >> 12), rounding toward zero.

    Example:
        >>> decay(np.array([100, -100]), 2048).tolist()
        [50, -50]
    """
    x = np.asarray(x, np.int64)
    return np.sign(x) * ((np.abs(x) * (4096 - d)) >> 12)


def per_channel(values: Any, ndim: int, channel_axis: int) -> Wide:
    """``values`` (one per channel, 1-D, or any array that broadcasts already) shaped to broadcast along an axis.

    Args:
        values: integers; None is zero.
        ndim: dimensions of what they meet.
        channel_axis: negative axis of the channels.

    Example:
        >>> per_channel(np.array([1, 2]), 3, -3).shape
        (2, 1, 1)
    """
    array = np.asarray(0 if values is None else values, np.int64)
    if array.ndim != 1:
        return array
    if not -ndim <= channel_axis < 0:
        raise ValueError(
            f"channel_axis: expected a negative axis of a current with {ndim} dimensions, got {channel_axis}"
        )
    shape = [1] * ndim
    shape[channel_axis] = -1
    return array.reshape(shape)
