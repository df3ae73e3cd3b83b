"""Neurons of non-uniform quantisation in Lava: random networks full of them, resets of any interval and phase."""

from __future__ import annotations

import numpy as np
import pytest
import strategies
from hypothesis import HealthCheck, given, settings

from lava_mlsnn import netx, proc, sim

OPTIONS = strategies.Options(kinds=("scheduled", "staircase"), large=False, max_layers=3, gated_only=True)


@settings(max_examples=5, suppress_health_check=list(HealthCheck))
@given(case=strategies.cases(OPTIONS, samples=2))
@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.filterwarnings("ignore:sums of synapses left:RuntimeWarning")
def test_random_networks(fused, case):
    graph, images = case
    expected = sim.run(graph, images, trace=True)
    run = proc.simulate(graph, images, fused=fused, trace=True, timeout=60)
    assert np.array_equal(run.output, expected.output) and run.activity == expected.activity
    for name, spikes in expected.trace.items():
        assert np.array_equal(run.trace[name], spikes), name


def test_wrong_shapes():
    with pytest.raises(ValueError, match="thresholds of 3 channels: expected 1 or 4"):
        proc.Staircase(shape=(4,), neuron=netx.Staircase([[1], [2], [3]]))
