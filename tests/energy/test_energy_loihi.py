"""The Loihi tables: sums by hand, and what is not public."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lava_mlsnn.energy import UnpublishedError, loihi
from lava_mlsnn.energy.loihi import Loihi1Counts

COUNTS = Loihi1Counts(
    synop_dense=1000, update_active=30, update_inactive=70, spike_out=20, spike_tile=20, message_out=25, message_in=25,
    hop_x=40, hop_y=10,
)  # fmt: skip
NUMBERS = st.floats(0, 1e9)


def test_davies_by_hand():
    t = loihi.terms(COUNTS, "davies2018")
    assert t["synapses"] == pytest.approx(1000 * 23.6e-12)
    assert t["neurons"] == pytest.approx((30 * 81 + 70 * 52) * 1e-12)
    assert t["spikes"] == 0
    assert t["network"] == pytest.approx((20 * 1.7 + 40 * 3.0 + 10 * 4.0) * 1e-12)
    assert loihi.energy(COUNTS) == pytest.approx(sum(t.values()))


def test_sanafe_by_hand():
    t = loihi.terms(COUNTS, "sanafe2025")
    assert t["synapses"] == pytest.approx(1000 * 35.5e-12)
    assert t["neurons"] == pytest.approx((100 * 51.2 + 30 * 21.6) * 1e-12)
    assert t["spikes"] == pytest.approx(20 * 69.3e-12)
    assert t["network"] == pytest.approx((25 * 111 + 40 * 3.0 + 10 * 4.2) * 1e-12)


def test_kinds_of_connections_differ():
    energies = [loihi.energy(Loihi1Counts(**{kind: 1}), "sanafe2025") * 1e12 for kind in loihi.QUANTITIES[:3]]
    assert energies == pytest.approx([35.5, 24.0, 33.6])


def test_time_of_a_step_is_the_busiest_core_and_the_barrier():
    slow, fast = Loihi1Counts(synop_dense=1000, update_active=100), Loihi1Counts(synop_dense=10)
    busy = 1000 * 3.5e-9 + 100 * 8.4e-9
    assert loihi.busy_time(slow) == pytest.approx(busy)
    assert loihi.step_time([fast, slow, fast]) == pytest.approx(busy + 465e-9)
    assert loihi.step_time([fast, slow], barrier=113e-9) == pytest.approx(busy + 113e-9)
    assert loihi.step_time([]) == pytest.approx(465e-9)


def test_recorded_replay_lies_near_the_closed_form():
    """111,040 synops, 1110 spikes, 394 neurons, 32 steps took 4.81 uJ in SANA-FE (measured, reference section 3).

    What was not recorded (how many updates were active, packets, hops) bounds the closed form from both sides.
    """
    known = Loihi1Counts(synop_dense=111_040, spike_out=1110, update_inactive=394 * 32)
    least = loihi.energy(known, "sanafe2025")
    most = loihi.energy(
        Loihi1Counts(
            synop_dense=111_040, spike_out=1110, update_active=394 * 32, message_out=3 * 1110, hop_x=3 * 1110 * 8
        ),
        "sanafe2025",
    )
    assert least < 4.81e-6 < most
    assert least == pytest.approx(4.81e-6, rel=0.05)


@pytest.mark.parametrize("ask", [loihi.energy, loihi.terms, loihi.busy_time])
def test_loihi2_is_unpublished(ask):
    with pytest.raises(UnpublishedError, match="Intel has published no per-operation figure of Loihi 2"):
        ask(COUNTS, "loihi2")
    with pytest.raises(UnpublishedError):
        loihi.step_time([COUNTS], "loihi2")
    assert set(loihi.published("loihi2").values()) == {None}


def test_the_estimate_scales_times_and_nothing_else():
    guess, base = loihi.published("loihi2_estimate"), loihi.published("sanafe2025")
    for key in loihi.QUANTITIES:
        assert guess[key] == base[key]
    assert guess["synop_dense_time"] == pytest.approx(0.76e-9)
    assert guess["update_inactive_time"] == pytest.approx(3.0e-9)
    assert guess["update_active_time"] == pytest.approx(4.85e-9)
    assert guess["spike_out_time"] == pytest.approx(3.0e-9)
    assert all("guess" in source for *_, source in loihi.TABLES["loihi2_estimate"].rows())


@given(st.builds(Loihi1Counts, *[NUMBERS] * 11), st.builds(Loihi1Counts, *[NUMBERS] * 11), st.floats(0, 100))
def test_energy_is_linear(a, b, k):
    for table in ("davies2018", "sanafe2025", "loihi2_estimate"):
        assert loihi.energy(a + b, table) == pytest.approx(loihi.energy(a, table) + loihi.energy(b, table))
        assert loihi.energy(a.scaled(k), table) == pytest.approx(k * loihi.energy(a, table))


def test_errors():
    with pytest.raises(ValueError, match=r"loihi table: expected one of davies2018, sanafe2025, .* got 'loihi3'"):
        loihi.energy(COUNTS, "loihi3")
    with pytest.raises(ValueError, match="synop_dense: expected a finite number >= 0, got -1"):
        Loihi1Counts(synop_dense=-1)
