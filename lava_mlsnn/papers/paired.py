"""Two networks on the same test images: the bootstrap over images and trainings."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

DRAWS = 2000
"""Samples of the bootstrap; the standard error that they give is within 3 % (two of its own standard errors)."""

Right = Sequence[NDArray[np.bool_]]


def interval(first: Right, second: Right, confidence: float) -> tuple[float, float, float]:
    """Difference of mean accuracies, and an interval for it.

    In each sample of the bootstrap the test images are drawn again, the same ones for both sides, and so are the
    trainings of each side. Its standard deviation makes a normal interval: tails as thin as the correction for many
    claims asks for could not be read off the samples themselves. As few trainings spread less than they do by the
    factor (n - 1) / n of the variance, their part is made larger by it. What is particular to one training on one image
    is drawn in both ways, so the interval errs on the wide side.

    Args:
        first, second: per training, which of the test images it has right; at least two trainings each.
        confidence: of the interval.

    Returns:
        Difference, lower and upper end, as shares.

    **Shape:** each array bool (images,), in the same order of images.

    Raises:
        ValueError: other numbers of images, or a side with less than two trainings.

    Example:
        >>> right = np.arange(1000) % 10 > 0
        >>> sides = [[right, right], [np.roll(right, 1), right & (np.arange(1000) > 300)]]
        >>> [round(share, 2) for share in interval(*sides, 0.95)]
        [0.14, -0.13, 0.4]
    """
    from scipy.stats import norm

    images = {len(right) for right in (*first, *second)}
    if len(images) != 1 or min(len(first), len(second)) < 2:
        raise ValueError(
            f"paired: expected two or more trainings a side on the same test images, got {len(first)} and "
            f"{len(second)} on {sorted(images)} images"
        )
    samples = _drawn(first, 1) - _drawn(second, 2)
    delta = float(np.mean([right.mean() for right in first]) - np.mean([right.mean() for right in second]))
    half = float(norm.ppf((1 + confidence) / 2) * samples.std())
    return delta, delta - half, delta + half


def _drawn(side: Right, stream: int) -> NDArray[np.float64]:
    """Mean accuracy of a side in each sample."""
    count = len(side)
    shares = _weights(len(side[0])) @ np.stack(side, 1).astype(np.float32)
    means = shares.mean(1, keepdims=True)
    chosen = np.random.default_rng(stream).integers(0, count, (DRAWS, count))
    deviations = np.take_along_axis(shares - means, chosen, 1).mean(1)
    found: NDArray[np.float64] = means[:, 0] + deviations * np.sqrt(count / (count - 1))
    return found


@lru_cache(maxsize=1)
def _weights(images: int) -> NDArray[np.float32]:
    """How often each image is drawn in each sample, as shares: the same for all comparisons."""
    rng = np.random.default_rng(0)
    chosen = np.stack([np.bincount(rng.integers(0, images, images), minlength=images) for _ in range(DRAWS)])
    return (chosen / images).astype(np.float32)
