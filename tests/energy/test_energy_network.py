"""Energy of whole NetGraphs: sums of layers, the ANN twin, the spread, reports, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lava_mlsnn import energy, netx
from lava_mlsnn.energy import Activity, NoFigureError, Options, UnpublishedError, lemaire, loihi
from lava_mlsnn.netx import (
    LIF,
    Barrier,
    Connection,
    Conv,
    DelayDense,
    Delta,
    Dense,
    Identity,
    Injection,
    Input,
    Layer,
    MultiLevel,
    NetGraph,
    Pool,
    Readout,
    Relay,
    Sigma,
    SigmaDelta,
)

both_countings = pytest.mark.parametrize("strided", ["exact", "published"])


def conv(out, inp, **kwargs):
    return Conv(np.ones((out, inp, 3, 3), int), padding=1, **kwargs)


def residual(levels=4, timesteps=1, bits=8, biased=True):
    """Stem, one block with a skip, a barrier on the sum, sum pool, classifier."""
    bias = np.ones(6, int) if biased else None
    neuron = MultiLevel(levels, 16)
    return NetGraph(
        Input((3, 8, 8), bits=bits),
        (
            Layer("stem", (Connection("input", conv(6, 3)),), (6, 8, 8), neuron, bias),
            Layer("a", (Connection("stem", conv(6, 6)),), (6, 8, 8), neuron, bias),
            Layer("barrier", (Connection(("a", "stem"), Identity()),), (6, 8, 8), Barrier(levels)),
            Layer("pool", (Connection("barrier", Pool()),), (6, 4, 4), Relay()),
            Layer("read", (Connection("pool", Dense(np.ones((10, 96), int))),), (10, 1, 1), Readout()),
        ),
        timesteps=timesteps,
    )


def plain_sum(timesteps=1):
    """A convolution that reads the sum of two layers (SEW), without a barrier."""
    neuron = MultiLevel(2, 16)
    return NetGraph(
        Input((3, 8, 8), bits=1),
        (
            Layer("stem", (Connection("input", conv(6, 3)),), (6, 8, 8), neuron),
            Layer("a", (Connection("stem", conv(6, 6)),), (6, 8, 8), neuron),
            Layer("b", (Connection(("a", "stem"), conv(4, 6, stride=2)),), (4, 4, 4), neuron),
        ),
        timesteps=timesteps,
    )


def counted(graph, rng=None, samples=3, density=0.2):
    """An activity with random events, consistent with the graph's sizes."""
    rng = np.random.default_rng(0) if rng is None else rng
    T = graph.timesteps
    events = {}
    for name in ("input", *(layer.name for layer in graph)):
        n = int(np.prod(graph.shape(name))) * samples
        spiking = name == "input" or graph[name].neuron.spiking
        events[name] = rng.binomial(n, density, T) if spiking else np.zeros(T, int)
    values = {name: 2 * e for name, e in events.items()}
    sites = {}
    for layer in graph:
        rows = []
        for connection in layer.connections:
            n = int(np.prod(graph.shape(connection.sources[0]))) * samples
            rows.append(np.minimum(sum(events[s] for s in connection.sources), n) - 1)
        sites[layer.name] = np.maximum(np.array(rows), 0)
    return Activity(samples, events, values, sites)


@both_countings
def test_a_chain_is_the_sum_of_its_layers(strided):
    graph = residual(levels=4, timesteps=2)
    act = counted(graph)
    rep = energy.estimate(graph, act, strided=strided)
    m = act.mean_events
    common = {"steps": 2, "levels": 4, "strided": strided}
    image = {"steps": 2, "analog_input": True, "strided": strided}
    expected = {
        "stem": lemaire.layer("conv", (3, 8, 8), (6, 8, 8), events_in=m("input"), events_out=m("stem"), **image),
        "a": lemaire.layer("conv", (6, 8, 8), (6, 8, 8), events_in=m("stem"), events_out=m("a"), **common),
        "barrier": lemaire.layer(
            "barrier", (6, 8, 8), (6, 8, 8), events_in=m("a") + m("stem"), events_out=m("barrier"), **common
        ),
        "pool": lemaire.layer("pool", (6, 8, 8), (6, 4, 4), kernel=2, stride=2, events_in=m("barrier"), events_out=1),
        # a sum pool of 2 x 2 four-level spikes sends values up to 16
        "read": lemaire.layer("dense", 96, 10, bias=False, events_in=m("pool"), steps=2, levels=16),
    }
    assert [row.name for row in rep.layers] == list(expected)
    for name, layer in expected.items():
        for term in lemaire.TERMS:
            assert rep[name].terms[term] == pytest.approx(getattr(layer, term), rel=1e-12), (name, term)
        assert rep[name].memory == pytest.approx(layer.memory, rel=1e-12)
    assert rep.total == pytest.approx(sum(layer.total for layer in expected.values()), rel=1e-12)
    assert [row.extension for row in rep] == [False, False, True, False, False]


@both_countings
def test_ann_twin_is_the_sum_of_its_layers(strided):
    graph = residual(biased=True)
    rep = energy.ann(graph, strided=strided)
    expected = [
        lemaire.layer("conv", (3, 8, 8), (6, 8, 8), strided=strided),
        lemaire.layer("conv", (6, 8, 8), (6, 8, 8), strided=strided),
        lemaire.layer("add", (6, 8, 8), (6, 8, 8), inputs=2),
        lemaire.LayerEnergy(),
        lemaire.layer("dense", 96, 10, bias=False),
    ]
    assert [row.total for row in rep] == pytest.approx([layer.total for layer in expected], rel=1e-12)
    assert rep.network == "ann"
    assert rep == energy.estimate(graph, None, strided=strided)


@both_countings
def test_ann_twin_adds_where_a_convolution_reads_a_sum(strided):
    twin = energy.ann(plain_sum(), strided=strided)["b"].total
    add = lemaire.layer("add", (6, 8, 8), (6, 8, 8), inputs=2)
    alone = lemaire.layer("conv", (6, 8, 8), (4, 4, 4), 3, 2, bias=False, strided=strided)
    assert twin == pytest.approx((alone + add).total)


def test_ann_twin_does_not_depend_on_time_or_levels():
    a, b = energy.ann(residual(levels=1, timesteps=4)), energy.ann(residual(levels=8, timesteps=1))
    assert a.total == b.total
    assert a.spread == b.spread


@both_countings
def test_a_sum_counts_what_its_sources_send_or_its_sites(strided):
    graph = plain_sum(timesteps=2)
    act = counted(graph)
    shape = {"kind": "conv", "in_shape": (6, 8, 8), "out_shape": (4, 4, 4), "stride": 2, "bias": False, "steps": 2}
    shape["strided"] = strided
    m = act.mean_events
    sent = lemaire.layer(**shape, events_in=m("a") + m("stem"), events_out=m("b"), levels=2)
    # a site of the sum of two 2-level spikes holds up to 4
    sites = lemaire.layer(**shape, events_in=act.mean_sites(graph["b"]), events_out=m("b"), levels=4)
    assert energy.estimate(graph, act, strided=strided)["b"].total == pytest.approx(sent.total, rel=1e-12)
    found = energy.estimate(graph, act, sums="sites", strided=strided)
    assert found["b"].total == pytest.approx(sites.total, rel=1e-12)


@both_countings
def test_two_synapses_share_one_population(strided):
    """A convolution and a skip into the same dendrite: updates, bias and output are charged once."""
    neuron = MultiLevel(4, 16)
    graph = NetGraph(
        Input((3, 8, 8), bits=1),
        (
            Layer("stem", (Connection("input", conv(6, 3)),), (6, 8, 8), neuron),
            Layer(
                "both",
                (Connection("stem", conv(6, 6)), Connection("stem", Identity(8))),
                (6, 8, 8),
                neuron,
                np.ones(6, int),
            ),
        ),
    )
    act = counted(graph)
    events, out = act.mean_events("stem"), act.mean_events("both")
    row = energy.estimate(graph, act, strided=strided)["both"]
    shape = {"kind": "conv", "in_shape": (6, 8, 8), "out_shape": (6, 8, 8), "strided": strided}
    alone = lemaire.layer(**shape, events_in=events, events_out=out, levels=4)
    skip = lemaire.layer("identity", (6, 8, 8), (6, 8, 8), events_in=events, events_out=0, levels=4).counts
    assert row.terms["weights"] == pytest.approx(alone.weights)
    assert row.terms["bias"] == pytest.approx(alone.bias)
    assert row.counts["acc"] == pytest.approx(alone.counts.acc + skip.acc)
    assert row.counts["rd_pot"] == pytest.approx(alone.counts.rd_pot + events)
    twin = lemaire.layer(**shape) + lemaire.layer("add", (6, 8, 8), (6, 8, 8))
    assert energy.ann(graph, strided=strided)["both"].total == pytest.approx(twin.total)


def test_lif_input_block_and_recurrence():
    """Stock layers: an injection into leaky neurons, and a recurrent dense layer."""
    graph = NetGraph(
        Input((4, 1, 1), bits=1),
        (
            Layer("encoder", (Connection("input", Injection()),), (4, 1, 1), LIF(10, dv=128), np.ones(4, int)),
            Layer(
                "loop",
                (Connection("encoder", Dense(np.ones((5, 4), int))), Connection("loop", Dense(np.ones((5, 5), int)))),
                (5, 1, 1),
                LIF(10, dv=0),
            ),
        ),
        timesteps=3,
    )
    act = counted(graph)
    rep = energy.estimate(graph, act)
    assert rep["encoder"].counts["mac"] == 3 * 4  # the leak
    assert rep["encoder"].counts["rd_bias"] == 3 * 4
    assert rep["loop"].counts["mac"] == 0
    assert rep["loop"].counts["acc_synaptic"] == pytest.approx(
        5 * (act.mean_events("encoder") + act.mean_events("loop"))
    )
    assert energy.ann(graph).total > 0


def delayed(synapse):
    """A dense layer with or without delays between two others."""
    weight = np.arange(40).reshape(4, 10) - 20
    return NetGraph(
        Input((6, 1, 1), bits=1),
        (
            Layer("first", (Connection("input", Dense(np.ones((10, 6), int))),), (10, 1, 1), MultiLevel(2, 3)),
            Layer("late", (Connection("first", synapse(weight)),), (4, 1, 1), MultiLevel(2, 9)),
            Layer("read", (Connection("late", Dense(np.ones((3, 4), int))),), (3, 1, 1), Readout()),
        ),
        timesteps=3,
    )


@pytest.mark.parametrize("model", ["lemaire", "horowitz", "loihi1"])
def test_delays_cost_what_the_synapses_cost(model):
    """A dense synapse with delays reads the same weights and potentials as one without, only later."""
    late, prompt = delayed(lambda w: DelayDense(w, np.arange(10)[None] % 3)), delayed(Dense)
    act = counted(late)
    found, expected = energy.estimate(late, act, model), energy.estimate(prompt, act, model)
    for row, other in zip(found, expected, strict=True):
        assert (row.terms, row.counts) == (other.terms, other.counts)
    assert found["late"].total > 0 and found["late"].kind == "delay_dense+multilevel"
    if model != "loihi1":
        assert energy.ann(late, model).total == energy.ann(prompt, model).total


def test_analog_input_is_recognised_and_can_be_overruled():
    graph = residual(timesteps=3)
    act = counted(graph)
    analog = energy.estimate(graph, act)
    assert analog["stem"].counts["mac"] > 0
    spikes = energy.estimate(graph, act, analog_input=False, input_levels=4)
    assert spikes["stem"].counts["mac"] == 0
    expected = lemaire.layer(
        "conv", (3, 8, 8), (6, 8, 8), events_in=act.mean_events("input"), events_out=act.mean_events("stem"), steps=3,
        levels=4, strided="exact",
    )  # fmt: skip
    assert spikes["stem"].total == pytest.approx(expected.total)
    assert energy.estimate(residual(bits=1), counted(residual(bits=1)))["stem"].counts["mac"] == 0


def test_values_never_cost_more_than_the_worst_case():
    graph = residual(levels=4, timesteps=2)
    act = counted(graph)  # mean value 2 per event
    worst, mean = energy.estimate(graph, act), energy.estimate(graph, act, charge="values")
    assert mean["a"].terms["synaptic"] < worst["a"].terms["synaptic"]
    synaptic = worst["a"].counts["acc_synaptic"] * Options().operations.add
    assert worst["a"].terms["synaptic"] - mean["a"].terms["synaptic"] == pytest.approx(2 * synaptic)


def test_a_graded_relay_costs_at_most_a_mac():
    """A relay behind a convolution sends large values: one MAC per synaptic operation, not hundreds of ACC."""
    graph = NetGraph(
        Input((3, 8, 8), bits=1),
        (
            Layer("down", (Connection("input", Conv(np.full((4, 3, 3, 3), 10), padding=1)),), (4, 8, 8), Relay()),
            Layer("next", (Connection("down", Identity()),), (4, 8, 8), MultiLevel(4, 8)),
        ),
    )
    act = counted(graph)
    row = energy.estimate(graph, act)["next"]
    events, out = act.mean_events("down"), act.mean_events("next")
    e = Options().operations
    assert row.terms["synaptic"] == pytest.approx(events * e.mac + out * e.add)
    large = Activity(act.samples, act.events, {k: 1000 * v for k, v in act.values.items()}, act.sites)
    assert energy.estimate(graph, large, charge="values")["next"].terms["synaptic"] == row.terms["synaptic"]
    small = energy.estimate(graph, act, charge="values")["next"]  # mean value 2
    assert small.terms["synaptic"] == pytest.approx((2 * events + out) * e.add)


@pytest.mark.parametrize("model", ["lemaire", "horowitz"])
def test_spread_holds_the_total_and_every_variant(model):
    graph = residual(timesteps=2)
    rep, twin = energy.estimate(graph, counted(graph), model), energy.ann(graph, model)
    low, high = rep.spread
    assert low < rep.total <= high
    assert all(low <= value <= high for value in rep.variants.values())
    ratio, least, most = rep.ratio(twin)
    assert ratio == rep.total / twin.total
    assert least <= ratio <= most
    assert not energy.estimate(graph, counted(graph), model, spread=False).variants


def test_variants_are_what_their_names_say():
    graph = residual(timesteps=2)
    act = counted(graph)
    rep = energy.estimate(graph, act)
    for name in ("sram=piecewise", "addressing=table", "weight_memory=filter", "pool=charged", "updates=once"):
        option, value = name.split("=")
        assert rep.variants[name] == energy.estimate(graph, act, spread=False, **{option: value}).total
    assert rep.variants["sums=sites"] == energy.estimate(graph, act, sums="sites", spread=False).total
    assert rep.variants["paper000_tables"] == energy.estimate(graph, act, options="paper000_tables").total
    thin = energy.estimate(graph, act, bits=32)
    assert "ops=saturation" in thin.variants
    assert thin.variants["qualia"] == energy.estimate(graph, act, options="qualia", bits=32).total
    published = energy.estimate(graph, act, bits=32, strided="published")
    assert "qualia" not in published.variants  # it is the chosen one
    assert published.variants["strided=exact"] == thin.total


def test_horowitz_network():
    graph = residual(levels=4, timesteps=2)
    act = counted(graph)
    rep = energy.estimate(graph, act, "horowitz")
    assert rep["stem"].counts["macs"] == 2 * 27 * 6 * 64
    ops = 54 * 6 * 64
    assert rep["a"].counts["additions"] == pytest.approx(4 * act.mean_events("stem") / (6 * 64) * ops)
    assert rep["barrier"].total == rep["pool"].total == 0
    twin = energy.ann(graph, "horowitz")
    macs = 27 * 6 * 64 + ops + 960
    assert twin.total == pytest.approx(macs * 4.6e-12)
    assert energy.ann(graph, "horowitz", double_count=True).total == pytest.approx(macs * 5.5e-12)


def test_loihi_network_by_hand():
    graph = residual(levels=4, timesteps=2)
    act = counted(graph)
    rep = energy.estimate(graph, act, "loihi1", active="all", hops_x=2, hops_y=1)
    m = act.mean_events
    fan = graph["a"].synapse.fan_out((6, 8, 8)).mean()
    expected = loihi.Loihi1Counts(
        synop_conv=m("stem") * fan, update_active=2 * 384, spike_out=m("a"), spike_tile=m("a"), message_out=m("a"),
        message_in=m("a"), hop_x=2 * m("a"), hop_y=m("a"),
    )  # fmt: skip
    assert rep["a"].total == pytest.approx(loihi.energy(expected))
    assert rep["stem"].counts["spike_tile"] == pytest.approx(2 * m("stem"))  # read by "a" and by "barrier"
    assert rep.step_seconds > 465e-9
    assert rep.seconds == pytest.approx(rep.step_seconds * (2 + graph.latency))
    less = energy.estimate(graph, act, "loihi1", active="none").total
    assert (
        less < energy.estimate(graph, act, "loihi1").total < energy.estimate(graph, act, "loihi1", active="all").total
    )
    assert "table=sanafe2025" in rep.variants
    guess = energy.estimate(graph, act, "loihi2_estimate")
    assert guess.model == "loihi2_estimate"
    assert guess.seconds is None and guess.step_seconds is None and any("mlsnn fit" in note for note in guess.notes)


@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 2), st.integers(0, 2), st.integers(1, 2), st.integers(3, 6))
@settings(max_examples=60, deadline=None)
def test_mean_fanout_is_the_walk_over_all_synapses(ky, kx, stride, padding, dilation, size):
    """Every pair of input site and output site that a kernel position joins, counted one by one."""
    synapse = Conv(np.ones((2, 1, ky, kx), int), stride=stride, padding=padding, dilation=dilation)
    try:
        out = synapse.out_shape((1, size, size))
    except ValueError:
        return
    pairs = 0
    for oy in range(out[1]):
        for ox in range(out[2]):
            for i in range(ky):
                for j in range(kx):
                    y, x = oy * stride + i * dilation - padding, ox * stride + j * dilation - padding
                    pairs += 0 <= y < size and 0 <= x < size
    assert synapse.fan_out((1, size, size)).mean() == pytest.approx(2 * pairs / size**2)


@given(st.integers(1, 3), st.integers(1, 6), st.integers(0, 2**31))
@settings(max_examples=25, deadline=None)
def test_reports_add_like_activities(timesteps, levels, seed):
    """Twice the samples with the same counts is the same energy; energies are affine in the events."""
    graph = residual(levels, timesteps)
    act = counted(graph, np.random.default_rng(seed))
    for model in ("lemaire", "horowitz", "loihi1"):
        one = energy.estimate(graph, act, model, spread=False)
        assert energy.estimate(graph, act + act, model, spread=False).total == pytest.approx(one.total)
        silent = energy.estimate(graph, Activity.zeros(graph, 1), model, spread=False)
        assert silent.total <= one.total


def test_frame_and_json_hold_the_same_numbers():
    graph = residual(timesteps=2)
    rep = energy.estimate(graph, counted(graph))
    frame = rep.to_frame()
    assert list(frame.index) == [*(layer.name for layer in graph), "total"]
    assert frame.loc["total", "total"] == pytest.approx(rep.total)
    assert frame.loc["a", "weights"] == rep["a"].terms["weights"]
    content = json.loads(rep.to_json())
    assert content["total"] == rep.total
    assert content["unit"] == "J"
    assert (content["spread"]["low"], content["spread"]["high"]) == rep.spread
    assert [row["terms"]["weights"] for row in content["layers"]] == [row.terms["weights"] for row in rep]
    assert {row["table"] for row in content["constants"]} == {"horowitz2014-int", "sram-regression", "sram-points"}
    assert all(row["source"] for row in content["constants"])
    assert content["settings"]["bits"] == 16
    assert "documented variants" in str(rep)
    for model in ("horowitz", "loihi1", "loihi2_estimate"):
        assert json.loads(energy.estimate(graph, counted(graph), model).to_json())["model"] == model


@pytest.mark.parametrize("model", ["lemaire", "horowitz", "loihi1"])
def test_a_kind_without_a_formula_is_named(model, monkeypatch):
    graph = sigma_delta()
    activity = Activity.zeros(graph, 1)
    with monkeypatch.context() as changed:
        changed.setattr(Delta, "priced", False)
        with pytest.raises(NoFigureError, match=f"layer 'enc': model '{model}' has no formula for a 'delta' neuron"):
            energy.estimate(graph, activity, model)
        assert energy.ann(graph).total > 0
    monkeypatch.setattr(Dense, "priced_as", "")
    with pytest.raises(NoFigureError, match=f"layer 'hidden': model '{model}' has no formula for a 'dense' synapse"):
        energy.estimate(graph, activity, model)
    with pytest.raises(NoFigureError, match="layer 'hidden': model 'lemaire' has no formula"):
        energy.ann(graph)


def sigma_delta():
    """An encoded input, a hidden layer of sigma-delta neurons with biases, and a decoded output, over four frames."""
    return NetGraph(
        Input((6, 1, 1)),
        (
            Layer("enc", (Connection("input", Injection()),), (6, 1, 1), Delta(3)),
            Layer(
                "hidden", (Connection("enc", Dense(np.ones((5, 6), int))),), (5, 1, 1), SigmaDelta(2), np.ones(5, int)
            ),
            Layer("out", (Connection("hidden", Dense(np.ones((2, 5), int))),), (2, 1, 1), Sigma()),
        ),
        timesteps=4,
    )


def test_sigma_delta_by_hand():
    """The same accesses as of spiking neurons, all words of state in an update, at most a MAC per operation."""
    graph = sigma_delta()
    act = counted(graph)
    rep = energy.estimate(graph, act)
    m, access, e = act.mean_events, Options().access, Options().operations
    hidden = rep["hidden"]
    assert hidden.terms["potentials"] == pytest.approx(2 * (m("enc") * 5 + 3 * 4 * 5) * access(5))
    assert hidden.terms["weights"] == pytest.approx(m("enc") * 5 * access(30))
    assert hidden.terms["bias"] == pytest.approx(4 * 5 * access(5))
    assert hidden.terms["io"] == pytest.approx((m("enc") + m("hidden")) * access(1000))
    # a change is charged as a MAC; the bias, x - x_prev + r, and what is sent leaves the residue
    adds = 4 * 5 * (1 + 2) + m("hidden")
    assert hidden.terms["synaptic"] == pytest.approx(m("enc") * 5 * e.mac + adds * e.add)
    encoder, decoder = rep["enc"], rep["out"]
    assert encoder.terms["potentials"] == pytest.approx(2 * (m("input") + 2 * 4 * 6) * access(6))
    assert encoder.terms["synaptic"] == pytest.approx((m("input") + 2 * 4 * 6 + m("enc")) * e.add)
    assert decoder.terms["potentials"] == pytest.approx(2 * (m("hidden") * 2 + 4 * 2) * access(2))
    assert all(row.extension for row in rep)
    assert any("Sigma-delta" in note for note in rep.notes)
    mean = energy.estimate(graph, act, charge="values")["hidden"]  # mean change 2
    assert mean.terms["synaptic"] == pytest.approx((2 * m("enc") * 5 + adds) * e.add)
    twin = energy.ann(graph)
    assert not any(row.extension for row in twin) and any("sequence" in note for note in twin.notes)
    for model in ("horowitz", "loihi1"):
        found = energy.estimate(graph, act, model)
        assert found.total > 0 and all(row.extension for row in found)


PILOTNET = ((2475.93, None), (239.46, 133700.12), (422.39, 19395.86), (558.71, 121649.28), (29.90, 321818.47),
            (4.80, 2989.97), (1.35, 240.00), (0.16, 13.46), (0.44, 0.16))  # fmt: skip
"""Events and synaptic operations per frame and layer, as lava-dl's tutorial of the PilotNet SDNN prints them."""


def test_pilotnet_s_operations_are_those_that_lava_dl_counts():
    """Theirs are events x Cout K / stride, "ignoring padding"; an event reaches fewer synapses near the borders."""
    spec = find_spec("lava.lib.dl.netx")
    assert spec is not None and spec.origin is not None
    path = Path(spec.origin).parents[4] / "tests/lava/lib/dl/netx/gts/pilotnet_sdnn/network.net"
    graph, samples = netx.load(path), 10_000
    assert len(graph) == len(PILOTNET)
    activity = Activity.zeros(graph, samples)
    for layer, (events, _) in zip(graph, PILOTNET, strict=True):
        activity.events[layer.name][0] = activity.values[layer.name][0] = round(events * samples)
    rep = energy.estimate(graph, activity)
    # taps on the map over kernel / stride x sites, by axis: without padding that is out x stride / in
    borders = (98 / 100 * 32 / 33, 48 / 49 * 14 / 16, 22 / 24 * (3 * 4 - 2) / (1.5 * 7), 20 / 22 * 2 / 4, 1, 1, 1, 1)
    for row, (_, synops), share in zip(rep.layers[1:], PILOTNET[1:], borders, strict=True):
        assert row.counts["acc_synaptic"] == pytest.approx(synops * share, rel=1e-3, abs=0.5), row.name
        assert row.extension
    share, _, _ = rep.ratio(energy.ann(graph))
    assert 0 < share < 1


def test_a_recurrent_relay_is_charged_at_most_a_mac():
    """What a layer without dynamics sends itself has no bound: each operation costs a multiply-accumulate."""
    loop = (Connection("input", Dense(np.ones((3, 4), int))), Connection("loop", Dense(np.ones((3, 3), int))))
    layers = (
        Layer("loop", loop, (3, 1, 1), Relay()),
        Layer("read", (Connection("loop", Dense(np.ones((2, 3), int))),), (2, 1, 1), Readout()),
    )
    graph = NetGraph(Input((4, 1, 1), bits=1), layers, timesteps=2)
    act = counted(graph)
    row, e = energy.estimate(graph, act)["read"], Options().operations
    assert row.terms["synaptic"] == pytest.approx(act.mean_events("loop") * 2 * e.mac + 2 * 2 * e.add)
    for model in ("lemaire", "horowitz", "loihi1"):
        assert energy.estimate(graph, act, model).total > 0


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"model": "lemair"}, "model: expected one of lemaire, horowitz, loihi1, loihi2_estimate, got 'lemair'"),
        ({"sums": "both"}, "sums: expected one of connections, sites, got 'both'"),
        ({"charge": "mean"}, "charge: expected one of levels, values, got 'mean'"),
        ({"model": "horowitz", "bits": 8}, "model 'horowitz' has no setting 'bits': expected one of sums, charge"),
        ({"model": "loihi1", "active": "some"}, "active: expected one of expected, all, none, got 'some'"),
        ({"model": "loihi1", "table": "boyle"}, "loihi table: expected one of davies2018"),
        ({"model": "loihi1", "hops_x": -1}, "hops_x: expected a finite number >= 0, got -1"),
        ({"input_levels": 0, "analog_input": False}, "input_levels: expected an integer >= 1, got 0"),
        ({"bitz": 8}, "model 'lemaire' has no setting 'bitz': expected one of options, sums, .* e_mul_J$"),
        ({"analog_input": "no"}, "analog_input: expected True or False, got 'no'"),
        ({"spread": "x"}, "spread: expected True or False, got 'x'"),
        ({"model": "horowitz", "spread": None}, "spread: expected True or False, got None"),
        ({"model": "horowitz", "double_count": "no"}, "double_count: expected True or False, got 'no'"),
        ({"model": "loihi1", "spread": 2}, "spread: expected True or False, got 2"),
    ],
)
def test_settings_are_checked(kwargs, message):
    graph = residual()
    with pytest.raises(ValueError, match=message):
        energy.estimate(graph, counted(graph), **kwargs)


def test_every_name_that_an_unknown_setting_is_told_is_accepted():
    graph = residual()
    with pytest.raises(ValueError, match="no setting") as caught:
        energy.estimate(graph, counted(graph), bogus=1)
    names = str(caught.value).partition("expected one of ")[2].split(", ")
    assert {"options", "charge", "analog_input", "spread", "bits", "sram", "mem_width_bits"} <= set(names)
    for name in names:
        with pytest.raises(ValueError, match=r": expected .* got <object") as refused:
            energy.estimate(graph, counted(graph), **{name: object()})
        assert "no setting" not in str(refused.value)


def test_loihi2_has_no_public_figures():
    graph = residual()
    with pytest.raises(UnpublishedError, match="Intel has published no energy"):
        energy.estimate(graph, counted(graph), "loihi2")
    with pytest.raises(UnpublishedError, match="'loihi2' has not been published"):
        energy.estimate(graph, counted(graph), "loihi1", table="loihi2")
    with pytest.raises(ValueError, match="expected an Activity, got None"):
        energy.ann(graph, "loihi1")


def test_activity_of_another_network_is_refused():
    graph = residual(timesteps=2)
    act = counted(graph)
    with pytest.raises(ValueError, match="activity of 2 timesteps, the network has 1"):
        energy.estimate(residual(timesteps=1), act)
    with pytest.raises(ValueError, match="activity of another network: layers b, barrier, pool, read"):
        energy.estimate(plain_sum(timesteps=2), act)
    with pytest.raises(ValueError, match="expected at least one sample, got 0"):
        energy.estimate(graph, Activity.zeros(graph))
    many = Activity(act.samples, {**act.events, "a": act.events["a"] + 10**6}, act.values, act.sites)
    with pytest.raises(ValueError, match=r"activity of 'a': expected 0 \.\. 1152 events per step"):
        energy.estimate(graph, many)


def test_energy_never_loads_torch():
    code = "import sys, lava_mlsnn.energy; print('torch' in sys.modules, 'pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_counts_of_the_engine():
    """The engine's own activity: graded T=1 N=4 beside binary T=4 N=1 of the same network, one ANN twin."""
    from lava_mlsnn import sim

    images = np.random.default_rng(0).integers(0, 256, (5, 3, 8, 8))
    graphs = [residual(levels=4, timesteps=1), residual(levels=1, timesteps=4)]
    reports = [energy.estimate(graph, sim.run(graph, images).activity) for graph in graphs]
    assert reports[0].total < reports[1].total
    for graph, rep in zip(graphs, reports, strict=True):
        activity = sim.run(graph, images).activity
        assert rep["a"].counts["rd_in"] == activity.mean_events("stem") > 0
        assert rep.ratio(energy.ann(graph))[0] > 0


def test_a_relay_of_a_sum_sends_the_sum_of_its_sources():
    """A 2 x 2 sum pool over two 2-level layers sends values up to 16."""
    neuron = MultiLevel(2, 16)
    graph = NetGraph(
        Input((3, 8, 8), bits=1),
        (
            Layer("stem", (Connection("input", conv(6, 3)),), (6, 8, 8), neuron),
            Layer("a", (Connection("stem", conv(6, 6)),), (6, 8, 8), neuron),
            Layer("pool", (Connection(("a", "stem"), Pool()),), (6, 4, 4), Relay()),
            Layer("read", (Connection("pool", Dense(np.ones((10, 96), int))),), (10, 1, 1), Readout()),
        ),
    )
    act = counted(graph)
    expected = lemaire.layer("dense", 96, 10, bias=False, events_in=act.mean_events("pool"), levels=16)
    assert energy.estimate(graph, act)["read"].total == pytest.approx(expected.total)


def test_expected_share_of_active_updates_is_what_random_events_reach():
    """Events thrown at random on the input of a dense layer: the mean share of neurons with at least one event."""
    graph = NetGraph(
        Input((6, 1, 1), bits=1),
        (
            Layer("all", (Connection("input", Dense(np.ones((4, 6), int))),), (4, 1, 1), MultiLevel(1, 3)),
            Layer("one", (Connection("all", Identity()),), (4, 1, 1), MultiLevel(1, 3)),
        ),
    )
    rng = np.random.default_rng(0)
    samples = 4000
    x, y = rng.random((samples, 6)) < 0.2, rng.random((samples, 4)) < 0.3
    events = {"input": np.array([x.sum()]), "all": np.array([y.sum()]), "one": np.array([0])}
    sites = {"all": np.array([[x.sum()]]), "one": np.array([[y.sum()]])}
    rep = energy.estimate(graph, Activity(samples, events, events, sites), "loihi1")
    assert rep["all"].counts["update_active"] / 4 == pytest.approx(x.any(axis=1).mean(), abs=0.02)
    assert rep["one"].counts["update_active"] / 4 == pytest.approx(y.mean(), rel=1e-9)


def test_other_things_than_graphs_and_activities_are_refused():
    with pytest.raises(ValueError, match=r"graph: expected a NetGraph .* got str"):
        energy.estimate("x.net", None)
    read = Layer("read", (Connection("input", Dense([[1]])),), (1, 1, 1), Readout())
    with pytest.raises(ValueError, match=r"activity: expected an Activity such as run.activity, or None, got dict"):
        energy.estimate(NetGraph(Input((1, 1, 1)), (read,)), {})
