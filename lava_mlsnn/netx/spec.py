"""What every part of a NetGraph shares: value equality over array fields, read-only integer arrays, clear errors."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

Shape = tuple[int, int, int]
IntArray = NDArray[np.int32]

INT24_MAX = 2**23 - 1
"""Largest value of a signed 24-bit register: membranes and dendritic accumulators of Loihi."""


@dataclass(frozen=True, eq=False)
class Spec:
    """Base of the frozen dataclasses of a NetGraph: two are equal when type, scalars and arrays are equal."""

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return all(same(getattr(self, f.name), getattr(other, f.name)) for f in fields(self))

    def __hash__(self) -> int:
        return hash((type(self).__name__, tuple(f.name for f in fields(self))))


def same(a: Any, b: Any) -> bool:
    """Whether two fields hold the same value; arrays are equal when shape and elements are."""
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and np.array_equal(a, b)
    return bool(a == b)


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
