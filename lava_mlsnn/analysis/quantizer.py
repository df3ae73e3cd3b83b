"""The best scalar quantizer for a distribution (Lloyd 1957, Max 1960): the limit of what any neuron can reach."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..helpers.check import integer

BINS = 1024
"""Groups of samples among which the best partition is searched before it is refined on the samples themselves."""


@dataclass(frozen=True, eq=False)
class Quantizer:
    """Thresholds and the values that represent the intervals between them.

    Args:
        thresholds: ascending; a value at or above ``thresholds[i]`` belongs to ``values[i + 1]`` or beyond.
        values: one more than thresholds, ascending.
        sqnr: on the samples it was made for, in dB; infinite if they have no more than that many different values.

    **Shape:** thresholds (K - 1,), values (K,), float64.
    """

    thresholds: NDArray[np.float64]
    values: NDArray[np.float64]
    sqnr: float

    def __call__(self, x: ArrayLike) -> NDArray[np.float64]:
        """``x``, quantized."""
        return self.values[np.searchsorted(self.thresholds, np.asarray(x, np.float64), side="right")]


def lloyd_max(samples: ArrayLike, count: int) -> Quantizer:
    """The quantizer of ``count`` values with the least mean squared error on samples of a distribution.

    The best partition of :data:`BINS` groups of equally many sorted samples, found by dynamic programming, is refined
    on the samples by Lloyd's iteration until nothing moves. With no more than :data:`BINS` different samples it is the
    optimum.

    Args:
        samples: of any shape, finite.
        count: K >= 1; a neuron of N levels over T steps has N T + 1.

    Raises:
        ValueError: samples that are not finite, or none.

    Source:
        S. Lloyd, IEEE Trans. Inf. Theory 28 (1982) 129; J. Max, IRE Trans. Inf. Theory 6 (1960) 7: a Gaussian with 4
        values has SQNR 9.30 dB.

    Example:
        >>> from statistics import NormalDist
        >>> gauss = [NormalDist().inv_cdf((i + 0.5) / 20000) for i in range(20000)]
        >>> best = lloyd_max(gauss, 4)
        >>> [round(v, 2) for v in best.values.tolist()], round(best.sqnr, 1)
        ([-1.51, -0.45, 0.45, 1.51], 9.3)
    """
    count = integer(count, "count", 1)
    x = np.sort(np.asarray(samples, np.float64).ravel())
    if not x.size or not np.isfinite(x).all():
        raise ValueError(f"samples: expected finite numbers, got {x.size} of them, {np.isfinite(x).sum()} finite")
    sums = np.concatenate([[0.0], np.cumsum(x)])
    edges = _refined(x, sums, _partition(x, sums, count))
    means = (sums[edges[1:]] - sums[edges[:-1]]) / np.diff(edges)
    thresholds = (means[1:] + means[:-1]) / 2
    found = Quantizer(thresholds, means, np.inf)
    decoded = found(x)
    return found if np.array_equal(decoded, x) else Quantizer(thresholds, means, decibels(x, decoded))


def decibels(signal: ArrayLike, decoded: ArrayLike) -> float:
    """Signal to quantization noise: 10 log10 of the mean squared signal over the mean squared error.

    >>> round(decibels([1.0, -1.0], [0.9, -0.9]), 6)
    20.0
    """
    s, d = np.asarray(signal, np.float64), np.asarray(decoded, np.float64)
    power, noise = float((s**2).mean()), float(((s - d) ** 2).mean())
    if power == 0:
        raise ValueError("signal: expected a power above 0, got nothing but zeros")
    return float("inf") if noise == 0 else float(10 * np.log10(power / noise))


def _partition(x: NDArray[np.float64], sums: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """Edges (indices into the sorted samples) of the best partition into at most ``count`` runs of bins."""
    fresh = np.flatnonzero(np.diff(x)) + 1  # equal samples stay together
    if len(fresh) >= BINS:
        fresh = fresh[np.unique(np.searchsorted(fresh, np.linspace(0, len(x), BINS + 1)[1:-1]).clip(0, len(fresh) - 1))]
    edges = np.concatenate([[0], fresh, [len(x)]])
    squares = np.concatenate([[0.0], np.cumsum(x**2)])[edges]
    total = sums[edges]
    size = (edges[None, :] - edges[:, None]).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        cost = (squares[None, :] - squares[:, None]) - (total[None, :] - total[:, None]) ** 2 / size
    cost = np.where(size > 0, cost, np.inf)
    runs = min(count, len(edges) - 1)
    best, choices = cost[0], []
    for _ in range(runs - 1):
        options = best[:, None] + cost
        choices.append(options.argmin(0))
        best = options.min(0)
    path = [len(edges) - 1]
    for choice in reversed(choices):
        path.append(int(choice[path[-1]]))
    return edges[np.array([0, *reversed(path)])].astype(np.int64)


def _refined(x: NDArray[np.float64], sums: NDArray[np.float64], edges: NDArray[np.int64]) -> NDArray[np.int64]:
    """Lloyd's iteration: edges halfway between the means of neighbors, until they stay."""
    for _ in range(10_000):
        means = (sums[edges[1:]] - sums[edges[:-1]]) / np.diff(edges)
        moved = np.searchsorted(x, (means[1:] + means[:-1]) / 2, side="left")
        new = np.concatenate([[0], moved, [len(x)]]).astype(np.int64)
        if np.array_equal(new, edges) or (np.diff(new) < 1).any():
            return edges
        edges = new
    return edges
