"""Tables of constants: named, versioned, in joules and seconds, each number with its source.

A constant that nobody has published is None; :meth:`Table.__getitem__` says so instead of inventing a number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

PICO = 1e-12
NANO = 1e-9


class NoFigureError(ValueError):
    """A network holds something for which a model has no figure; the message names it."""


class UnpublishedError(ValueError):
    """A figure was asked for that no public source gives."""


@dataclass(frozen=True)
class Constant:
    """One number: ``value`` in ``unit`` (None: unpublished) and where it comes from."""

    value: float | None
    unit: str
    source: str


@dataclass(frozen=True)
class Table:
    """A named, versioned set of constants.

    Args:
        name: what the table is called in options and reports.
        version: changes whenever a value changes.
        entries: name of the quantity -> constant.

    Example:
        >>> metals = table("melting points", "1", "K", {"lead": (600.6, "a handbook"), "jelly": (None, "-")})
        >>> metals["lead"], metals.rows()[0]
        (600.6, ('melting points', '1', 'lead', 600.6, 'K', 'a handbook'))
    """

    name: str
    version: str
    entries: Mapping[str, Constant]

    def __getitem__(self, key: str) -> float:
        """Value of one constant.

        Raises:
            ValueError: unknown name.
            UnpublishedError: the value is not public.
        """
        if key not in self.entries:
            raise ValueError(f"table {self.name!r} has no constant {key!r}: expected one of {', '.join(self.entries)}")
        constant = self.entries[key]
        if constant.value is None:
            raise UnpublishedError(f"{key!r} of table {self.name!r} has not been published ({constant.source})")
        return constant.value

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def rows(self) -> list[tuple[str, str, str, float | None, str, str]]:
        """Rows (table, version, name, value, unit, source) for a report."""
        return [(self.name, self.version, key, c.value, c.unit, c.source) for key, c in self.entries.items()]


def table(name: str, version: str, unit: str, values: Mapping[str, tuple[float | None, str]]) -> Table:
    """A table whose constants share one unit: ``values`` maps a name to (value, source)."""
    return Table(name, version, {key: Constant(value, unit, source) for key, (value, source) in values.items()})
