"""The quantization function of the multi-level neuron for constant inputs, in exact arithmetic ([Castagnetti2025],
Fig. 2)."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from ..helpers.check import integer


def staircase(
    inputs: Iterable[Fraction | int], levels: int, steps: int, threshold: Fraction | int = 1
) -> list[Fraction]:
    r"""Decoded output of the neuron for constant inputs, by the equations, without rounding.

    .. math:: H = V + N x, \quad z = \mathrm{clip}(\lfloor H / V_{th} \rfloor, 0, N), \quad V \leftarrow H - V_{th} z,
        \qquad \hat x = \frac{V_{th}}{N T} \sum_t z(t)

    ([Castagnetti2025], Eq 6 and 7; times :math:`V_{th}`, so that the output is in the unit of the input). It is the
    uniform quantizer :math:`\hat x = \frac{V_{th}}{NT} \mathrm{clip}(\lfloor NT x / V_{th} \rfloor, 0, NT)`, which has
    :math:`NT + 1` levels and saturates at :math:`x = V_{th}`.

    Args:
        inputs: x, exact numbers: integers or fractions.
        levels: N.
        steps: T.
        threshold: Vth > 0.

    Raises:
        ValueError: levels or steps below 1, a threshold that is not above 0, an input that is not exact.

    Example:
        >>> eighths = [Fraction(k, 16) for k in range(-1, 20)]
        >>> found = staircase(eighths, levels=4, steps=2)
        >>> len(set(found)), max(found), found[5], eighths[5]
        (9, Fraction(1, 1), Fraction(1, 4), Fraction(1, 4))
    """
    levels, steps = integer(levels, "levels", 1), integer(steps, "steps", 1)
    vth = _exact(threshold, "threshold")
    if vth <= 0:
        raise ValueError(f"threshold: expected a number > 0, got {threshold}")
    return [_decoded(_exact(x, "input"), levels, steps, vth) for x in inputs]


def _decoded(x: Fraction, levels: int, steps: int, vth: Fraction) -> Fraction:
    charge, threshold = levels * x.numerator * vth.denominator, vth.numerator * x.denominator  # whole numbers, exact
    membrane = spikes = 0
    for _ in range(steps):
        charged = membrane + charge
        z = min(max(charged // threshold, 0), levels)
        membrane = charged - threshold * z
        spikes += z
    return vth * spikes / (levels * steps)


def _exact(value: Fraction | int, what: str) -> Fraction:
    if isinstance(value, bool) or not isinstance(value, int | Fraction):
        raise ValueError(f"{what}: expected an int or a Fraction, got {value!r}")
    return Fraction(value)
