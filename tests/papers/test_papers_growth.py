"""Verdicts on growth over k, on counts that were made up so that each holds or does not."""

from __future__ import annotations

import pytest

from lava_mlsnn.papers.findings import Spread
from lava_mlsnn.papers.paper000 import levels, sums
from lava_mlsnn.papers.paper000.setting import SEW, SPARSE

KS = (1, 2, 4, 8)


def curves(time: float, level: float) -> levels.Curves:
    """Spikes of two trainings that grow as T and N to these powers."""
    return {
        name: {k: Spread.of([100 * k**power, 110 * k**power]) for k in KS}
        for name, power in ((levels.BINARY, time), (levels.MULTI, level))
    }


@pytest.mark.parametrize(
    ("time", "level", "linear", "slower"),
    [(1.0, 0.2, True, True), (0.75, 0.2, False, True), (1.25, 0.2, False, True), (1.0, 0.9, True, False)],
)
def test_spikes_grow_as_the_paper_says_or_not(time: float, level: float, linear: bool, slower: bool) -> None:
    found = levels._growth(curves(time, level), KS)
    assert [relation.holds for relation in found] == [linear, slower]
    assert all(f"T^{time:.2f}" in relation.numbers for relation in found)


def test_a_silent_network_tells_nothing_of_growth() -> None:
    found = curves(1.0, 0.2)
    found[levels.BINARY][8] = Spread.of([0, 880])
    assert [relation.holds for relation in levels._growth(found, KS)] == [None, None]


@pytest.mark.parametrize(
    ("least", "most", "holds"), [([0.9, 0.92], [0.7, 0.75], True), ([0.9, 0.7], [0.75, 0.6], False)]
)
def test_the_lead_in_spikes_grows_in_every_training(least: list[float], most: list[float], holds: bool) -> None:
    spikes = {("w", SEW, n): Spread.of([100, 200]) for n in KS}
    for n, shares in ((2, least), (8, most)):
        spikes["w", SPARSE, n] = Spread.of([100 * shares[0], 200 * shares[1]])
    assert sums._growing(spikes, "w", KS).holds is holds
    assert sums._growing(spikes, "w", (1, 8)).holds is None
