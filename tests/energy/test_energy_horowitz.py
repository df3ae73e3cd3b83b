"""Paper 004: Eq 13, Eq 14 and Table 2."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lava_mlsnn.energy import horowitz

# computed column of the reference, section 6, in joules
TABLE2 = (12.57e-3, 1.359e-3, 1.381e-3, 168.3e-6, 355.3e-6, 128.6e-6, 95.5e-6)


def test_table2_in_all_seven_rows():
    rows = horowitz.table2()
    assert len(rows) == 7
    for row, joules in zip(rows, TABLE2, strict=True):
        assert row.recomputed == pytest.approx(joules, rel=6e-4), row.network
        assert row.as_printed / row.recomputed == pytest.approx(1000, rel=8e-3), row.network


def test_table2_with_each_addition_charged_once():
    corrected = [row.corrected for row in horowitz.table2()]
    assert corrected[:3] == pytest.approx([10.51e-3, 1.136e-3, 1.155e-3], rel=6e-4)
    assert corrected[3:] == [row.recomputed for row in horowitz.table2()[3:]]


def test_double_count_is_the_tables_rule():
    once = horowitz.layer("dense", 1000, 247)
    twice = horowitz.layer("dense", 1000, 247, double_count=True)
    row = horowitz.table2()[1]
    assert once.total * 1000 == pytest.approx(row.corrected)
    assert twice.total * 1000 == pytest.approx(row.recomputed)
    assert twice.total / once.total == pytest.approx(5.5 / 4.6)


def test_claimed_gains():
    """Text: 11x and 102x with 123 mJ; 10.6x and 97.7x with the table's own counts."""
    rows = horowitz.table2()
    own = rows[5].recomputed
    assert rows[1].recomputed / own == pytest.approx(10.6, abs=0.05)
    assert rows[0].recomputed / own == pytest.approx(97.7, abs=0.1)


@pytest.mark.parametrize(
    ("kind", "a", "b", "kernel", "groups", "ops"),
    [
        ("conv", (3, 32, 32), (64, 16, 16), (3, 3), 1, 3 * 9 * 64 * 256),
        ("conv", (8, 4, 4), (8, 4, 4), (5, 3), 8, 15 * 8 * 16),
        ("dense", 100, 10, 1, 1, 1000),
        ("lstm", 24, 16, 1, 1, 4 * 40 * 16),
        ("pool", (8, 4, 4), (8, 2, 2), 2, 1, 0),
        ("barrier", (8, 4, 4), (8, 4, 4), 1, 1, 0),
    ],
)
def test_operations_of_eq_14(kind, a, b, kernel, groups, ops):
    assert horowitz.operations(kind, a, b, kernel, groups) == ops
    assert horowitz.layer(kind, a, b, kernel, groups).total == pytest.approx(ops * 4.6e-12)


def test_additions_of_an_snn():
    """s T #OP with s = 0.54 of paper 004: 133M additions of 247M operations."""
    ops = horowitz.operations("dense", 1000, 247_000)
    got = horowitz.layer("dense", 1000, 247_000, events_in=540)
    assert got.additions == pytest.approx(0.54 * ops)
    assert got.macs == 0
    assert got.total == pytest.approx(got.additions * 0.9e-12)


def test_first_layer_multiplies_in_every_step():
    got = horowitz.layer("conv", (3, 8, 8), (4, 8, 8), events_in=100, steps=5, analog_input=True)
    assert (got.additions, got.macs) == (0, 5 * got.operations)


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 10))
def test_linear_in_events_and_levels(a, b, levels):
    f = lambda n, **k: horowitz.layer("conv", (3, 8, 8), (4, 4, 4), events_in=n, **k).total  # noqa: E731
    assert f(a + b) == pytest.approx(f(a) + f(b))
    assert f(a, levels=levels) == pytest.approx(levels * f(a))


def test_errors():
    with pytest.raises(ValueError, match=r"kind: expected one of conv, dense, lstm, .* got 'gru'"):
        horowitz.layer("gru", 3, 4)
    with pytest.raises(ValueError, match="events_in: expected a finite number >= 0, got -3"):
        horowitz.layer("dense", 3, 4, events_in=-3)
