"""Random networks: both models in Lava equal the reference engine, layer by layer, step by step, count by count."""

from __future__ import annotations

import numpy as np
import pytest
import strategies
import tally
from hypothesis import HealthCheck, given, seed, settings

from lava_mlsnn import netx, proc, sim

ON_CI = settings.default.derandomize
LEAST = 200
"""Different graphs that a run on CI sends through Lava at least."""

MODELS = {
    "fused": {"fused": True},
    "hierarchical": {"fused": False},
    "hierarchical, stock models": {"fused": False, "run_cfg": proc.SimCfg(stock=True)},
}
OPTIONS = strategies.Options(large=False, late=True, max_layers=4, max_steps=3)


def assert_equal(run, expected):
    assert np.array_equal(run.output, expected.output)
    assert list(run.trace) == list(expected.trace)
    for name, spikes in expected.trace.items():
        assert np.array_equal(run.trace[name], spikes), name
    assert run.activity == expected.activity, run.activity.difference(expected.activity)


def in_lava(model, on_ci):
    """A test of so many random networks on CI, a sixth of them elsewhere."""

    @settings(max_examples=on_ci if ON_CI else on_ci // 6, suppress_health_check=list(HealthCheck))
    @given(case=strategies.cases(OPTIONS, samples=2))
    @pytest.mark.filterwarnings("ignore:sums of synapses left:RuntimeWarning")
    @pytest.mark.timeout(900)
    def test(case):
        graph, images = case
        expected = sim.run(graph, images, trace=True)
        assert_equal(proc.simulate(graph, images, **MODELS[model], trace=True, timeout=60), expected)
        tally.compared(f"Lava, {model}", graph)

    return seed(len(model))(test)  # other networks for each model


test_random_networks_fused = in_lava("fused", 190)
test_random_networks_hierarchical = in_lava("hierarchical", 40)
test_random_networks_with_stock_models = in_lava("hierarchical, stock models", 40)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.filterwarnings("ignore:sums of synapses left:RuntimeWarning")
def test_sums_beyond_what_floats_hold_wrap_as_in_the_engine(model):
    rng = np.random.default_rng(0)
    weight = rng.integers(2**30, 2**31, (3, 8, 1, 1)) | 1
    conv = netx.Connection("input", netx.Conv(weight))
    layer = netx.Layer("a", (conv,), (3, 2, 2), netx.Readout())  # shows every bit
    graph = netx.NetGraph(netx.Input((8, 2, 2), bits=24), (layer,))
    images = rng.integers(2**23, 2**24, (4, 8, 2, 2)) | 1
    expected = sim.run(graph, images, trace=True, engine="reference")
    assert len(np.unique(expected.trace["a"])) > 3
    assert_equal(sim.run(graph, images, trace=True), expected)
    assert_equal(proc.simulate(graph, images, **MODELS[model], trace=True, timeout=60), expected)


def test_so_many_random_networks_ran_in_lava(request):
    if not (ON_CI and tally.whole_module(request)):
        pytest.skip("only where all tests of this file run with CI's numbers")
    models = [f"Lava, {model}" for model in MODELS]
    assert tally.count(*models) >= LEAST
    assert tally.kinds(*models) == tally.kinds(models[0]) == tally.KINDS
