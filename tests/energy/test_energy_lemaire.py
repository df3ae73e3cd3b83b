"""Properties of the Lemaire formulas, each against arithmetic written out here."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lava_mlsnn.energy import PRESETS, Options, lemaire
from lava_mlsnn.energy.options import CHOICES

COUNT = st.floats(0, 1e6, allow_nan=False)
EVENTS = st.integers(0, 10**6)


@st.composite
def shapes(draw, kinds=("conv", "dense")):
    kind = draw(st.sampled_from(kinds))
    groups = draw(st.sampled_from((1, 1, 2, 3))) if kind == "conv" else 1
    size = st.integers(1, 9)
    return {
        "kind": kind,
        "in_shape": (groups * draw(size), draw(size), draw(size)),
        "out_shape": (groups * draw(size), draw(size), draw(size)),
        "kernel": (draw(st.integers(1, 5)), draw(st.integers(1, 5))),
        "stride": (draw(st.integers(1, 3)), draw(st.integers(1, 3))),
        "groups": groups,
        "bias": draw(st.booleans()),
    }


@st.composite
def options(draw, **fixed):
    picked = {name: draw(st.sampled_from(values)) for name, values in CHOICES.items()}
    picked["bits"] = draw(st.sampled_from((8, 12, 16, 32)))
    picked["fifo"] = draw(st.sampled_from((0, 64, 1000)))
    return Options(**{**picked, **fixed})


def close(a, b):
    return a == pytest.approx(b, rel=1e-12, abs=1e-30)


def test_snn_conv_by_hand():
    """The SNN column in numbers: 7 events, T = 3, N = 5, LIF, 3x2 kernel, stride (2, 1)."""
    t = lemaire.layer(
        "conv", (4, 6, 5), (8, 3, 4), (3, 2), (2, 1), events_in=7, events_out=11, steps=3, levels=5, leaky=True
    )
    pj = lambda words: 13.2 + 1.09e-5 * words * 16  # noqa: E731
    n_out, k, kc, weights = 96, 6, 2 * 2, 4 * 8 * 6
    assert close(t.potentials, 2 * (7 * 8 * k + 3 * n_out) * pj(n_out) * 1e-12)
    assert close(t.weights, 7 * 8 * k * pj(weights) * 1e-12)
    assert close(t.bias, 3 * n_out * pj(8) * 1e-12)
    assert close(t.io, (7 + 11) * pj(1000) * 1e-12)
    assert close(t.synaptic, ((5 * 7 * kc * 8 + 3 * n_out + 11) * 0.1 + 3 * n_out * 3.2) * 1e-12)
    assert close(t.addressing, 7 * (2 * 3.2 + k * 0.1) * 1e-12)


def test_snn_dense_by_hand():
    """At 8 bits, with the 8-bit operation energies, and the sum rule for addressing."""
    t = lemaire.layer("dense", 20, 6, bias=False, events_in=9, events_out=4, steps=2, bits=8, fc_addressing="lemaire")
    pj = lambda words: 13.2 + 1.09e-5 * words * 8  # noqa: E731
    assert close(t.potentials, 2 * (9 + 2) * 6 * pj(6) * 1e-12)
    assert close(t.weights, 9 * 6 * pj(120) * 1e-12)
    assert t.bias == 0
    assert close(t.io, 13 * pj(1000) * 1e-12)
    assert close(t.synaptic, (9 * 6 + 2 * 6 + 4) * 0.03e-12)
    assert close(t.addressing, 9 * 6 * 0.03e-12)


def test_analog_first_layer_by_hand():
    """MACs once per inference, bias and potentials T times, a multiplication per leaky neuron."""
    t = lemaire.layer(
        "conv", (3, 8, 8), (5, 8, 8), events_in=4 * 100, events_out=30, steps=4, leaky=True, analog_input=True, levels=9
    )
    pj = lambda words: 13.2 + 1.09e-5 * words * 16  # noqa: E731
    z1, n_in, n_out = 100, 192, 320
    macs = n_out * 27 * z1 / n_in
    assert close(t.synaptic, (macs * 3.2 + n_out * 0.1 + n_out * 3.1 + 30 * 0.1) * 1e-12)
    assert close(t.weights, z1 * 45 * pj(135) * 1e-12)
    assert close(t.bias, 4 * n_out * pj(5) * 1e-12)
    assert close(t.potentials, 2 * (4 * z1 * 45 + 4 * n_out) * pj(n_out) * 1e-12)
    assert close(t.io, (z1 + 30) * pj(1000) * 1e-12)
    assert close(t.addressing, z1 * (6.4 + 0.9) * 1e-12)


def test_dense_image_is_the_default_of_an_analog_layer():
    shape = {"kind": "conv", "in_shape": (3, 8, 8), "out_shape": (5, 8, 8), "steps": 4, "analog_input": True}
    assert lemaire.layer(events_out=30, **shape) == lemaire.layer(events_in=4 * 192, events_out=30, **shape)


def test_barrier_and_relay_are_the_extension():
    """Identity synapse, no bias, no weights, no address computation."""
    for kind in ("barrier", "identity"):
        t = lemaire.layer(kind, (4, 5, 5), (4, 5, 5), events_in=60, events_out=50, steps=2, levels=3)
        assert close(t.potentials, 2 * (60 + 2 * 100) * (13.2 + 1.09e-5 * 100 * 16) * 1e-12)
        assert close(t.synaptic, (3 * 60 + 50) * 0.1e-12)
        assert close(t.io, 110 * 13.3744e-12)
        assert t.weights == t.bias == t.addressing == 0
        assert t.extension


def test_ann_add_counts_elements_not_dimensions():
    t = lemaire.layer("add", (4, 5, 5), (4, 5, 5), inputs=3)
    access = (13.2 + 1.09e-5 * 100 * 16) * 1e-12
    assert close(t.io, 3 * 100 * access + 100 * access)
    assert close(t.synaptic, 2 * 100 * 0.1e-12)
    assert close(t.addressing, 100 * 0.1e-12)
    assert lemaire.layer("add", (4, 5, 5), (4, 5, 5), events_in=10, events_out=5).total == 0


def test_pool_is_free_unless_charged():
    shape = {"kind": "pool", "in_shape": (4, 6, 6), "out_shape": (4, 3, 3), "kernel": 2, "stride": 2}
    assert lemaire.layer(**shape).total == lemaire.layer(events_in=50, events_out=40, **shape).total == 0
    charged = lemaire.layer(events_in=50, events_out=40, pool="charged", **shape)
    assert charged.extension
    assert charged.counts.acc_synaptic == 50
    assert charged.counts.rd_pot == 50 + 36
    assert charged.weights == charged.addressing == 0


@given(shapes(), options(), EVENTS, EVENTS, st.integers(1, 8), st.integers(1, 10), st.booleans(), st.booleans())
@settings(max_examples=200, deadline=None)
def test_affine_in_events(shape, opts, a, b, steps, levels, leaky, analog):
    """f(a + b) = f(a) + f(b) - f(0) for every term: an event costs the same wherever it comes."""

    def f(events_in, events_out):
        return lemaire.layer(
            **shape, events_in=events_in, events_out=events_out, steps=steps, levels=levels, leaky=leaky,
            analog_input=analog, options=opts,
        )  # fmt: skip

    whole, left, right, none = f(a + b, b), f(a, b), f(b, 0), f(0, 0)
    for term in (*lemaire.TERMS, "memory", "total"):
        got = getattr(left, term) + getattr(right, term) - getattr(none, term)
        assert getattr(whole, term) == pytest.approx(got, rel=1e-9, abs=1e-25), term


@given(shapes(), options(), EVENTS, EVENTS, st.integers(1, 8), st.integers(1, 10), st.booleans())
@settings(max_examples=200, deadline=None)
def test_monotone_and_finite(shape, opts, events_in, events_out, steps, levels, leaky):
    def total(**more):
        base = {"events_in": events_in, "events_out": events_out, "steps": steps, "levels": levels, "leaky": leaky}
        return lemaire.layer(**{**shape, **base, **more}, options=opts)

    base = total()
    assert all(math.isfinite(value) and value >= 0 for value in base.terms.values())
    for more in (
        {"events_in": events_in + 1},
        {"events_out": events_out + 1},
        {"steps": steps + 1},
        {"levels": levels + 1},
        {"leaky": True},
        {"bias": True},
    ):
        assert total(**more).total >= base.total * (1 - 1e-12), more


@given(shapes(), options(addressing="text"), EVENTS, EVENTS, st.integers(1, 5), st.integers(2, 12))
@settings(deadline=None)
def test_levels_touch_synaptic_operations_only(shape, opts, events_in, events_out, steps, levels):
    def f(levels, **more):
        return lemaire.layer(
            **shape, events_in=events_in, events_out=events_out, steps=steps, levels=levels, options=opts, **more
        )

    graded, binary = f(levels), f(1)
    assert graded.counts == binary.counts
    for term in ("potentials", "weights", "bias", "io", "addressing"):
        assert getattr(graded, term) == getattr(binary, term)
    extra = (levels - 1) * binary.counts.acc_synaptic * opts.operations.add
    assert graded.synaptic == pytest.approx(binary.synaptic + extra, rel=1e-12)
    table = f(levels, addressing="table")
    extra = (levels - 1) * binary.counts.acc_addr * opts.operations.add
    assert table.addressing == pytest.approx(binary.addressing + extra, rel=1e-12)
    assert f(1, addressing="table") == binary


@given(shapes(), options(), st.integers(1, 9), st.integers(1, 9))
@settings(deadline=None)
def test_ann_knows_neither_time_nor_levels(shape, opts, steps, levels):
    assert lemaire.layer(**shape, options=opts) == lemaire.layer(**shape, options=opts, steps=steps, levels=levels)
    assert lemaire.layer(**shape, options=opts).potentials == 0


@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4), st.integers(0, 500), st.integers(1, 5))
@settings(deadline=None)
def test_a_grouped_convolution_counts_like_its_groups(groups, c_in, c_out, events, steps):
    """Every count but the addresses is the sum over the groups' own convolutions, each with its share of the events."""
    whole = lemaire.layer(
        "conv", (groups * c_in, 6, 6), (groups * c_out, 6, 6), groups=groups, events_in=events * groups,
        events_out=5 * groups, steps=steps,
    ).counts  # fmt: skip
    part = lemaire.layer("conv", (c_in, 6, 6), (c_out, 6, 6), events_in=events, events_out=5, steps=steps).counts
    for name, value in whole.to_dict().items():
        assert value == pytest.approx(groups * part.to_dict()[name]), name
    ann_whole = lemaire.layer("conv", (groups * c_in, 6, 6), (groups * c_out, 6, 6), groups=groups)
    ann_part = lemaire.layer("conv", (c_in, 6, 6), (c_out, 6, 6))
    assert ann_whole.counts == sum([ann_part.counts] * (groups - 1), ann_part.counts)


def test_one_event_is_walked_synapse_by_synapse():
    """The fan-out of one event far from the border, counted by walking all synapses of a small convolution."""
    kernel, size, channels = (3, 5), 11, 4
    for stride in (1, 2, 3):
        reached = {}
        for y, x in itertools.product(range(4, 7), repeat=2):
            hits = 0
            for oy, ox in itertools.product(range(-5, size), repeat=2):
                ky, kx = y - oy * stride, x - ox * stride
                hits += 0 <= ky < kernel[0] and 0 <= kx < kernel[1]
            reached[y, x] = hits * channels
        t = lemaire.layer("conv", (1, size, size), (channels, size, size), kernel, stride, events_in=1).counts
        assert t.acc_synaptic == max(reached.values())
        assert t.rd_weights == 15 * channels


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_by_name(preset):
    shape = {"kind": "dense", "in_shape": 30, "out_shape": 7, "events_in": 12, "events_out": 3, "steps": 2}
    assert lemaire.layer(**shape, options=preset) == lemaire.layer(**shape, options=PRESETS[preset])


def test_first_layer_as_ann():
    shape = {"kind": "conv", "in_shape": (3, 8, 8), "out_shape": (5, 8, 8)}
    got = lemaire.layer(**shape, events_in=800, events_out=9, steps=5, analog_input=True, first_layer="ann")
    assert got == lemaire.layer(**shape)


def test_updates_once():
    shape = {"kind": "dense", "in_shape": 30, "out_shape": 7, "events_in": 12, "events_out": 3, "steps": 6}
    once, every = lemaire.layer(**shape, updates="once"), lemaire.layer(**shape)
    assert close(every.bias, 6 * once.bias)
    assert once.counts.rd_pot == 12 * 7 + 7
    assert once.synaptic == every.synaptic


def test_weight_memories():
    shape = {"kind": "conv", "in_shape": (6, 9, 9), "out_shape": (4, 9, 9), "groups": 2, "events_in": 10}
    sizes = {"layer": 108, "filter": 27, "filter_out": 18, "with_bias": 112}
    for rule, words in sizes.items():
        t = lemaire.layer(**shape, weight_memory=rule)
        assert close(t.weights, 10 * 2 * 9 * Options().access(words))
    assert close(lemaire.layer(**shape, weight_memory="with_bias").bias, 4 * 81 * Options().access(112))


def test_qualias_names_are_accepted():
    shape = {"kind": "dense", "in_shape": 30, "out_shape": 7}
    got = lemaire.layer(
        **shape, sram_estimation_type="new", op_estimation_type="ICONIP", mem_width_bits=8, fifo_size_elements=64
    )
    assert got == lemaire.layer(**shape, sram="bus", ops="iconip", bits=8, fifo=64)
    assert lemaire.layer(**shape, e_add_J=2e-13, e_mul_J=1e-12).synaptic == pytest.approx(210 * 1.2e-12 + 7 * 2e-13)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "linear"}, "kind: expected one of conv, dense, .*, got 'linear'"),
        ({"in_shape": (3, 8)}, r"in_shape of a conv layer: expected \(C, H, W\), got \(3, 8\)"),
        ({"in_shape": (3, 8, 0)}, "in_shape: expected an integer >= 1, got 0"),
        ({"in_shape": None}, "in_shape: expected integers, got None"),
        ({"kernel": (3, 3, 3)}, "kernel: expected .rows, columns. or one integer"),
        ({"stride": 0}, "stride: expected an integer >= 1, got 0"),
        ({"groups": 2}, "groups: expected a divisor of 3 and 4 channels, got 2"),
        ({"steps": 0}, "steps: expected an integer >= 1, got 0"),
        ({"levels": 1.5}, "levels: expected an integer >= 1, got 1.5"),
        ({"events_in": -1}, "events_in: expected a finite number >= 0, got -1"),
        ({"events_in": math.nan}, "events_in: expected a finite number >= 0, got nan"),
        ({"events_out": 3}, "events_in: expected a number beside events_out=3, got None"),
        ({"bits": 0}, "bits: expected an integer in 1 .. 64, got 0"),
        ({"bits": 65}, "bits: expected an integer in 1 .. 64, got 65"),
        ({"fifo": -1}, "fifo: expected an integer >= 0, got -1"),
        ({"sram": "linear"}, "sram: expected one of regression, piecewise, bus, got 'linear'"),
        ({"ops": "cubic"}, "ops: expected one of width, iconip, saturation, linear, quadratic, got 'cubic'"),
        ({"ops": "saturation", "bits": 33}, "ops='saturation' is defined up to 32 bits, got bits=33"),
        ({"ops": "linear", "bits": 4}, "ops='linear' gives no positive energy at bits=4"),
        ({"addressing": "paper"}, "addressing: expected one of text, table, got 'paper'"),
        ({"options": "paper001"}, "options: expected one of qualia, lemaire, .*, got 'paper001'"),
        ({"sramm": "bus"}, "unknown option 'sramm': expected one of bits, fifo, sram"),
        ({"sram": "bus", "sram_estimation_type": "old"}, "an option is given twice"),
        ({"e_add": -1.0}, "e_add: expected a finite number >= 0, got -1.0"),
        ({"kind": "barrier", "out_shape": (3, 4, 4)}, "barrier: expected as many output as input sites"),
        ({"kind": "pool", "out_shape": (4, 4, 4)}, "pool: expected the same channels in and out"),
        ({"bias": "no"}, "bias: expected True or False, got 'no'"),
        ({"leaky": "no"}, "leaky: expected True or False, got 'no'"),
        ({"analog_input": 0.5}, "analog_input: expected True or False, got 0.5"),
        ({"kind": "dense", "groups": 3}, "groups: only a conv layer has groups, got 3 for dense"),
    ],
)
def test_clear_errors(change, message):
    shape = {"kind": "conv", "in_shape": (3, 8, 8), "out_shape": (4, 8, 8)}
    with pytest.raises(ValueError, match=message):
        lemaire.layer(**{**shape, **change})


def test_spikingjelly_agrees():
    """An independent implementation (spikingjelly 2.0, where installed): same energies for event-driven layers."""
    op_counter = pytest.importorskip("spikingjelly.activation_based.op_counter")
    if not hasattr(op_counter, "LemaireEnergyProfiler"):
        pytest.skip("this spikingjelly has no Lemaire model")
    torch = pytest.importorskip("torch")
    from spikingjelly.activation_based import functional, layer, neuron

    torch.manual_seed(0)
    net = torch.nn.Sequential(
        layer.Conv2d(2, 6, 3, padding=1, groups=2),
        neuron.IFNode(),
        layer.Conv2d(6, 4, (5, 3), stride=(2, 1), padding=(2, 1)),
        neuron.LIFNode(),
        layer.Flatten(),
        layer.Linear(4 * 4 * 8, 10),
        neuron.IFNode(),
    )
    for parameter in net.parameters():
        parameter.data.abs_()  # enough spikes in every layer
    functional.set_step_mode(net, "m")
    steps = 3
    x = (torch.rand(steps, 1, 2, 8, 8) < 0.3).float()
    events = [int(x.count_nonzero())]
    hooks = [
        m.register_forward_hook(lambda _m, _i, out: events.append(int(out.count_nonzero())))
        for m in net
        if isinstance(m, neuron.BaseNode)
    ]
    with torch.no_grad():
        net(x)
    functional.reset_net(net)
    for hook in hooks:
        hook.remove()
    profiler = op_counter.LemaireEnergyProfiler(config=op_counter.LemaireEnergyConfig(strict=False))
    profiler.bind_model(net)
    with torch.no_grad(), pytest.warns(RuntimeWarning, match="do not support Flatten"), profiler:
        net(x)
    expected = profiler.get_report()
    shapes_ = (
        ("conv", (2, 8, 8), (6, 8, 8), (3, 3), 1, 2, False),
        ("conv", (6, 8, 8), (4, 4, 8), (5, 3), (2, 1), 1, True),
        ("dense", 128, 10, 1, 1, 1, False),
    )
    got = lemaire.total(
        lemaire.layer(
            kind, a, b, kernel, stride, groups, events_in=events[i], events_out=events[i + 1], steps=steps,
            leaky=leaky, options="spikingjelly",
        )
        for i, (kind, a, b, kernel, stride, groups, leaky) in enumerate(shapes_)
    )  # fmt: skip
    assert min(events) > 0
    part = expected.breakdown_pj
    assert got.total * 1e12 == pytest.approx(expected.total_pj, rel=1e-9)
    assert got.potentials * 1e12 == pytest.approx(part["potential_pj"], rel=1e-9)
    assert (got.weights + got.bias) * 1e12 == pytest.approx(part["params_pj"], rel=1e-9)
    assert got.io * 1e12 == pytest.approx(part["inout_pj"], rel=1e-9)
    assert got.synaptic * 1e12 == pytest.approx(part["ops_pj"], rel=1e-9)
    assert got.addressing * 1e12 == pytest.approx(part["addressing_pj"], rel=1e-9)


@pytest.mark.parametrize("events", [{}, {"events_in": 70}, {"events_in": 70, "analog_input": True}])
def test_full_groups_count_like_one_group(events):
    """grouped="full" is Qualia: all counts as without groups, only the weight memory is the true one."""
    shape = {"kind": "conv", "in_shape": (6, 9, 9), "out_shape": (4, 9, 9)}
    grouped = lemaire.layer(**shape, **events, groups=2, grouped="full")
    plain = lemaire.layer(**shape, **events)
    assert grouped.counts == plain.counts
    assert plain.weights / grouped.weights == pytest.approx(Options().access(216) / Options().access(108))
