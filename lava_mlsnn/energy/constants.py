"""Physical constants of the energy models: named, versioned, in joules and seconds, each with its source.

A constant that nobody has published is None; :func:`Table.value` says so instead of inventing a number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

PICO = 1e-12
NANO = 1e-9


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
        >>> HOROWITZ_INT["add32"]
        1e-13
        >>> HOROWITZ_INT.rows()[0]
        ('horowitz2014-int', '1', 'add8', 3e-14, 'J', 'Horowitz, ISSCC 2014, 45 nm: 8-bit integer add 0.03 pJ')
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


_45NM = "Horowitz, ISSCC 2014, 45 nm: "

HOROWITZ_INT = table(
    "horowitz2014-int",
    "1",
    "J",
    {
        "add8": (0.03 * PICO, _45NM + "8-bit integer add 0.03 pJ"),
        "mul8": (0.2 * PICO, _45NM + "8-bit integer multiply 0.2 pJ"),
        "add32": (0.1 * PICO, _45NM + "32-bit integer add 0.1 pJ"),
        "mul32": (3.1 * PICO, _45NM + "32-bit integer multiply 3.1 pJ"),
    },
)
"""Integer arithmetic, as the Lemaire model uses it."""

HOROWITZ_FP32 = table(
    "horowitz2014-fp32",
    "1",
    "J",
    {
        "add": (0.9 * PICO, _45NM + "32-bit float add 0.9 pJ (paper 004, section 4.2)"),
        "mul": (3.7 * PICO, _45NM + "32-bit float multiply 3.7 pJ"),
        "mac": (4.6 * PICO, _45NM + "multiply 3.7 + add 0.9 pJ (paper 004, section 4.2)"),
    },
)
"""Floating-point arithmetic, as paper 004 uses it."""

SRAM_REGRESSION = Table(
    "sram-regression",
    "1",
    {
        "base": Constant(13.2 * PICO, "J", "least-squares line through the three points of sram-points, 1 kB = 1000 B"),
        "per_bit": Constant(1.09e-5 * PICO, "J/bit", "slope of the same line, as qualia-plugin-snn 2.6.0 rounds it"),
    },
)
"""Energy of one access to a memory of m words of b bits: base + per_bit * m * b."""

SRAM_POINTS = table(
    "sram-points",
    "1",
    "J",
    {
        "8 KiB": (10 * PICO, _45NM + "64-bit access to 8 KB of SRAM 10 pJ"),
        "32 KiB": (20 * PICO, _45NM + "64-bit access to 32 KB of SRAM 20 pJ"),
        "1 MiB": (100 * PICO, _45NM + "64-bit access to 1 MB of SRAM 100 pJ"),
    },
)
"""The published points behind every SRAM model."""
