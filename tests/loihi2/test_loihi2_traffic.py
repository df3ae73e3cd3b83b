"""Cores on the mesh, messages on its links, work of cores, and the time that a user's own figures give."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import Options, graphs

from lava_mlsnn import energy, loihi2, report, sim
from lava_mlsnn.energy import NoFigureError, UnpublishedError
from lava_mlsnn.netx import Connection, Conv, Dense, Identity, Input, Layer, MultiLevel, NetGraph, Readout
from lava_mlsnn.report.chip import chip_layout

TINY = loihi2.Chip(state_words=64, columns=5, rows=3, router_cores=2, cores=30)
"""A chip on which small layers take many cores."""


def residual() -> NetGraph:
    neuron, first = MultiLevel(4, 16), Connection("input", Conv(np.ones((4, 1, 3, 3), int), padding=1))
    conv = Connection("a", Conv(np.ones((4, 4, 3, 3), int), padding=1))
    again = Connection("b", Conv(np.ones((4, 4, 1, 1), int)))
    return NetGraph(
        Input((1, 8, 8), bits=4),
        (
            Layer("a", (first,), (4, 8, 8), neuron),
            Layer("b", (conv, again), (4, 8, 8), neuron),
            Layer("sum", (Connection(("a", "b"), Identity()),), (4, 8, 8), neuron),
            Layer("read", (Connection("sum", Dense(np.ones((50, 256), int))),), (50, 1, 1), Readout()),
        ),
        timesteps=2,
    )


@given(*[st.tuples(st.integers(0, 7), st.integers(0, 3))] * 2)
def test_a_route_goes_along_the_row_then_along_the_column(start: tuple[int, int], end: tuple[int, int]) -> None:
    links = list(loihi2.route(start, end))
    places = [start, *(after for _, after in links)]
    assert places[-1] == end and len(links) == abs(start[0] - end[0]) + abs(start[1] - end[1])
    assert all(before == place for (before, _), place in zip(links, places, strict=False))
    rows = [place[1] for place in places]
    assert rows[: abs(start[0] - end[0]) + 1] == [start[1]] * (abs(start[0] - end[0]) + 1)


def test_every_core_has_a_place_and_layers_are_neighbors() -> None:
    fit = loihi2.fit(residual(), TINY)
    placed = loihi2.place(fit)
    assert {name: len(routers) for name, routers in placed.routers.items()} == {
        layer.name: layer.part.cores for layer in fit.layers if layer.part
    }
    order = [router for routers in placed.routers.values() for router in routers]
    assert fit.cores == len(order) > 20 and max(Counter(order).values()) == TINY.router_cores
    steps = [abs(a[0] - b[0]) + abs(a[1] - b[1]) for a, b in itertools.pairwise(order)]
    assert set(steps) <= {0, 1}


def test_more_than_a_chip_has_no_placement() -> None:
    with pytest.raises(NoFigureError, match="cores, one chip has 8: placement and traffic are those of one chip"):
        loihi2.traffic(residual(), loihi2.fit(residual(), loihi2.Chip(state_words=64, cores=8)))


def test_messages_of_each_link_by_hand() -> None:
    """Every sending core to every core that reads it, counted one by one over each link."""
    graph = residual()
    fit = loihi2.fit(graph, TINY)
    _, most = loihi2.traffic(graph, fit)
    routers = {"input": [(0, 0)], **most.placement.routers}
    rows = {  # rows of 8 that a core must receive: those under its 8 sites, and the kernel's border
        ("input", "a"): 3, ("a", "b"): 3, ("b", "b"): 1, ("a", "sum"): 1, ("b", "sum"): 1, ("sum", "read"): 8,
    }  # fmt: skip
    assert [(f.part.channels, f.part.sites) for f in fit.layers[:2]] == [(4, 8), (4, 8)]
    expected: Counter[tuple[tuple[int, int], tuple[int, int]]] = Counter()
    for (source, reader), height in rows.items():
        events = 64 if source == "input" else 256
        for sender in routers[source]:
            for x, y in routers[reader]:
                at = sender
                while at != (x, y):
                    to = (
                        (at[0] + (1 if x > at[0] else -1), at[1])
                        if at[0] != x
                        else (x, at[1] + (1 if y > at[1] else -1))
                    )
                    expected[at, to] += events * height / 8 / len(routers[source])
                    at = to
    assert most.links == pytest.approx(dict(expected))
    assert most.busiest == (max(expected, key=lambda link: expected[link]), pytest.approx(max(expected.values())))


def test_synaptic_operations_are_those_of_the_energy_model() -> None:
    graph = residual()
    activity = sim.run(graph, np.random.default_rng(0).integers(0, 16, (5, 1, 8, 8))).activity
    fit = loihi2.fit(graph, TINY)
    least, most = loihi2.traffic(graph, fit, activity)
    assert least.layers == most.layers and "5 samples" in most.assumption
    priced = energy.estimate(graph, activity, "loihi1")
    for work, mapped in zip(most.layers, fit.layers, strict=True):
        counts = priced[work.name].counts
        synops = sum(counts[name] for name in ("synop_dense", "synop_conv", "synop_sparse"))
        assert work.synops * mapped.part.cores * graph.timesteps == pytest.approx(synops)


def test_words_read_are_those_of_the_compiler_logs() -> None:
    """16 words per input for 50 outputs; a kernel of 4 channels fits one word per tap."""
    graph = residual()
    _, most = loihi2.traffic(graph, loihi2.fit(graph))
    works = {work.name: work for work in most.layers}
    assert works["read"].reads == pytest.approx(256 * 16)
    assert works["a"].reads == pytest.approx((3 * 8 - 2) ** 2)
    assert works["sum"].reads == works["sum"].synops == 2 * 256


def test_time_takes_the_largest_of_the_terms_that_have_a_price() -> None:
    _, most = loihi2.traffic(residual(), loihi2.fit(residual(), TINY))
    largest = most.largest()
    with pytest.raises(UnpublishedError, match="published nowhere: expected some of one's own"):
        most.time(loihi2.Affine())
    found = most.time(loihi2.Affine(synop=1e-9, bit=1e-9, message_bits=32, barrier=1e-6, source="a bench"))
    terms = {"synops": largest["synops"] * 1e-9, "messages": largest["messages"] * 32e-9}
    assert found["terms"] == pytest.approx(terms) and found["step"] == pytest.approx(max(terms.values()) + 1e-6)
    assert found["left_out"] == ["dendops", "reads"] and found["source"] == "a bench"
    assert most.time(loihi2.Affine(dendop=1.0))["left_out"] == ["synops", "reads", "messages", "barrier"]
    with pytest.raises(ValueError, match="affine synop"):
        loihi2.Affine(synop=-1.0)


@settings(max_examples=25, deadline=None)
@given(graph=graphs(Options(large=False)))
def test_every_network_has_traffic_or_says_why_not(graph: NetGraph) -> None:
    try:
        least, most = loihi2.traffic(graph, loihi2.fit(graph))
    except NoFigureError as error:
        assert "layer" in str(error)
        return
    assert not least.links and all(count > 0 for count in most.links.values())


def test_measured_totals_agree_with_themselves() -> None:
    for measured in loihi2.MEASURED:
        assert measured.energy == pytest.approx(measured.power / measured.samples_per_second, rel=5e-3)
    assert loihi2.MEASURED[0].step == pytest.approx(152.8e-6, rel=1e-3)


def test_the_picture_shows_every_core_and_link(tmp_path) -> None:
    _, most = loihi2.traffic(residual(), loihi2.fit(residual(), TINY))
    content = most.to_dict()
    plan = chip_layout(content)
    assert len(plan["cores"]) == sum(cores for _, _, cores, _ in plan["layers"]) == loihi2.fit(residual(), TINY).cores
    assert len({(x, y) for x, y, *_ in plan["cores"]}) == len(plan["cores"])
    assert [link[-1] for link in plan["links"]] == sorted(most.links.values(), reverse=True)
    path = report.chip_picture("a net", content, tmp_path / "chip.png")
    assert path.read_bytes().startswith(b"\x89PNG") and "busiest link: router" in report.busiest_text(content)
