"""Interval arithmetic per channel: what a number of a network can be, never narrower than what it is.

Intervals of spikes contain zero, because a neuron may be silent and padding is. They are float64, exact below 2**53.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .spec import INT24_MAX

Floats = NDArray[np.float64]

UNBOUNDED = 2.0**200
"""Stands for infinity; finite, so that zero times it is zero."""


class Range(NamedTuple):
    """Smallest and largest value of each channel, float64 (C,)."""

    low: Floats
    high: Floats

    @property
    def magnitude(self) -> Floats:
        """Largest absolute value of each channel."""
        return np.maximum(-self.low, self.high)

    def scale(self, factor: float | Floats) -> Range:
        """The range times ``factor`` >= 0, one number or one per channel."""
        return clip(self.low * factor, self.high * factor)

    def with_zero(self) -> Range:
        """The range, widened to hold zero: of spikes, or of a state that starts at zero."""
        return clip(np.minimum(self.low, 0.0), np.maximum(self.high, 0.0))


class Inflow(NamedTuple):
    """What drives a population in one sample.

    Attributes:
        accumulated: sum of all synapses' currents in one step.
        current: the same with the bias.
        bias: the bias alone.
        total: sum of all synapses' currents up to any step.
        steps: T.
    """

    accumulated: Range
    current: Range
    bias: Range
    total: Range
    steps: int


class Outflow(NamedTuple):
    """What a population does with it.

    Attributes:
        membrane: the register that must not overflow.
        message: one spike.
        total: sum of one neuron's spikes up to any step; None: T times a spike.
    """

    membrane: Range
    message: Range
    total: Range | None = None


def clip(low: Floats, high: Floats) -> Range:
    """A range whose ends are finite."""
    return Range(np.maximum(low, -UNBOUNDED), np.minimum(high, UNBOUNDED))


def add(ranges: Iterable[Range]) -> Range:
    """Sum of ranges."""
    ranges = tuple(ranges)
    return clip(np.sum([r.low for r in ranges], axis=0), np.sum([r.high for r in ranges], axis=0))


def hull(ranges: Iterable[Range]) -> Range:
    """What any of them contains."""
    ranges = tuple(ranges)
    return Range(np.min([r.low for r in ranges], axis=0), np.max([r.high for r in ranges], axis=0))


def linear(positive: Floats, negative: Floats, spikes: Range) -> Range:
    """Range of sums of weights times spikes: positive weights meet the largest spikes, negative ones the smallest.

    Args:
        positive, negative: sums of the positive and of the negative weights, (O, C).
        spikes: of the C input channels.
    """
    return clip(positive @ spikes.low + negative @ spikes.high, positive @ spikes.high + negative @ spikes.low)


def geometric(ratio: float | Floats, steps: int) -> Floats:
    """1 + ratio + ... + ratio**(steps - 1).

    Example:
        >>> geometric(np.array([0.5, 1.0]), 3).tolist()
        [1.75, 3.0]
    """
    below = np.where(np.equal(ratio, 1), 0.0, ratio)
    return np.where(np.equal(ratio, 1), float(steps), (1 - below**steps) / (1 - below))


def wide(values: Range, what: str) -> Iterator[tuple[int, str]]:
    """(channel, what is wrong) for the worst value of a signed 24-bit register, if any exceeds it."""
    size = values.magnitude
    if size.max() > INT24_MAX:
        channel = int(size.argmax())
        low, high = values.low[channel], values.high[channel]
        worst = high if high >= -low else low
        reach = f"can reach {worst:.0f}" if abs(worst) < UNBOUNDED else "has no bound"
        yield channel, f"{what} {reach}, 24 bits hold +-{INT24_MAX}"
