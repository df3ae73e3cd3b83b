r"""Energy of one SRAM access, read or write, to a memory of m words of b bits.

=============  =================================================================================================
model          energy of an access
=============  =================================================================================================
regression     :math:`13.2 + 1.09 \cdot 10^{-5}\, m\, b` pJ: least-squares line through (8 kB, 10 pJ),
               (32 kB, 20 pJ), (1 MB, 100 pJ). The default; what the tables of [Castagnetti2025] use.
piecewise      linear between (0, 0), (8 KiB, 10 pJ), (32 KiB, 20 pJ), (1 MiB, 100 pJ), 100 pJ beyond: the "linear
               interpolation" that Lemaire et al. 2023 write, in the form of spikingjelly 2.0.
bus            :math:`10 / \lfloor 64 / b \rfloor` pJ, whatever m: 8 KiB banks behind a 64-bit bus that carries
               several words at once.
=============  =================================================================================================

Warning:
    ``regression`` and ``piecewise`` charge one access per word whatever b is (no packing of words into one access);
    the line has no floor and no cap and gives 13.9, 16.0 and 100.4 pJ at its own three points.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from .constants import SRAM_POINTS, SRAM_REGRESSION

KIB = 1024.0
BUS_BITS = 64

_KNOTS = (
    (0.0, 0.0),
    (8 * KIB, SRAM_POINTS["8 KiB"]),
    (32 * KIB, SRAM_POINTS["32 KiB"]),
    (1024 * KIB, SRAM_POINTS["1 MiB"]),
)


def regression(words: float, bits: int) -> float:
    """Joules of one access by the regression line.

    Example:
        >>> round(regression(1000, 16) * 1e12, 4)
        13.3744
    """
    return SRAM_REGRESSION["base"] + SRAM_REGRESSION["per_bit"] * words * bits


def piecewise(words: float, bits: int) -> float:
    """Joules of one access by interpolation between the published points.

    Example:
        >>> round(piecewise(16 * 1024, 16) * 1e12, 4)  # 32 KiB
        20.0
    """
    size = words * bits / 8
    for (x0, y0), (x1, y1) in pairwise(_KNOTS):
        if size <= x1:
            return y0 + (y1 - y0) / (x1 - x0) * (size - x0)
    return _KNOTS[-1][1]


def bus(words: float, bits: int) -> float:
    """Joules of one word's share of a 64-bit access to an 8 KiB bank.

    Example:
        >>> round(bus(10**6, 16) * 1e12, 4)
        2.5
    """
    return SRAM_POINTS["8 KiB"] / (BUS_BITS // bits)


MODELS: dict[str, Callable[[float, int], float]] = {"regression": regression, "piecewise": piecewise, "bus": bus}


def access(words: float, bits: int, model: str = "regression") -> float:
    """Joules of one access to a memory of ``words`` words of ``bits`` bits.

    Raises:
        ValueError: unknown model, a width outside 1 .. 64, a negative size.
    """
    if model not in MODELS:
        raise ValueError(f"sram: expected one of {', '.join(MODELS)}, got {model!r}")
    if not 1 <= bits <= BUS_BITS:
        raise ValueError(f"sram bits: expected 1 .. {BUS_BITS}, got {bits}")
    if words < 0:
        raise ValueError(f"sram words: expected >= 0, got {words}")
    return MODELS[model](words, bits)
