"""Random networks: both models in Lava equal the reference engine, layer by layer, step by step, count by count."""

from __future__ import annotations

import numpy as np
import pytest
import strategies
from hypothesis import HealthCheck, given, settings

from lava_mlsnn import proc, sim

SLOW = settings(max_examples=25, suppress_health_check=list(HealthCheck))


def assert_equal(run, expected):
    assert np.array_equal(run.output, expected.output)
    assert list(run.trace) == list(expected.trace)
    for name, spikes in expected.trace.items():
        assert np.array_equal(run.trace[name], spikes), name
    assert run.activity == expected.activity, run.activity.difference(expected.activity)


@SLOW
@given(case=strategies.cases(strategies.Options(large=False), samples=3))
@pytest.mark.parametrize("fused", [True, False], ids=["fused", "hierarchical"])
@pytest.mark.filterwarnings("ignore:sums of synapses left:RuntimeWarning")
def test_random_network(fused, case):
    graph, images = case
    expected = sim.run(graph, images, trace=True)
    assert_equal(proc.simulate(graph, images, fused=fused, trace=True, timeout=60), expected)
