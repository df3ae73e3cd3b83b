"""What an item of a paper comes to here: a table beside the paper's, relations that hold or do not, a picture."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isnan
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..helpers.units import NONE, significant
from . import hypotheses, paired

if TYPE_CHECKING:
    import pandas as pd


VERDICTS = {True: "holds", False: "**does not hold**", None: "cannot tell"}
"""Whether a claim holds, in words."""


@dataclass(frozen=True)
class Relation:
    """Something that the paper says, checked on our numbers.

    Args:
        claim: in words, with its place in the paper.
        holds: whether it does; None where our data cannot tell.
        numbers: what it was decided on.
    """

    claim: str
    holds: bool | None
    numbers: str

    @property
    def verdict(self) -> str:
        """One or two words."""
        return VERDICTS[self.holds]


@dataclass(frozen=True, eq=False)
class Findings:
    """An item reproduced.

    Args:
        title: names the data set, or says that none is needed.
        rows: every number, as it is written to the CSV.
        draw: draws it on a matplotlib figure of ``size`` inches.
        tables: caption -> table, for the text; numbers already rounded.
        relations: of the paper, checked.
        notes: paragraphs: what was done, with what deviations.
    """

    title: str
    rows: pd.DataFrame
    draw: Callable[[Any], None]
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    relations: Sequence[Relation] = ()
    notes: Sequence[str] = ()
    size: tuple[float, float] = (7.0, 4.2)


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation (n - 1) over seeds.

    Args:
        values: one per seed.
        right: of accuracies, which test images each training has right, if that is known.

    Example:
        >>> s = Spread.of([0.98, 0.99, 1.0])
        >>> s.percent(), Spread.of([0.5]).percent()
        ('99.0 ± 1.0 %', '50.0 %')
    """

    values: tuple[float, ...]
    right: tuple[NDArray[np.bool_], ...] = field(default=(), compare=False, repr=False)

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """From numbers, one per seed; ValueError if there are none."""
        found = cls(tuple(float(v) for v in values))
        if not found.values:
            raise ValueError("spread: expected at least one value, got none")
        return found

    @classmethod
    def of_right(cls, right: Iterable[NDArray[np.bool_]]) -> Spread:
        """Accuracies, from which test images each training has right."""
        right = tuple(right)
        return replace(cls.of(images.mean() for images in right), right=right)

    @property
    def mean(self) -> float:
        """Mean."""
        return float(np.mean(self.values))

    @property
    def std(self) -> float:
        """Standard deviation; NaN for a single value."""
        return float(np.std(self.values, ddof=1)) if len(self.values) > 1 else float("nan")

    def percent(self) -> str:
        """As a share."""
        return self._with(lambda value: f"{value * 100:.1f}", " %")

    def number(self, scale: float = 1.0, unit: str = "") -> str:
        """With three significant digits, divided by ``scale``; a dash if it does not exist."""
        if isnan(self.mean):
            return NONE
        return self._with(lambda value: significant(value / scale), f" {unit}".rstrip())

    def _with(self, text: Callable[[float], str], unit: str) -> str:
        spread = "" if isnan(self.std) else f" ± {text(self.std)}"
        return f"{text(self.mean)}{spread}{unit}"


def quotient(a: float, b: float) -> float:
    """a / b; NaN for b = 0, as of a network that sends no spikes.

    >>> quotient(1, 2), quotient(1, 0)
    (0.5, nan)
    """
    return a / b if b else float("nan")


def difference(first: Spread, second: Spread, confidence: float = hypotheses.CONFIDENCE) -> tuple[float, float, float]:
    """Difference of means, and an interval for it; the interval is NaN with fewer than two seeds each.

    Where it is known which test images are right, that of :func:`lava_mlsnn.papers.paired.interval`, else Welch's.

    Example:
        >>> [round(v, 3) for v in difference(Spread.of([1.0, 1.2, 1.1]), Spread.of([1.1, 1.0, 1.2]), 0.95)]
        [0.0, -0.227, 0.227]
    """
    delta = first.mean - second.mean
    if min(len(first.values), len(second.values)) < 2:
        return delta, float("nan"), float("nan")
    if first.right and second.right:
        return paired.interval(first.right, second.right, confidence)
    parts = [s.std**2 / len(s.values) for s in (first, second)]
    if sum(parts) == 0:
        return delta, delta, delta
    from scipy.stats import t

    freedom = sum(parts) ** 2 / sum(p**2 / (len(s.values) - 1) for p, s in zip(parts, (first, second), strict=True))
    half = float(t.ppf((1 + confidence) / 2, freedom)) * sum(parts) ** 0.5
    return delta, delta - half, delta + half


def as_accurate(claim: str, names: tuple[str, str], first: Spread, second: Spread) -> Relation:
    """That two accuracies are the same to :data:`~lava_mlsnn.papers.hypotheses.SAME`.

    It holds if the interval of the difference lies within, not if it lies outside; else it cannot be told.
    """
    return compared(
        f"{claim}, within {hypotheses.SAME * 100:g} point", _percents(names, first, second), first, second, _same
    )


def better(claim: str, names: tuple[str, str], first: Spread, second: Spread) -> Relation:
    """That the first accuracy is the larger one: the interval says so, says the contrary, or cannot tell.

    Example:
        >>> better("a beats b", ("a", "b"), Spread.of([0.9, 0.91, 0.92]), Spread.of([0.5, 0.51, 0.52])).verdict
        'holds'
        >>> better("a beats b", ("a", "b"), Spread.of([0.8, 0.9]), Spread.of([0.81, 0.91])).verdict
        'cannot tell'
    """
    return compared(claim, _percents(names, first, second), first, second)


def _same(low: float, high: float) -> bool | None:
    margin = hypotheses.SAME
    return True if -margin <= low and high <= margin else False if high < -margin or low > margin else None


def _positive(low: float, high: float) -> bool | None:
    return True if low > 0 else False if high < 0 else None


def _percents(names: tuple[str, str], first: Spread, second: Spread) -> str:
    return f"{names[0]} {first.percent()}, {names[1]} {second.percent()}"


def compared(
    claim: str,
    numbers: str,
    first: Spread,
    second: Spread,
    verdict: Callable[[float, float], bool | None] = _positive,
    *,
    points: bool = True,
) -> Relation:
    """A claim about the difference of two means, decided on its interval.

    Args:
        claim, numbers: of the relation; the difference is added to the numbers.
        first, second: values over seeds; one seed decides nothing.
        verdict: of the interval's ends; by default whether the difference is above 0, None if the interval contains 0.
        points: whether the values are shares, whose difference is given in points.
    """
    delta, low, high = difference(first, second)
    scale, digits, unit = (100, 2, " points") if points else (1, 3, "")
    numbers += f"; difference {delta * scale:+.{digits}f}{unit}"
    if isnan(low):
        return Relation(claim, None, f"{numbers} (one seed)")
    interval = f"interval {low * scale:+.{digits}f} to {high * scale:+.{digits}f}"
    return Relation(claim, verdict(low, high), f"{numbers}, {interval}")


def all_hold(claim: str, steps: Sequence[Relation]) -> Relation:
    """That every step holds: not if one does not, undecided if one is."""
    verdicts = [step.holds for step in steps]
    holds = False if False in verdicts else None if None in verdicts else True
    return Relation(claim, holds, "; ".join(step.numbers for step in steps))


def markdown(table: pd.DataFrame) -> str:
    """A table in Markdown.

    Example:
        >>> import pandas as pd
        >>> print(markdown(pd.DataFrame({"a": [1, 2], "b": ["x", None]})))
        | a | b |
        |---|---|
        | 1 | x |
        | 2 | – |
    """
    lines = ["| " + " | ".join(map(str, table.columns)) + " |", "|" + "---|" * len(table.columns)]
    lines += ["| " + " | ".join(map(_cell, row)) + " |" for row in table.itertuples(index=False)]
    return "\n".join(lines)


def _cell(value: Any) -> str:
    return NONE if value is None or (isinstance(value, float) and isnan(value)) else str(value).replace("|", "\\|")
