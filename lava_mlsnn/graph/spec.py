"""The base of everything that a NetGraph is made of: frozen, checked when it is made, equal by value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np

INT24_MAX = 2**23 - 1
"""Largest value of a signed 24-bit register: membranes and dendritic accumulators of Loihi."""


FEW = 8
"""Numbers of an array that are printed one by one."""


def by(check: Callable[[Any, str], Any]) -> Mapping[str, Any]:
    """Metadata of a dataclass field whose value is what ``check(value, what)`` returns for the one that was given.

    Example:
        >>> from dataclasses import field
        >>> from lava_mlsnn.helpers.check import finite
        >>> @dataclass(frozen=True, eq=False)
        ... class Gain(Spec):
        ...     kind = "gain"
        ...     factor: float = field(metadata=by(finite))
        >>> Gain(np.inf)
        Traceback (most recent call last):
        ValueError: gain factor: expected a finite number, got inf
    """
    return {"check": check}


@dataclass(frozen=True, eq=False)
class Spec:
    """Base of the frozen dataclasses of a NetGraph: two are equal when type, scalars and arrays are equal.

    A field is checked by what its metadata name (:func:`by`); :meth:`validate` checks fields against one another.
    """

    kind: ClassVar[str] = ""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__repr__" not in cls.__dict__:  # dataclass would write one that prints all weights
            cls.__repr__ = Spec.__repr__  # type: ignore[method-assign]

    def __repr__(self) -> str:
        """Fields with arrays of more than a few numbers as their shape and range."""
        return f"{type(self).__name__}({', '.join(f'{f.name}={_brief(getattr(self, f.name))}' for f in fields(self))})"

    def __post_init__(self) -> None:
        for f in fields(self):
            if "check" in f.metadata:
                self._set(f.name, f.metadata["check"](getattr(self, f.name), f"{self.kind} {f.name}".strip()))
        self.validate()

    def validate(self) -> None:
        """ValueError if fields that are right each on its own do not fit together."""

    def _set(self, name: str, value: Any) -> None:
        """Give a field its one canonical form while the object is being made."""
        object.__setattr__(self, name, value)

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return all(same(getattr(self, f.name), getattr(other, f.name)) for f in fields(self))

    def __hash__(self) -> int:
        return hash((type(self).__name__, tuple(f.name for f in fields(self))))


def _brief(value: Any) -> str:
    if not isinstance(value, np.ndarray):
        return repr(value)
    if value.size <= FEW:
        return repr(value.tolist())
    return f"<{value.dtype} {value.shape}, {value.min()} .. {value.max()}>"


def same(a: Any, b: Any) -> bool:
    """Whether two fields hold the same value; arrays are equal when shape and elements are."""
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and np.array_equal(a, b)
    return bool(a == b)
