from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lava_mlsnn.analysis import lloyd_max, sqnr, staircase, transfer
from lava_mlsnn.analysis.noise import gaussian
from lava_mlsnn.analysis.quantizer import decibels
from lava_mlsnn.neuron import Barrier, MultiLevel, functional

GRID = 4  # inputs per level


@pytest.mark.parametrize("levels", range(1, 11))
@pytest.mark.parametrize("steps", range(1, 11))
def test_fig2_exactly(levels, steps):
    """N T + 1 levels, in exact arithmetic and by the neuron on whole numbers; saturation at Vth, nothing below 0."""
    count = levels * steps
    ticks = range(-2 * GRID, (count + 3) * GRID + 1)  # x = k / (GRID N T)
    exact = staircase([Fraction(k, GRID * count) for k in ticks], levels, steps)
    assert exact == [Fraction(min(max(k // GRID, 0), count), count) for k in ticks]
    assert len(set(exact)) == count + 1
    assert exact[ticks.index(GRID * count)] == 1 == max(exact)  # at x = Vth
    assert exact[ticks.index(GRID * count - 1)] == Fraction(count - 1, count)  # not before
    charge = torch.tensor([float(k) for k in ticks], dtype=torch.float64)  # N x in units of Vth / (GRID T)
    z, _ = functional.fire(charge[:, None].expand(-1, steps), None, float(GRID * steps), levels)
    assert [Fraction(int(n), count) for n in z.sum(-1)] == exact


@given(
    st.integers(1, 12),
    st.integers(1, 12),
    st.fractions(-2, 3, max_denominator=500),
    st.fractions(Fraction(1, 50), 5, max_denominator=50),
)
def test_staircase_is_the_uniform_quantizer(levels, steps, x, threshold):
    (got,) = staircase([x], levels, steps, threshold)
    n = levels * steps
    assert got == threshold / n * min(max(n * x / threshold // 1, 0), n)


@pytest.mark.parametrize("bad", [0.5, True, None])
def test_staircase_wants_exact_numbers(bad):
    with pytest.raises(ValueError, match="expected an int or a Fraction"):
        staircase([bad], 4, 1)
    with pytest.raises(ValueError, match="threshold: expected a number > 0, got 0"):
        staircase([1], 4, 1, 0)


def test_paper_003_convention():
    """Reference, section 4: 0.4 dB at Vth = 1, 11.1 dB at 0.173, 11.3 dB at Vth = 1 and T = 20; else at most 2.8."""
    i = gaussian(0.1, 20_000)
    assert sqnr(MultiLevel(1), i).decibels == pytest.approx(0.4, abs=0.06)
    assert sqnr(MultiLevel(1, 0.173), i).decibels == pytest.approx(11.1, abs=0.06)
    assert sqnr(MultiLevel(1), i, steps=20).decibels == pytest.approx(11.3, abs=0.06)
    thresholds = np.geomspace(0.02, 2, 60)
    best = max(thresholds, key=lambda v: sqnr(MultiLevel(1, v), i).decibels)
    assert 0.1 < best < 0.2
    for how in ({"signal": "input"}, {"decode": "rate"}):
        assert max(sqnr(MultiLevel(1, v), i, **how).decibels for v in thresholds) < 2.85


def test_levels_and_steps_say_the_same_of_a_constant():
    i = gaussian(0.5, 501)
    for levels, steps in ((2, 4), (4, 2), (8, 1)):
        assert sqnr(MultiLevel(levels), i, steps=steps).decibels == pytest.approx(
            sqnr(MultiLevel(1), i, steps=8).decibels
        )


@given(
    st.lists(st.floats(-3, 3, allow_subnormal=False), min_size=3, max_size=60).filter(lambda v: max(v) > 0.01),
    st.integers(1, 4),
    st.integers(1, 4),
    st.floats(0.05, 3),
)
def test_no_neuron_beats_lloyd_max(values, levels, steps, threshold):
    found = sqnr(MultiLevel(levels, threshold), values, steps=steps)
    assert found.decibels <= found.limit + 1e-9
    assert found.values == levels * steps + 1 >= len(np.unique(found.decoded))


def test_kinds_of_neurons_agree():
    i = gaussian(0.4, 301)
    module = sqnr(MultiLevel(4, 0.7), i, steps=2)
    as_function = sqnr(
        lambda x: functional.multilevel(x, None, 0.7, 4), i, steps=2, levels=4, threshold=0.7, full_scale=4
    )
    scaled = sqnr(lambda x: 0.7 * MultiLevel(4, 0.7)(x), i, steps=2, levels=4, threshold=0.7, full_scale=0.7)
    own = sqnr(MultiLevel(4, 0.7), i, steps=2, decode=lambda s: 0.7 * s.mean(1))
    trained = sqnr(MultiLevel(4, 0.7, trainable=True).double(), i, steps=2)
    for other in (as_function, scaled, own):
        assert other.decibels == pytest.approx(module.decibels)
    assert trained.decibels == pytest.approx(module.decibels, abs=0.2)  # Vth is a float32 parameter
    assert (module.decode, own.decode, module.threshold, own.threshold) == ("rate_vth", "custom", 0.7, None)


def test_transfer_of_a_barrier_is_its_input():
    x = np.arange(9) / 8
    assert transfer(Barrier(8), x, steps=1)[:, 0] == pytest.approx(x)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"signal": "sine"}, "signal: expected one of relu, input or a function, got 'sine'"),
        ({"decode": "count"}, "decode: expected one of rate_vth, rate or a function, got 'count'"),
        ({"steps": 0}, "steps"),
        ({"neuron": lambda x: x}, "threshold: function has no attribute threshold: expected a number"),
        ({"neuron": lambda x: x[..., :1], "decode": "rate"}, r"neuron: expected spikes of shape \(3, 1, 4\)"),
        ({"inputs": [-1.0, -2.0]}, "signal: expected a power above 0"),
        ({"inputs": [float("nan")]}, "inputs: expected finite numbers"),
        ({"decode": lambda s: s}, "decode: expected one number for each of 3 inputs"),
    ],
)
def test_refusals(changes, message):
    with pytest.raises(ValueError, match=message):
        sqnr(**{"neuron": MultiLevel(1), "inputs": [0.1, 0.5, -1.0], **changes})


def test_lloyd_max_known_optima():
    """J. Max, Table I: 3.36.. is 1 bit of a Gaussian = 4.40 dB; 2 bits 9.30; 3 bits 14.62; uniform: 6.02 dB a bit."""
    gauss = gaussian(1.0, 200_001)
    for count, db in ((2, 4.40), (4, 9.30), (8, 14.62)):
        assert lloyd_max(gauss, count).sqnr == pytest.approx(db, abs=0.01)
    uniform = (np.arange(40_000) + 0.5) / 20_000 - 1
    assert lloyd_max(uniform, 8).sqnr == pytest.approx(20 * np.log10(8), abs=0.01)


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=7), st.integers(1, 4))
def test_lloyd_max_against_all_partitions(samples, count):
    from itertools import combinations

    x = np.sort(np.array(samples, float))
    found = lloyd_max(x, count)
    best = min(
        sum(((part - part.mean()) ** 2).sum() for part in np.split(x, cuts) if len(part))
        for k in range(min(count, len(x)))
        for cuts in combinations(range(1, len(x)), k)
    )
    assert ((found(x) - x) ** 2).sum() == pytest.approx(best, abs=1e-9)


def test_lloyd_max_refuses():
    with pytest.raises(ValueError, match="samples: expected finite numbers, got 2 of them, 1 finite"):
        lloyd_max([1.0, float("inf")], 2)
    with pytest.raises(ValueError, match="count"):
        lloyd_max([1.0], 0)
    assert decibels([1.0], [1.0]) == float("inf")
