"""A part of a network, fed with the spikes that entered it, computes what the whole does."""

from __future__ import annotations

import numpy as np
import pytest
import strategies
from hypothesis import given, settings
from hypothesis import strategies as st

from lava_mlsnn import netx, sim


@pytest.mark.filterwarnings("ignore:sums of synapses")
@settings(max_examples=100)
@given(data=st.data())
def test_a_part_continues_the_whole(data):
    graph = data.draw(strategies.graphs())
    images = data.draw(strategies.images(graph))
    first = data.draw(st.integers(min(1, len(graph) - 1), len(graph) - 1))
    stop = data.draw(st.integers(first + 1, len(graph) + 1))
    whole = sim.run(graph, images, trace=True, engine="reference")
    chosen = graph.layers[first:stop]
    outside = {name for layer in chosen for name in layer.inputs} - {layer.name for layer in chosen}
    try:
        tail = netx.part(graph, first, stop)
    except ValueError as error:
        assert len(outside) > 1 or outside == {"input"} or "sends no spikes" in str(error) or "24 bits" in str(error)
        return
    fed = images if first == 0 else whole.trace[outside.pop()]
    run = sim.run(tail, fed, trace=True, engine="reference")
    assert [layer.name for layer in tail] == [layer.name for layer in chosen]
    for layer in chosen:
        assert np.array_equal(run.trace[layer.name], whole.trace[layer.name]), layer.name


def test_bad_numbers_are_named():
    dense = netx.Dense(np.ones((2, 2)))
    layer = netx.Layer("a", (netx.Connection("input", dense),), (2, 1, 1), netx.MultiLevel(1, 1))
    graph = netx.NetGraph(netx.Input((2, 1, 1)), (layer,))
    assert netx.part(graph) is graph
    with pytest.raises(ValueError, match=r"first layer: expected an integer in 0 \.\. 0, got 1"):
        netx.part(graph, 1)
    with pytest.raises(ValueError, match=r"number of layers: .* got 0"):
        netx.part(graph, 0, 0)
