"""What every part of a NetGraph shares: value equality over array fields, read-only integer arrays, clear errors."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

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
