"""SRAM accesses, operation energies, and the constants behind them."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lava_mlsnn.energy import UnpublishedError, arithmetic, constants, loihi, sram

KIB = 1024


def test_regression_line_is_the_fit_it_says():
    """Least squares through (8 kB, 10), (32 kB, 20), (1 MB, 100) pJ: the coefficients that were rounded."""
    bits = np.array([8e3, 32e3, 1e6]) * 8
    slope, base = np.polyfit(bits, [10, 20, 100], 1)
    assert (round(base, 1), round(slope * 1e5, 2)) == (13.2, 1.09)
    assert [round(sram.access(b, 1) * 1e12, 1) for b in bits] == [13.9, 16.0, 100.4]


def test_regression_at_the_fifo():
    assert sram.access(1000, 16) == pytest.approx(13.3744e-12, rel=1e-12)


@pytest.mark.parametrize(
    ("size", "pj"), [(0, 0), (4 * KIB, 5), (8 * KIB, 10), (20 * KIB, 15), (32 * KIB, 20), (1024 * KIB, 100), (1e9, 100)]
)
def test_piecewise_knots(size, pj):
    assert sram.access(size, 8, "piecewise") == pytest.approx(pj * 1e-12, rel=1e-12, abs=0)


@pytest.mark.parametrize(("bits", "pj"), [(8, 1.25), (16, 2.5), (24, 5.0), (32, 5.0), (33, 10.0), (64, 10.0)])
def test_bus_packs_whole_words(bits, pj):
    assert sram.access(1, bits, "bus") == sram.access(10**9, bits, "bus") == pytest.approx(pj * 1e-12, rel=1e-12)


@given(st.sampled_from(list(sram.MODELS)), st.integers(1, 64), st.integers(0, 10**7), st.integers(0, 10**7))
def test_larger_memories_never_cost_less(model, bits, a, b):
    low, high = sorted((a, b))
    assert 0 <= sram.access(low, bits, model) <= sram.access(high, bits, model) * (1 + 1e-12)


@pytest.mark.parametrize(
    ("words", "bits", "model", "message"),
    [
        (1, 16, "cacti", "sram: expected one of regression, piecewise, bus, got 'cacti'"),
        (1, 0, "bus", "sram bits: expected 1 .. 64, got 0"),
        (-1, 16, "bus", "sram words: expected >= 0, got -1"),
    ],
)
def test_sram_errors(words, bits, model, message):
    with pytest.raises(ValueError, match=message):
        sram.access(words, bits, model)


@pytest.mark.parametrize(
    ("rule", "bits", "add", "mul"),
    [
        ("width", 8, 0.03, 0.2),
        ("width", 4, 0.1, 3.1),
        ("width", 16, 0.1, 3.1),
        ("width", 32, 0.1, 3.1),
        ("iconip", 8, 0.1, 3.1),
        ("saturation", 4, 0.03, 0.2),
        ("saturation", 8, 0.03, 0.2),
        ("saturation", 9, 0.1, 3.1),
        ("saturation", 32, 0.1, 3.1),
        ("linear", 8, 0.03, 0.2),
        ("linear", 16, 0.03 + 0.07 / 3, 0.2 + 2.9 / 3),
        ("linear", 32, 0.1, 3.1),
    ],
)
def test_operation_rules(rule, bits, add, mul):
    got = arithmetic.operations(bits, rule)
    assert got.add == pytest.approx(add * 1e-12, rel=1e-9)
    assert got.mul == pytest.approx(mul * 1e-12, rel=1e-9)
    assert got.mac == got.add + got.mul


@pytest.mark.parametrize("bits", [4, 8, 12, 16, 24, 32])
def test_quadratic_is_the_parabola_up_to_float32(bits):
    got = arithmetic.operations(bits, "quadratic")
    for value, ys in ((got.add, (0.03, 0.1)), (got.mul, (0.2, 3.1))):
        exact = np.polyval(np.polyfit([0, 8, 32], [0, *ys], 2), bits)
        assert value * 1e12 == pytest.approx(exact, rel=2e-7)
    if bits == 16:
        assert round(got.mul * 1e12, 5) == 0.78333


def test_every_constant_has_a_unit_and_a_source():
    tables = [constants.HOROWITZ_INT, constants.HOROWITZ_FP32, constants.SRAM_REGRESSION, constants.SRAM_POINTS]
    tables += loihi.TABLES.values()
    assert len({t.name for t in tables}) == len(tables)
    for name, version, key, value, unit, source in (row for t in tables for row in t.rows()):
        assert name and version and key and unit in ("J", "s", "J/bit") and len(source) > 10
        assert value is None or (math.isfinite(value) and value >= 0)
    json.dumps([row for t in tables for row in t.rows()])


def test_tables_refuse_what_they_do_not_hold():
    with pytest.raises(ValueError, match="'horowitz2014-int' has no constant 'add16': expected one of add8"):
        _ = constants.HOROWITZ_INT["add16"]
    with pytest.raises(UnpublishedError, match="'hop_x' of table 'loihi2' has not been published"):
        _ = loihi.TABLES["loihi2"]["hop_x"]
