"""Checks of numbers that a user passes in."""

from __future__ import annotations

import math
from typing import Any


def whole(value: Any, what: str, low: int, high: int | None = None) -> int:
    """``value`` as an int within low .. high, or a ValueError that names it."""
    accepted = f">= {low}" if high is None else f"in {low} .. {high}"
    try:
        good = int(value) == value and low <= value and (high is None or value <= high)
    except (TypeError, ValueError, OverflowError):
        good = False
    if not good:
        raise ValueError(f"{what}: expected an integer {accepted}, got {value!r}")
    return int(value)


def non_negative(value: Any, what: str) -> float:
    """``value`` as a finite float >= 0, or a ValueError that names it."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not (math.isfinite(number) and number >= 0):
        raise ValueError(f"{what}: expected a finite number >= 0, got {value!r}")
    return number
