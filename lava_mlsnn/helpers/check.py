"""Validators of arguments: each returns the accepted value, or raises ``ValueError("what: expected ..., got ...")``.

A bool is never a number, a string never one either, and 3.0 is the integer 3 where 2.5 is none.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Shape = tuple[int, int, int]
"""(C, H, W)."""

IntArray = NDArray[np.int32]


def int_array(value: Any, what: str, ndim: int | tuple[int, ...] | None = None) -> IntArray:
    """A read-only int32 copy of ``value``.

    Raises:
        ValueError: values that are not integers of 32 bits, or another number of dimensions.

    Example:
        >>> int_array([1.0, 2.0], "bias").tolist()
        [1, 2]
    """
    array = _array(value)
    if array is None:
        raise ValueError(f"{what}: expected an array of integers, got {value!r}")
    if array.dtype.kind not in "iuf":
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


def integer(value: Any, what: str, low: int | None = None, high: int | None = None) -> int:
    """``value`` as an int within ``low`` .. ``high``, each of which may be left out.

    Example:
        >>> integer(np.int64(3), "bits", 1, 24)
        3
        >>> integer(True, "batch", 1)
        Traceback (most recent call last):
        ValueError: batch: expected an integer >= 1, got True
    """
    number = _integer(value)
    if number is None or (low is not None and number < low) or (high is not None and number > high):
        accepted = "" if low is None else f" >= {low}" if high is None else f" in {low} .. {high}"
        raise ValueError(f"{what}: expected an integer{accepted}, got {value!r}")
    return number


def positive_ints(value: Any, what: str, length: int | None = None, minimum: int = 1) -> tuple[int, ...]:
    """``value`` as a tuple of ``length`` ints, none below ``minimum``; a single int is repeated.

    Without a length, any number of ints is accepted.

    Example:
        >>> positive_ints(2, "stride", 2), positive_ints([8, 16], "hidden")
        ((2, 2), (8, 16))
    """
    array = _array(value)
    items = [] if array is None else [value] * (length or 1) if array.ndim == 0 else list(value)
    numbers = [number for number in map(_integer, items) if number is not None and number >= minimum]
    if array is None or len(numbers) != len(items) or length not in (None, len(items)):
        expected = "integers" if length is None else "an integer" if length == 1 else f"{length} integers"
        raise ValueError(f"{what}: expected {expected} >= {minimum}, got {value!r}")
    return tuple(numbers)


def flag(value: Any, what: str) -> bool:
    """``value`` as a bool: True, False, 1 or 0, but no word such as "no", which Python takes for true.

    Example:
        >>> flag(np.True_, "signed")
        True
        >>> flag("no", "signed")
        Traceback (most recent call last):
        ValueError: signed: expected True or False, got 'no'
    """
    array = _array(value)
    if array is None or array.ndim or array.dtype.kind not in "biu" or array not in (0, 1):
        raise ValueError(f"{what}: expected True or False, got {value!r}")
    return bool(array)


def finite(
    value: Any,
    what: str,
    positive: bool = False,
    *,
    low: float | None = None,
    high: float | None = None,
    below: float | None = None,
) -> float:
    """``value`` as a finite float.

    Args:
        positive: whether it has to be above 0.
        low, high: the smallest and the largest value that is accepted.
        below: the first value that is not.

    Example:
        >>> finite(np.float32(0.5), "scale", positive=True)
        0.5
        >>> finite(1, "momentum", low=0, below=1)
        Traceback (most recent call last):
        ValueError: momentum: expected a finite number >= 0 and < 1, got 1
    """
    number = _number(value)
    if (
        number is None
        or (positive and number <= 0)
        or (low is not None and number < low)
        or (high is not None and number > high)
        or (below is not None and number >= below)
    ):
        limits = {">": 0 if positive else None, ">=": low, "<=": high, "<": below}
        accepted = " and ".join(f"{sign} {limit}" for sign, limit in limits.items() if limit is not None)
        raise ValueError(f"{what}: expected a finite number{' ' if accepted else ''}{accepted}, got {value!r}")
    return number


def choice(value: Any, what: str, known: Iterable[str]) -> str:
    """``value`` if it is one of the ``known`` names.

    Example:
        >>> choice("average", "pool mode", ("sum", "average", "max"))
        'average'
        >>> choice("median", "pool mode", ("sum", "average", "max"))
        Traceback (most recent call last):
        ValueError: pool mode: expected one of sum, average, max, got 'median'
    """
    names = list(known)
    if not isinstance(value, str) or value not in names:
        raise ValueError(f"{what}: expected one of {', '.join(names)}, got {value!r}")
    return value


def instance(value: Any, kind: type, what: str, how: str = "") -> None:
    """ValueError for what is no ``kind``; ``how`` one comes by one.

    Example:
        >>> instance("digits", dict, "notes", "see the manual")
        Traceback (most recent call last):
        ValueError: notes: expected a dict (see the manual), got str
    """
    if not isinstance(value, kind):
        wanted = f"{kind.__name__} ({how})" if how else kind.__name__
        raise ValueError(f"{what}: expected a {wanted}, got {type(value).__name__}")


def path_name(value: Any) -> str:
    """The name of a path as text.

    Example:
        >>> path_name(5)
        Traceback (most recent call last):
        ValueError: path: expected the name of a file, got 5
    """
    name = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if not isinstance(name, str) or not name or "\0" in name:
        raise ValueError(f"path: expected the name of a file, got {value!r}")
    return name


def texts(value: Any, what: str) -> tuple[str, ...]:
    """``value`` as a tuple of names; one text is none, though Python would take its letters for them.

    Example:
        >>> texts(["cat", 7], "labels")
        ('cat', '7')
        >>> texts("cat", "labels")
        Traceback (most recent call last):
        ValueError: labels: expected a list of names, got 'cat'
    """
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise ValueError(f"{what}: expected a list of names, got {value!r}")
    return tuple(map(str, value))


def _array(value: Any) -> NDArray[Any] | None:
    """``value`` as numpy sees it; None for what is no array, such as a ragged list."""
    try:
        return np.asarray(value)
    except (TypeError, ValueError, RuntimeError):
        return None


def _number(value: Any) -> float | None:
    """``value`` as a finite float; None if it is none."""
    if type(value) is float:
        return value if math.isfinite(value) else None
    array = _array(value)
    if array is None or array.ndim or array.dtype.kind not in "iuf" or not np.isfinite(array):
        return None
    return float(array)


def _integer(value: Any) -> int | None:
    """``value`` as an int; None if it is none."""
    if isinstance(value, int):
        return None if isinstance(value, bool) else value
    number = _number(value)
    return int(np.asarray(value)) if number is not None and number.is_integer() else None
