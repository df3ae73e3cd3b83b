"""Energy of whole NetGraphs: sums of layers, the ANN twin, the spread, reports, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lava_mlsnn import energy
from lava_mlsnn.energy import Activity, Options, UnpublishedError, lemaire, loihi
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
)


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


def test_a_chain_is_the_sum_of_its_layers():
    graph = residual(levels=4, timesteps=2)
    act = counted(graph)
    rep = energy.estimate(graph, act)
    m = act.mean_events
    common = {"steps": 2, "levels": 4}
    expected = {
        "stem": lemaire.layer(
            "conv", (3, 8, 8), (6, 8, 8), events_in=m("input"), events_out=m("stem"), steps=2, analog_input=True
        ),
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


def test_ann_twin_is_the_sum_of_its_layers():
    graph = residual(biased=True)
    rep = energy.ann(graph)
    expected = [
        lemaire.layer("conv", (3, 8, 8), (6, 8, 8)),
        lemaire.layer("conv", (6, 8, 8), (6, 8, 8)),
        lemaire.layer("add", (6, 8, 8), (6, 8, 8), inputs=2),
        lemaire.LayerEnergy(),
        lemaire.layer("dense", 96, 10, bias=False),
    ]
    assert [row.total for row in rep] == pytest.approx([layer.total for layer in expected], rel=1e-12)
    assert rep.network == "ann"
    assert rep == energy.estimate(graph, None)


def test_ann_twin_adds_where_a_convolution_reads_a_sum():
    twin = energy.ann(plain_sum())["b"].total
    add = lemaire.layer("add", (6, 8, 8), (6, 8, 8), inputs=2)
    assert twin == pytest.approx((lemaire.layer("conv", (6, 8, 8), (4, 4, 4), 3, 2, bias=False) + add).total)


def test_ann_twin_does_not_depend_on_time_or_levels():
    a, b = energy.ann(residual(levels=1, timesteps=4)), energy.ann(residual(levels=8, timesteps=1))
    assert a.total == b.total
    assert a.spread == b.spread


def test_a_sum_counts_what_its_sources_send_or_its_sites():
    graph = plain_sum(timesteps=2)
    act = counted(graph)
    shape = {"kind": "conv", "in_shape": (6, 8, 8), "out_shape": (4, 4, 4), "stride": 2, "bias": False, "steps": 2}
    m = act.mean_events
    sent = lemaire.layer(**shape, events_in=m("a") + m("stem"), events_out=m("b"), levels=2)
    # a site of the sum of two 2-level spikes holds up to 4
    sites = lemaire.layer(**shape, events_in=act.mean_sites(graph["b"]), events_out=m("b"), levels=4)
    assert energy.estimate(graph, act)["b"].total == pytest.approx(sent.total, rel=1e-12)
    assert energy.estimate(graph, act, sums="sites")["b"].total == pytest.approx(sites.total, rel=1e-12)


def test_two_synapses_share_one_population():
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
    row = energy.estimate(graph, act)["both"]
    alone = lemaire.layer("conv", (6, 8, 8), (6, 8, 8), events_in=events, events_out=out, levels=4)
    skip = lemaire.layer("identity", (6, 8, 8), (6, 8, 8), events_in=events, events_out=0, levels=4).counts
    assert row.terms["weights"] == pytest.approx(alone.weights)
    assert row.terms["bias"] == pytest.approx(alone.bias)
    assert row.counts["acc"] == pytest.approx(alone.counts.acc + skip.acc)
    assert row.counts["rd_pot"] == pytest.approx(alone.counts.rd_pot + events)
    twin = lemaire.layer("conv", (6, 8, 8), (6, 8, 8)) + lemaire.layer("add", (6, 8, 8), (6, 8, 8))
    assert energy.ann(graph)["both"].total == pytest.approx(twin.total)


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
        levels=4,
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
    assert "qualia" not in thin.variants  # it is the chosen one


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
    assert guess.step_seconds < energy.estimate(graph, act, "loihi1", table="sanafe2025").step_seconds


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
def test_unknown_neuron_is_named(model):
    graph = NetGraph(
        Input((4, 1, 1)),
        (
            Layer("enc", (Connection("input", Injection()),), (4, 1, 1), Delta(3)),
            Layer("read", (Connection("enc", Dense(np.ones((2, 4), int))),), (2, 1, 1), Readout()),
        ),
    )
    with pytest.raises(ValueError, match=f"layer 'enc': model '{model}' has no formula for a 'delta' neuron"):
        energy.estimate(graph, Activity.zeros(graph, 1), model)
    assert energy.ann(graph).total > 0


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
