"""The bootstrap over test images and trainings, against what is known of it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import norm

from lava_mlsnn.papers import hypotheses, paired
from lava_mlsnn.papers.findings import Spread, as_accurate, better, difference

IMAGES = 2000


def trainings(rng: np.random.Generator, accuracy: float, count: int, spread: float = 0.0) -> list[NDArray[np.bool_]]:
    """Independent of each other, their accuracies apart by ``spread``."""
    return [rng.random(IMAGES) < accuracy + spread * (i - (count - 1) / 2) for i in range(count)]


def test_images_and_trainings_both_widen_the_interval() -> None:
    """The variance is that over images, that over trainings, and once more what both hold: it errs on the wide side."""
    rng = np.random.default_rng(0)
    first, second = trainings(rng, 0.9, 3, 0.02), trainings(rng, 0.8, 4, 0.03)
    delta, low, high = paired.interval(first, second, 0.95)
    assert delta == pytest.approx(np.mean(first) - np.mean(second))
    assert low + high == pytest.approx(2 * delta)
    images = (np.mean(first, 0) - np.mean(second, 0)).var() / IMAGES
    seeds = sum(np.mean(side, 1).var(ddof=1) / len(side) for side in (first, second))
    within = sum(np.var(side, 0, ddof=1).mean() / len(side) / IMAGES for side in (first, second))
    expected = norm.ppf(0.975) * np.sqrt(images + seeds + within)
    assert (high - low) / 2 == pytest.approx(expected, rel=0.06)


def test_images_are_the_same_on_both_sides() -> None:
    """Two networks that are wrong on the same images are told apart by far less than two that are not."""
    rng = np.random.default_rng(1)
    right = rng.random(IMAGES) < 0.8
    worse = right & (np.arange(IMAGES) >= 60)
    _, low, high = paired.interval([right, right], [worse, worse], 0.999)
    assert low > 0
    _, unpaired_low, unpaired_high = paired.interval([right, right], [rng.permutation(worse)] * 2, 0.999)
    assert unpaired_low < 0 and unpaired_high - unpaired_low > 2 * (high - low)


def test_it_covers_the_truth() -> None:
    """Of 200 comparisons of networks whose true difference is known, at least 95 % hold it."""
    rng = np.random.default_rng(2)
    held = 0
    for _ in range(200):
        hard = rng.random(IMAGES)  # each image has its own chance, the same for all trainings
        sides = [[rng.random(IMAGES) < hard**power for _ in range(3)] for power in (0.2, 0.25)]
        _, low, high = paired.interval(*sides, 0.95)
        held += low <= 1 / 1.2 - 1 / 1.25 <= high
    assert held >= 0.95 * 200


def test_what_cannot_be_compared_is_said() -> None:
    one = np.ones(10, bool)
    with pytest.raises(ValueError, match=r"two or more trainings a side .* got 1 and 2 on \[10\]"):
        paired.interval([one], [one, one], 0.95)
    with pytest.raises(ValueError, match=r"got 2 and 2 on \[9, 10\]"):
        paired.interval([one, one], [one, one[1:]], 0.95)


def test_verdicts() -> None:
    rng = np.random.default_rng(3)
    hard = rng.random(10_000)

    def network(accuracy: float) -> Spread:
        return Spread.of_right([hard + 0.02 * rng.standard_normal(10_000) < accuracy for _ in range(3)])

    names = ("a", "b")
    good, same, close, far = network(0.9), network(0.9), network(0.89), network(0.85)
    assert as_accurate("c", names, good, same).holds is True
    assert as_accurate("c", names, good, close).holds is None
    assert as_accurate("c", names, good, far).holds is as_accurate("c", names, far, good).holds is False
    assert better("c", names, good, far).holds is True and better("c", names, far, good).holds is False
    assert better("c", names, good, same).holds is None
    single = Spread.of_right(far.right[:1])
    assert as_accurate("c", names, good, single).holds is better("c", names, good, single).holds is None
    assert difference(good, far) == paired.interval(good.right, far.right, hypotheses.CONFIDENCE)
    assert good.values == tuple(right.mean() for right in good.right)
