"""What an event costs in a kernel: the positions that it reaches, or the whole kernel as published."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lava_mlsnn import energy, sim
from lava_mlsnn.energy import PRESETS, Activity, Options, lemaire, paper000
from lava_mlsnn.energy.geometry import Geometry
from lava_mlsnn.energy.options import CHOICES
from lava_mlsnn.netx import Connection, Conv, Dense, Input, Layer, MultiLevel, NetGraph, Pool, Readout, Relay

EXACT = Options(strided="exact")


@st.composite
def convolutions(draw):
    """A convolution that fits its map, and the map."""
    groups = draw(st.sampled_from((1, 1, 2, 3)))
    per_group, outputs = draw(st.integers(1, 3)), groups * draw(st.integers(1, 3))
    kernel = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    pair = lambda low, high: (draw(st.integers(low, high)), draw(st.integers(low, high)))  # noqa: E731
    weight = np.ones((outputs, per_group, *kernel), int)
    synapse = Conv(weight, stride=pair(1, 3), padding=pair(0, 3), dilation=pair(1, 2), groups=groups)
    shape = (groups * per_group, *pair(1, 9))
    try:
        synapse.out_shape(shape)
    except ValueError:
        assume(False)
    return synapse, shape


def described(synapse, shape):
    """The convolution in the words of the layer's function."""
    window = synapse.window
    return {
        "kind": "conv", "in_shape": shape, "out_shape": synapse.out_shape(shape), "kernel": window.kernel,
        "stride": window.stride, "groups": window.groups, "padding": window.padding, "dilation": window.dilation,
    }  # fmt: skip


def walked(synapse, shape):
    """Pairs of sites that a tap of the kernel joins, one by one."""
    window, (outputs, rows, columns) = synapse.window, synapse.out_shape(shape)
    pairs = 0
    for oy, ox, ky, kx in itertools.product(range(rows), range(columns), *map(range, window.kernel)):
        y = oy * window.stride[0] - window.padding[0] + ky * window.dilation[0]
        x = ox * window.stride[1] - window.padding[1] + kx * window.dilation[1]
        pairs += 0 <= y < shape[1] and 0 <= x < shape[2]
    return pairs * shape[0] * outputs // window.groups


@given(convolutions())
@settings(max_examples=150, deadline=None)
def test_synapses_are_those_of_a_walk_over_all_taps(drawn):
    synapse, shape = drawn
    pairs = walked(synapse, shape)
    layer = described(synapse, shape)
    assert Geometry(**layer).synapses == pairs == synapse.fan_out(shape).sum()
    counts = lemaire.layer(**layer, events_in=7, strided="exact").counts
    per_event = pairs / np.prod(shape)
    for name in ("acc_synaptic", "rd_weights", "wr_pot"):
        reads = getattr(counts, name)
        assert reads - (layer["out_shape"][0] * np.prod(layer["out_shape"][1:]) if name == "wr_pot" else 0) == (
            pytest.approx(7 * per_event)
        )
    positions = per_event / (len(synapse.weight) // synapse.groups)
    assert counts.acc_addr == pytest.approx(7 * positions)
    wide = lemaire.layer(**layer, events_in=7, strided="exact", conv_addressing="lemaire").counts
    assert wide.acc_addr == pytest.approx(7 * per_event)
    assert lemaire.layer(**layer, strided="exact").counts.mac == pairs


@given(convolutions(), st.sampled_from(CHOICES["weight_memory"]), st.booleans(), st.sampled_from(CHOICES["grouped"]))
@settings(max_examples=150, deadline=None)
def test_no_term_exceeds_the_ann_at_full_activity(drawn, memory, bias, grouped):
    """Every input fires once, N = 1, T = 1: what is more than in the ANN is potentials, queues and addresses alone."""
    synapse, shape = drawn
    layer = {**described(synapse, shape), "bias": bias, "strided": "exact", "weight_memory": memory, "grouped": grouped}
    n_in, n_out = int(np.prod(shape)), int(np.prod(synapse.out_shape(shape)))
    ann = lemaire.layer(**layer)
    for analog in (False, True):
        snn = lemaire.layer(**layer, events_in=n_in, events_out=n_out, analog_input=analog)
        for term in ("weights", "bias", "synaptic"):
            assert getattr(snn, term) <= getattr(ann, term) * (1 + 1e-12) + n_out * EXACT.operations.add, term
        assert snn.counts.rd_weights == pytest.approx(ann.counts.rd_weights)
        assert snn.counts.rd_bias == ann.counts.rd_bias
        assert snn.counts.acc_synaptic + snn.counts.mac == pytest.approx(ann.counts.mac)


def test_the_published_counting_reads_more_weights_than_its_ann():
    """A 3 x 3 kernel of stride 2: 9 positions per event in place of 2.16, so 4.0 times the ANN's own reads."""
    shape = {"kind": "conv", "in_shape": (4, 32, 32), "out_shape": (8, 16, 16), "stride": 2}
    full = 4 * 32 * 32
    published, ann = lemaire.layer(**shape, events_in=full).counts, lemaire.layer(**shape).counts
    assert published.rd_weights / ann.rd_weights == 4.0
    exact = lemaire.layer(**shape, events_in=full, strided="exact").counts
    assert round(exact.rd_weights / full / 8, 2) == 2.16
    assert exact.rd_weights == lemaire.layer(**shape, strided="exact").counts.rd_weights < ann.rd_weights


@given(convolutions())
@settings(max_examples=100, deadline=None)
def test_without_padding_given_the_fewest_zeros_that_fit_are_taken(drawn):
    synapse, shape = drawn
    layer = described(synapse, shape)
    window, out = synapse.window, layer["out_shape"]
    fewest = []
    for axis in (0, 1):
        sizes = [
            (shape[axis + 1] + 2 * p - window.dilation[axis] * (window.kernel[axis] - 1) - 1) // window.stride[axis] + 1
            for p in range(window.padding[axis] + 1)
        ]
        fewest.append(sizes.index(out[axis + 1]))
    assert Geometry(**{**layer, "padding": None}).synapses == Geometry(**{**layer, "padding": tuple(fewest)}).synapses


def test_a_padding_that_does_not_fit_is_named():
    with pytest.raises(ValueError, match=r"padding: expected one with which the kernel gives \(4, 8, 8\), \(0, 0\)"):
        lemaire.layer("conv", (3, 8, 8), (4, 8, 8), padding=0)
    with pytest.raises(ValueError, match="dilation: expected an integer >= 1, got 0"):
        lemaire.layer("conv", (3, 8, 8), (4, 8, 8), dilation=0)
    with pytest.raises(ValueError, match="strided: expected one of exact, published, got 'both'"):
        Options(strided="both")


def test_a_pool_that_is_charged_reaches_one_site_per_event():
    shape = {"kind": "pool", "in_shape": (4, 7, 7), "out_shape": (4, 3, 3), "kernel": 2, "stride": 2}
    counts = lemaire.layer(**shape, events_in=49, pool="charged", strided="exact").counts
    assert counts.acc_synaptic == 36  # the last row and column reach nothing


@pytest.mark.parametrize("events", [{}, {"events_in": 70}, {"events_in": 70, "analog_input": True}])
def test_full_groups_count_like_one_group(events):
    shape = {"kind": "conv", "in_shape": (6, 9, 9), "out_shape": (4, 5, 5), "stride": 2, "strided": "exact"}
    grouped = lemaire.layer(**shape, **events, groups=2, grouped="full")
    assert grouped.counts == lemaire.layer(**shape, **events).counts


def test_who_counts_how():
    """Networks exactly; presets and the layer's function, which the golden files hold, as published."""
    assert Options().strided == "exact"
    assert {preset.strided for preset in PRESETS.values()} == {"published"}
    shape = {"kind": "conv", "in_shape": (3, 9, 9), "out_shape": (4, 5, 5), "stride": 2, "events_in": 50}
    published, exact = (lemaire.layer(**shape, strided=counting) for counting in ("published", "exact"))
    assert lemaire.layer(**shape) == published != exact == lemaire.layer(**shape, options=Options())
    assert energy.ann(strided_graph()).settings["strided"] == "exact"


def strided_graph(kind="stride"):
    """Two convolutions of 3 x 3 and a classifier, with stride 2 or max-pool-like halving by a sum pool."""
    rng = np.random.default_rng(0)
    stride = 2 if kind == "stride" else 1
    neuron = MultiLevel(4, 60)
    layers = [
        Layer("a", (Connection("input", Conv(rng.integers(-9, 20, (6, 2, 3, 3)), padding=1)),), (6, 8, 8), neuron),
        Layer(
            "b", (Connection("a", Conv(rng.integers(-9, 20, (6, 6, 3, 3)), padding=1, stride=stride)),),
            (6, 8 // stride, 8 // stride), neuron,
        ),
    ]  # fmt: skip
    if kind == "pool":
        layers.append(Layer("pool", (Connection("b", Pool()),), (6, 4, 4), Relay()))
    read = Connection(layers[-1].name, Dense(rng.integers(-9, 10, (10, 96))))
    return NetGraph(Input((2, 8, 8), bits=4), (*layers, Layer("read", (read,), (10, 1, 1), Readout())))


def counted(graph):
    return sim.run(graph, np.random.default_rng(1).integers(0, 16, (20, 2, 8, 8))).activity


def test_a_report_says_how_it_counted_and_what_the_other_counting_gives():
    graph = strided_graph()
    activity = counted(graph)
    exact, published = (energy.estimate(graph, activity, strided=counting) for counting in ("exact", "published"))
    assert energy.estimate(graph, activity) == exact
    for report, counting in ((exact, "exact"), (published, "published")):
        content = report.to_dict()
        assert report.counting == content["counting"] == content["settings"]["strided"] == counting
        assert report.countings == content["countings"] == {"exact": exact.total, "published": published.total}
        assert f"{counting} counting" in str(report)
    assert exact.variants["strided=published"] == published.total
    twins = [energy.ann(graph, strided=counting) for counting in ("exact", "published")]
    ratios = {"exact": exact.total / twins[0].total, "published": published.total / twins[1].total}
    assert exact.ratios(twins[0]) == published.ratios(twins[1]) == ratios
    assert list(published.ratios(twins[1])) == ["published", "exact"]
    for model, counting in (("horowitz", "published"), ("loihi1", "exact")):
        assert energy.estimate(graph, activity, model).counting == counting


def test_a_stride_changes_the_verdict_and_a_pool_does_not():
    """With a pool both countings give about the same share of the ANN; with a stride the published one is far above."""
    ratios = {}
    for kind in ("stride", "pool"):
        graph = strided_graph(kind)
        activity = Activity.zeros(graph, 10)
        for name in ("input", "a", "b"):
            activity.events[name][:] = activity.values[name][:] = int(np.prod(graph.shape(name))) * 4
        if kind == "pool":
            activity.events["pool"][:] = activity.values["pool"][:] = 6 * 16 * 8
        ratios[kind] = energy.estimate(graph, activity).ratios(energy.ann(graph))
    assert ratios["pool"]["published"] == pytest.approx(ratios["pool"]["exact"], rel=0.1)
    assert ratios["stride"]["published"] > 1.6 * ratios["stride"]["exact"]


@pytest.mark.parametrize(
    ("steps", "levels", "exact", "potentials", "weights"),
    [(4, 1, 1.04, 3.58e6, 1.43e6), (1, 4, 0.44, None, None), (8, 1, 1.72, None, None), (1, 8, 0.52, None, None)],
)
def test_paper_000s_geometry_counted_exactly(steps, levels, exact, potentials, weights):
    """SNN / ANN on the paper's VGG16 at one rate everywhere, a memory of one filter per weight."""
    from lava_mlsnn.papers.paper000 import geometry

    options = PRESETS["paper000_tables"].but(strided="exact")
    layers = paper000.vgg16(paper000.INPUTS["cifar10"], border=False)
    most = np.array([g.n_out * steps for g in layers[:-1]], float)
    spikes = most * geometry.printed_spikes("cifar10", steps, levels) / most.sum()
    parts = []
    for i, g in enumerate(layers):
        analog = i == 0
        events = float(g.n_in * steps) if analog else float(spikes[i - 1])
        sent = float(spikes[i]) if i < len(spikes) else 0.0
        parts.append(lemaire.connection(g, events, steps, levels, options, analog=analog))
        parts.append(lemaire.population(g, sent, steps, options, leaky=False, analog=analog))
    snn, ann = lemaire.total(parts), lemaire.total(lemaire.ann_layer(g, options) for g in layers)
    assert snn.total / ann.total == pytest.approx(exact, abs=0.011)
    if potentials:
        assert snn.potentials * 1e9 == pytest.approx(potentials, rel=2e-3)
        assert snn.weights * 1e9 == pytest.approx(weights, rel=5e-3)
