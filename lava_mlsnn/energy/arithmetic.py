"""Energy of an integer addition and multiplication for words of b bits, from Horowitz' 8-bit and 32-bit figures.

============  ==========================================================================================
rule          value at b bits
============  ==========================================================================================
width         8-bit figures at b = 8, 32-bit figures at every other b (the default)
iconip        32-bit figures always (Lemaire et al., ICONIP 2022)
saturation    8-bit figures up to 8 bits, 32-bit figures up to 32 bits, undefined beyond
linear        straight line through b = 8 and b = 32; positive from 7 bits on
quadratic     parabola through 0 at b = 0, b = 8 and b = 32
============  ==========================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .constants import HOROWITZ_INT

RULES = ("width", "iconip", "saturation", "linear", "quadratic")


@dataclass(frozen=True)
class Operations:
    """Joules of an addition (= one accumulation, ACC) and of a multiplication; a MAC is both."""

    add: float
    mul: float

    @property
    def mac(self) -> float:
        """Joules of a multiply-accumulate."""
        return self.mul + self.add


def operations(bits: int, rule: str = "width") -> Operations:
    """Energies for words of ``bits`` bits.

    Raises:
        ValueError: unknown rule, or a width for which the rule has no (positive) value.

    Example:
        >>> operations(16).mac == operations(32).mac
        True
        >>> round(operations(16, "linear").mul * 1e12, 5)
        1.16667
    """
    if rule not in RULES:
        raise ValueError(f"ops: expected one of {', '.join(RULES)}, got {rule!r}")
    if rule == "saturation" and bits > 32:
        raise ValueError(f"ops='saturation' is defined up to 32 bits, got bits={bits}")
    eight = Operations(HOROWITZ_INT["add8"], HOROWITZ_INT["mul8"])
    full = Operations(HOROWITZ_INT["add32"], HOROWITZ_INT["mul32"])
    if rule == "linear":
        result = Operations(_line(bits, eight.add, full.add), _line(bits, eight.mul, full.mul))
    elif rule == "quadratic":
        result = Operations(_parabola(bits, eight.add, full.add), _parabola(bits, eight.mul, full.mul))
    else:
        narrow = {"width": bits == 8, "iconip": False, "saturation": bits <= 8}[rule]
        return eight if narrow else full
    if min(result.add, result.mul) <= 0:
        raise ValueError(f"ops={rule!r} gives no positive energy at bits={bits}: use another rule or width")
    return result


def _line(bits: int, at8: float, at32: float) -> float:
    return at8 + (at32 - at8) * (bits - 8) / (32 - 8)


def _parabola(bits: int, at8: float, at32: float) -> float:
    """a b^2 + c b through (8, at8), (32, at32); coefficients in float32, as qualia-plugin-snn solves for them.

    Elimination by hand (row 8 minus row 32 / 16): each step rounds once, so the result is the same on every machine.
    """
    low, high = np.float32(at8), np.float32(at32)
    c = (low - high / np.float32(16)) / np.float32(6)
    a = (high - np.float32(32) * c) / np.float32(1024)
    return float(a) * bits**2 + float(c) * bits
