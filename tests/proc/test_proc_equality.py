"""Random networks: both models in Lava equal the reference engine, layer by layer, step by step, count by count."""

from __future__ import annotations

import numpy as np
import pytest
import strategies
from hypothesis import HealthCheck, given, reject, settings

from lava_mlsnn import energy, proc, sim

MODELS = {
    "fused": {"fused": True},
    "hierarchical": {"fused": False},
    "hierarchical, stock models": {"fused": False, "run_cfg": proc.SimCfg(stock=True)},
}
SLOW = settings(max_examples=25, suppress_health_check=list(HealthCheck))


def assert_equal(run, expected):
    assert np.array_equal(run.output, expected.output)
    assert list(run.trace) == list(expected.trace)
    for name, spikes in expected.trace.items():
        assert np.array_equal(run.trace[name], spikes), name
    assert run.activity == expected.activity, run.activity.difference(expected.activity)


@SLOW
@given(case=strategies.cases(strategies.Options(large=False), samples=3))
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.filterwarnings("ignore:sums of synapses left:RuntimeWarning")
def test_random_network(model, case):
    graph, images = case
    expected = sim.run(graph, images, trace=True)
    assert_equal(proc.simulate(graph, images, **MODELS[model], trace=True, timeout=60), expected)


@settings(max_examples=6, suppress_health_check=list(HealthCheck))
@given(case=strategies.cases(strategies.Options(large=False), samples=3))
@pytest.mark.filterwarnings("ignore:sums of synapses left:RuntimeWarning")
def test_reports_of_all_engines_are_identical(case):
    """Energy from the counts of the engine, of Lava per layer and of Lava fused: the same file, letter by letter."""
    graph, images = case
    runs = [sim.run(graph, images)] + [proc.simulate(graph, images, fused=f, timeout=60) for f in (True, False)]
    try:
        first, *others = [energy.estimate(graph, run.activity).to_json() for run in runs]
    except ValueError as error:
        assert "formula" in str(error)  # sigma-delta neurons have none
        reject()
    assert first == others[0] == others[1]
