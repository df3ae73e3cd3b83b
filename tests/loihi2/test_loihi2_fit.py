"""Mapping estimates against the public compiler logs, and what happens where a network does not fit."""

from __future__ import annotations

import itertools
import json
import sysconfig
import warnings
from math import ceil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lava_mlsnn import energy, loihi2, netx
from lava_mlsnn.energy import NoFigureError, UnpublishedError
from lava_mlsnn.netx import Barrier, Connection, Conv, Dense, Identity, Input, Layer, MultiLevel, NetGraph, Readout


def mlp(*sizes, neuron=None):
    layers, source = [], "input"
    for i, (n, m) in enumerate(itertools.pairwise(sizes)):
        dense = Connection((source,), Dense(np.ones((m, n), np.int32)))
        layers.append(Layer(f"fc{i}", (dense,), (m, 1, 1), neuron or MultiLevel(1, 64)))
        source = layers[-1].name
    return NetGraph(Input((sizes[0], 1, 1)), tuple(layers))


def conv_net(channels, size, kernel=3):
    conv = Conv(np.ones((channels, channels, kernel, kernel), np.int32), padding=kernel // 2)
    layer = Layer("conv", (Connection(("input",), conv),), (channels, size, size), MultiLevel(4, 64))
    return NetGraph(Input((channels, size, size), bits=2), (layer,))


@pytest.mark.parametrize(("outputs", "words"), [(50, 16), (64, 21), (10, 4)])
def test_dense_words_per_input_are_those_of_the_compiler_logs(outputs, words):
    assert Dense(np.ones((outputs, 7), np.int32)).synaptic_words(outputs) == 7 * words


@pytest.mark.parametrize(
    ("inputs", "outputs", "bits", "words"), [(24, 36, 6, 864), (36, 48, 6, 1620), (24, 36, 5, 648)]
)
def test_conv_words_are_those_of_the_compiler_logs(inputs, outputs, bits, words):
    """PilotNet LIF conv 2 and 3: 864 and 1620 words are logged; at 5 bits the rule gives 648."""
    conv = Conv(np.ones((outputs, inputs, 3, 3), np.int32))
    assert conv.synaptic_words(outputs, bits) == words


def test_mnist_784_128_64_10_takes_the_logged_5_cores():
    assert loihi2.fit(mlp(784, 128, 64, 10)).cores == 5


@given(channels=st.integers(1, 96), size=st.integers(1, 24), kernel=st.sampled_from([1, 3]))
@settings(max_examples=60, deadline=None)
def test_the_parts_hold_the_layer_and_each_fits_a_core(channels, size, kernel):
    (mapped,) = loihi2.fit(conv_net(channels, size, kernel)).layers
    part = mapped.part
    assert part is not None
    assert max(part.shares(loihi2.LOIHI2).values()) <= 1
    assert ceil(channels / part.channels) * ceil(size * size / part.sites) == part.cores
    assert part.cores * part.neurons >= mapped.neurons
    assert part.cores >= ceil(mapped.neurons * 2 / 4096)


def test_a_smaller_chip_needs_more_cores():
    graph = conv_net(64, 16)
    small = loihi2.Chip(state_words=1024)
    assert loihi2.fit(graph, small).cores >= 4 * loihi2.fit(graph).cores


def test_a_network_too_large_for_a_chip_says_what_binds_and_what_to_change():
    fit = loihi2.fit(conv_net(64, 64), loihi2.Chip(cores=8))
    assert fit.chips == ceil(fit.cores / 8) > 1
    assert not fit.fits
    assert "layer 'conv' takes" in fit.advice[0]
    assert fit.layers[0].part.binding(fit.chip) in fit.advice[0]


def test_a_layer_that_no_core_can_hold_is_a_problem_not_a_number():
    fit = loihi2.fit(mlp(20_000, 4))
    assert fit.layers[0].part is None
    assert any("layer 'fc0': not even one neuron fits a core" in line for line in fit.problems)


def test_a_weight_that_needs_more_than_8_bits_is_a_problem():
    dense = Connection(("input",), Dense(np.array([[1, 300]])))
    graph = NetGraph(Input((2, 1, 1)), (Layer("out", (dense,), (1, 1, 1), Readout()),))
    assert any("weight 300" in line for line in loihi2.fit(graph).problems)


def test_a_skip_connection_reports_its_delay():
    one = Conv(np.ones((2, 2, 1, 1), np.int32))
    shape = (2, 3, 3)
    layers = [Layer("a", (Connection(("input",), one),), shape, MultiLevel(2, 4))]
    layers += [Layer(n, (Connection((s,), one),), shape, MultiLevel(2, 4)) for n, s in (("b", "a"), ("c", "b"))]
    layers.append(Layer("sum", (Connection(("a", "c"), Identity()),), shape, Barrier(2)))
    fit = loihi2.fit(NetGraph(Input(shape, bits=2), tuple(layers)))
    assert [f.delay for f in fit.layers] == [0, 0, 0, 2]


def test_the_report_is_json_with_every_source():
    content = json.loads(json.dumps(loihi2.fit(mlp(16, 4)).to_dict()))
    assert content["cores"] == 1
    assert set(content["chip"]) <= set(content["sources"])


def test_step_time_is_the_slowest_core_and_the_barrier():
    graph = mlp(10, 4, 2)
    timing = loihi2.Timing(1.0, 10.0, 100.0, 1000.0, "test")
    times = loihi2.step_time(graph, loihi2.fit(graph), {"input": 3, "fc0": 2, "fc1": 1}, timing)
    assert times == {"fc0": 3 * 4 + 4 * 10 + 2 * 100, "fc1": 2 * 2 + 2 * 10 + 100, "step": 252 + 1000}


def test_step_time_needs_events_of_every_layer():
    graph = mlp(10, 4, 2)
    with pytest.raises(ValueError, match="no events of fc1"):
        loihi2.step_time(graph, loihi2.fit(graph), {"input": 3, "fc0": 2}, loihi2.ESTIMATE)


def test_the_guess_of_timing_is_the_table_s():
    """One set of numbers: an update is SANA-FE's access and update together, 3.0 + 1.85 ns."""
    table, guess = energy.loihi.TABLES["loihi2_estimate"], loihi2.ESTIMATE
    assert guess == loihi2.Timing.of(table)
    nanoseconds = [t * 1e9 for t in (guess.synop, guess.update, guess.idle, guess.spike, guess.barrier)]
    assert nanoseconds == pytest.approx([0.76, 4.85, 3.0, 3.0, 200])
    assert guess.synaptic("conv") == table["synop_conv_time"] < guess.synop < guess.synaptic("pool")
    assert "guess" in guess.source
    with pytest.raises(UnpublishedError):
        loihi2.Timing.of(energy.loihi.TABLES["loihi2"])


def test_step_time_charges_the_synapses_that_borders_leave():
    """A 3 x 3 kernel to 8 channels on a 3 x 3 map: 49 of 81 pairs of sites, so 8 x 49 / 9 per event, not 72."""
    conv = Conv(np.ones((8, 1, 3, 3), np.int32), padding=1)
    layer = Layer("conv", (Connection(("input",), conv),), (8, 3, 3), MultiLevel(1, 64))
    graph = NetGraph(Input((1, 3, 3), bits=1), (layer,))
    timing = loihi2.Timing(1.0, 0.0, 0.0, 0.0, "test")
    times = loihi2.step_time(graph, loihi2.fit(graph), {"input": 9, "conv": 0}, timing)
    assert times["step"] == pytest.approx(8 * 49)


def test_the_range_is_from_a_silent_network_to_one_that_fires_everywhere():
    graph = mlp(10, 4, 2)
    timing = loihi2.Timing(1.0, 10.0, 100.0, 1000.0, "test", idle=3.0, barrier_least=500.0)
    found = loihi2.step_range(graph, loihi2.fit(graph), timing=timing)
    assert [layer.low for layer in found.layers] == [4 * 3, 2 * 3]
    assert [layer.high for layer in found.layers] == [10 * 4 + 4 * 10 + 4 * 100, 4 * 2 + 2 * 10 + 2 * 100]
    assert found.step == (12 + 500, 480 + 1000)
    assert found.sample == (3 * 512, 3 * 1480)  # T = 1 and two synapses deep
    assert (found.slowest.name, found.slowest.bottleneck) == ("fc0", "spikes")
    assert json.loads(json.dumps(found.to_dict()))["step"] == [512, 1480]


def test_measured_activity_narrows_the_range():
    graph = mlp(10, 4, 2)
    counts = {"input": np.array([6]), "fc0": np.array([4]), "fc1": np.array([0])}
    sites = {"fc0": np.array([[6]]), "fc1": np.array([[4]])}
    activity = energy.Activity(2, counts, counts, sites)
    timing = loihi2.Timing(1.0, 10.0, 100.0, 1000.0, "test", idle=3.0)
    found = loihi2.step_range(graph, loihi2.fit(graph), activity, timing)
    first, second = found.layers
    assert (first.low, first.high) == (3 * 4 + 2 * 10 + 2 * 3 + 200, 3 * 4 + 4 * 10 + 200)
    assert (second.low, second.high) == (2 * 2 + 2 * 3, 2 * 2 + 2 * 10)
    assert first.high == loihi2.step_time(graph, loihi2.fit(graph), {"input": 3, "fc0": 2, "fc1": 0}, timing)["fc0"]
    wide = loihi2.step_range(graph, loihi2.fit(graph), timing=timing)
    assert wide.step[0] < found.step[0] < found.step[1] < wide.step[1]
    with pytest.raises(ValueError, match="activity of another network: layers fc1"):
        loihi2.step_range(mlp(10, 4), loihi2.fit(mlp(10, 4)), activity)


def test_a_layer_without_a_place_has_no_time():
    graph = mlp(20_000, 4)
    with pytest.raises(NoFigureError, match="layer 'fc0': not even one neuron fits a core"):
        loihi2.step_range(graph, loihi2.fit(graph))


@pytest.mark.parametrize("value", [-1.0, np.nan, "1"])
def test_times_are_seconds(value):
    with pytest.raises(ValueError, match="timing synop: expected"):
        loihi2.Timing(value, 0.0, 0.0, 0.0, "test")


@pytest.mark.parametrize("field", ["cores", "state_words"])
def test_limits_are_positive(field):
    with pytest.raises(ValueError, match=f"chip {field}: expected an integer >= 1, got 0"):
        loihi2.Chip(**{field: 0})


def test_what_no_interval_bounds_is_no_number_that_does_not_fit():
    """Sums of changes grow in worst-case intervals; the network ran on the chip."""
    path = Path(sysconfig.get_path("purelib")) / "tests/lava/lib/dl/netx/gts/pilotnet_sdnn/network.net"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = netx.load(path)
    found = loihi2.fit(graph)
    assert found.problems == () and found.fits
    assert any("accumulator of" in line and "24 bits hold" in line for line in found.unproven)
    assert netx.problems(graph) == [] and list(found.unproven) == netx.unproven(graph)
    wide = Layer("wide", (Connection("input", Dense(np.full((1, 2), 2**20))),), (1, 1, 1), MultiLevel(1, 1))
    plain = NetGraph(Input((2, 1, 1)), (wide,))
    assert netx.unproven(plain) == [] and "can reach" in netx.problems(plain)[0]
