"""Prices per event: constant and prices times events are the energy, on every network and by every affine model."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from strategies import graphs

from lava_mlsnn import energy
from lava_mlsnn.energy import Activity
from lava_mlsnn.netx import Connection, Conv, Dense, Input, Layer, MultiLevel, NetGraph, Readout


def random_activity(graph, rng):
    """Counts of 7 samples; sums of values are free, as only events are priced."""
    counted = Activity.zeros(graph, 7)
    for name in counted.events:
        if name == "input" or graph[name].neuron.spiking:
            most = 7 * int(np.prod(graph.shape(name)))
            counted.events[name][:] = rng.integers(0, most + 1, graph.timesteps)
            counted.values[name][:] = counted.events[name] * rng.integers(1, 9)
    return counted


@settings(deadline=None, max_examples=60)
@given(graphs(), st.integers(0, 2**32 - 1), st.sampled_from(["exact", "published"]), st.sampled_from(["text", "table"]))
def test_constant_and_prices_times_events_are_the_energy(graph, seed, strided, addressing):
    options = {"strided": strided, "addressing": addressing}
    try:
        found = energy.prices(graph, **options)
    except energy.NoFigureError:
        reject()
    activity = random_activity(graph, np.random.default_rng(seed))
    wanted = energy.estimate(graph, activity, **options)
    assert found.total(activity) == pytest.approx(wanted.total, rel=1e-9, abs=0)
    assert found.ann == energy.ann(graph, **options).total
    assert all(price >= 0 for price in found.events.values())


@pytest.mark.parametrize(
    ("model", "changes", "message"),
    [
        ("lemaire", {"sums": "sites"}, "sums: prices per event need 'connections', got 'sites'"),
        ("lemaire", {"charge": "values"}, "charge: prices per event need 'levels', got 'values'"),
        ("loihi1", {}, "model 'loihi1' is not affine in the events"),
        ("lemaire", {"strided": "no"}, "strided: expected one of exact, published"),
    ],
)
def test_what_is_not_affine_is_refused(model, changes, message):
    with pytest.raises(ValueError, match=message):
        energy.prices(convolution(), model, **changes)


@pytest.mark.parametrize(("model", "changes"), [("horowitz", {}), ("loihi1", {"active": "all"})])
def test_other_affine_models(model, changes):
    graph = convolution()
    activity = random_activity(graph, np.random.default_rng(0))
    wanted = energy.estimate(graph, activity, model, **changes)
    assert energy.prices(graph, model, **changes).total(activity) == pytest.approx(wanted.total, rel=1e-9, abs=0)


def test_prices_by_hand():
    """A spike of the convolution is written and reset once, read once, and updates all ten potentials behind it."""
    found, options = energy.prices(convolution()), energy.Options()
    access, add = options.access, options.operations.add
    dense = 10 * (access(10 * 32) + 2 * access(10)) + 10 * 4 * add + 10 / 32 * add
    assert found.events["conv"] == pytest.approx(2 * access(options.fifo) + add + dense, rel=1e-9)


def convolution():
    """A convolution that keeps 4 x 4 maps from spikes, and a readout."""
    synapse = Conv(np.ones((2, 1, 3, 3), int), padding=1)
    layers = (
        Layer("conv", (Connection("input", synapse),), (2, 4, 4), MultiLevel(4, 16)),
        Layer("read", (Connection("conv", Dense(np.ones((10, 32), int))),), (10, 1, 1), Readout()),
    )
    return NetGraph(Input((1, 4, 4), bits=1), layers, timesteps=2)
