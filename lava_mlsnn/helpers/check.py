"""Checks of what a user passes in: each returns the value it accepts, or raises a ValueError that names it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Shape = tuple[int, int, int]
"""(C, H, W)."""

IntArray = NDArray[np.int32]


def int_array(value: Any, what: str, ndim: int | tuple[int, ...] | None = None) -> IntArray:
    """A read-only int32 copy of ``value``.

    Raises:
        ValueError: if a value is not an integer, does not fit 32 bits, or the number of dimensions is another.

    Example:
        >>> int_array([1.0, 2.0], "bias").tolist()
        [1, 2]
    """
    array = np.asarray(value)
    if array.dtype.kind not in "iufb":
        raise ValueError(f"{what}: expected integers, got dtype {array.dtype}")
    if array.dtype.kind == "f" and not np.all(np.isfinite(array)):
        raise ValueError(f"{what}: expected integers, found a value that is not finite")
    if array.dtype.kind == "f" and not np.array_equal(array, np.trunc(array)):
        wrong = array[array != np.trunc(array)].flat[0]
        raise ValueError(f"{what}: expected integers, found {wrong}")
    limits = np.iinfo(np.int32)
    if array.size and (array.max() > limits.max or array.min() < limits.min):
        raise ValueError(f"{what}: expected 32-bit integers, found {array.min()} .. {array.max()}")
    allowed = (ndim,) if isinstance(ndim, int) else ndim
    if allowed is not None and array.ndim not in allowed:
        raise ValueError(f"{what}: expected {' or '.join(map(str, allowed))} dimensions, got shape {array.shape}")
    out = array.astype(np.int32)
    out.flags.writeable = False
    return out


def integer(value: Any, what: str, low: int, high: int) -> int:
    """``value`` as an int within ``low`` .. ``high``.

    Example:
        >>> integer(np.int64(3), "bits", 1, 24)
        3
    """
    number = np.asarray(value)
    if number.ndim or number.dtype.kind not in "iuf" or not low <= number <= high or int(number) != number:
        raise ValueError(f"{what}: expected an integer in {low} .. {high}, got {value!r}")
    return int(number)


def flag(value: Any, what: str) -> bool:
    """``value`` as a bool; 0 and 1 are taken, words such as "no", which Python holds for true, are not.

    Example:
        >>> flag(np.True_, "signed")
        True
        >>> flag("no", "signed")
        Traceback (most recent call last):
        ValueError: signed: expected True or False, got 'no'
    """
    number = np.asarray(value)
    if number.ndim or number.dtype.kind not in "biu" or number not in (0, 1):
        raise ValueError(f"{what}: expected True or False, got {value!r}")
    return bool(number)


def finite(value: Any, what: str, positive: bool = False) -> float:
    """``value`` as a finite float, above zero if ``positive``.

    Example:
        >>> finite(np.float32(0.5), "scale", positive=True)
        0.5
    """
    number = np.asarray(value)
    if number.ndim or number.dtype.kind not in "iuf" or not np.isfinite(number) or (positive and number <= 0):
        raise ValueError(f"{what}: expected a finite number{' > 0' if positive else ''}, got {value!r}")
    return float(number)


def positive_ints(value: Any, what: str, length: int, minimum: int = 1) -> tuple[int, ...]:
    """``value`` as a tuple of ``length`` ints, none below ``minimum``; one int is repeated.

    Example:
        >>> positive_ints(2, "stride", 2)
        (2, 2)
    """
    if np.ndim(value) == 0:
        items: list[Any] = [value] * length
    else:
        items = list(value)
    if len(items) != length or not all(_is_integer(i) and i >= minimum for i in items):
        expected = "an integer" if length == 1 else f"{length} integers"
        raise ValueError(f"{what}: expected {expected} >= {minimum}, got {value!r}")
    return tuple(int(i) for i in items)


def _is_integer(value: Any) -> bool:
    number = np.asarray(value)
    return number.ndim == 0 and number.dtype.kind in "iuf" and bool(np.isfinite(number)) and int(number) == number
