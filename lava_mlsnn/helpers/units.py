"""Numbers as text, the same in terminal, picture and page."""

from __future__ import annotations

import re
from math import log10

PREFIXES = ((1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"), (1e-12, "p"), (1e-15, "f"))


NONE = "–"
"""Shown in place of a value that does not exist."""


def joules(value: float | None) -> str:
    """An energy with three significant digits.

    Example:
        >>> joules(1.2345e-5), joules(9.996e-7), joules(0.0)
        ('12.3 µJ', '1.00 µJ', '0 J')
    """
    return _with_unit(value, "J")


def from_joules(text: str, what: str, accepted: str = "joules such as 20uJ") -> float:
    """Inverse of :func:`joules`; "u" is also a "µ". ValueError names ``what`` and says what is accepted.

    Example:
        >>> from_joules("12.3 µJ", "energy"), from_joules("2nJ", "energy")
        (1.23e-05, 2e-09)
    """
    match = re.fullmatch(r"\s*(\d+\.?\d*|\.\d+)\s*([munµpf]?)J\s*", text)
    if match is None:
        raise ValueError(f"{what}: expected {accepted}, got {text!r}")
    exponents = {prefix: round(log10(factor)) for factor, prefix in PREFIXES}
    return float(f"{match[1]}e{exponents[match[2].replace('u', 'µ')]}")


def seconds(value: float | None) -> str:
    """A time with three significant digits.

    Example:
        >>> seconds(2.5e-7), seconds(None)
        ('250 ns', '–')
    """
    return _with_unit(value, "s")


def _with_unit(value: float | None, unit: str) -> str:
    if value is None:
        return NONE
    if value == 0:
        return f"0 {unit}"
    factor, prefix = next((p for p in PREFIXES if abs(value / p[0]) >= 0.9995), PREFIXES[-1])
    return f"{significant(value / factor)} {prefix}{unit}"


def significant(value: float) -> str:
    """Three significant digits without an exponent.

    Example:
        >>> significant(1.2345), significant(99.96), significant(123.4), significant(0.97)
        ('1.23', '100', '123', '0.970')
    """
    if value == 0:
        return "0"
    rounded = float(f"{value:.3g}")
    digits = len(str(int(abs(rounded))))
    return f"{rounded:.{max(0, 3 - digits)}f}" if abs(rounded) >= 1 else f"{rounded:#.3g}"


def plain(value: float) -> str:
    """A number of any size: three significant digits, with an exponent below 0.001 and from 100,000 on.

    Example:
        >>> plain(0.25), plain(1.2345e-5), plain(0.0)
        ('0.250', '1.234e-05', '0')
    """
    return significant(value) if 1e-3 <= abs(value) < 1e5 or value == 0 else f"{value:.4g}"


def count(value: float) -> str:
    """A count or the mean of counts: thousands with a comma, one decimal below 1000 unless it is whole.

    Example:
        >>> count(12345.6), count(12.34), count(7.0)
        ('12,346', '12.3', '7')
    """
    if abs(value) >= 1000 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}"


def percent(value: float) -> str:
    """A share.

    Example:
        >>> percent(0.9777), percent(1.0)
        ('97.8 %', '100.0 %')
    """
    return f"{value * 100:.1f} %"


def ratio(value: float | None) -> str:
    """A quotient.

    Example:
        >>> ratio(0.4567), ratio(12.0)
        ('0.457', '12.0')
    """
    return NONE if value is None else significant(value)
