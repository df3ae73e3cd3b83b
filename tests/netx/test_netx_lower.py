"""Lowering to stock neurons: same spikes, same outputs, stock types only."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lava_mlsnn import netx, sim
from lava_mlsnn.netx import (
    LIF,
    Barrier,
    Connection,
    Conv,
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
from lava_mlsnn.netx.lower import lower, places


def residual(rng, channels, levels, stride, barrier, size=6, pool=False):
    """A stem, one residual block with its own downsampling path, sum or barrier, optional pool, readout."""

    def conv(inputs, outputs, kernel, s=1):
        return Conv(rng.integers(-9, 10, (outputs, inputs, kernel, kernel)), (s, s), (kernel // 2, kernel // 2))

    def fire(c):
        return MultiLevel(levels, rng.integers(4, 60, c))

    small = (size + stride - 1) // stride
    wide = (2 * channels, small, small)
    layers = [
        Layer(
            "stem",
            (Connection("input", conv(2, channels, 3)),),
            (channels, size, size),
            fire(channels),
            rng.integers(-9, 9, channels),
        ),
        Layer(
            "conv1",
            (Connection("stem", conv(channels, wide[0], 3, stride)),),
            wide,
            fire(wide[0]),
            rng.integers(-9, 9, wide[0]),
        ),
        Layer("conv2", (Connection("conv1", conv(wide[0], wide[0], 3)),), wide, fire(wide[0])),
        Layer("down", (Connection("stem", conv(channels, wide[0], 1, stride)),), wide, fire(wide[0])),
    ]
    tail = ("conv2", "down")
    if barrier:
        layers.append(Layer("sum", (Connection(tail, Identity()),), wide, Barrier(levels)))
        tail = ("sum",)
    if pool:
        shape = (wide[0], small // 2, small // 2)
        layers.append(Layer("pool", (Connection(tail, Pool()),), shape, Relay()))
        tail, wide = ("pool",), shape
    weight = rng.integers(-50, 50, (3, int(np.prod(wide))))
    layers.append(Layer("out", (Connection(tail, Dense(weight)),), (3, 1, 1), Readout(0.5), rng.integers(-9, 9, 3)))
    return NetGraph(Input((2, size, size), bits=4), tuple(layers), 1, ("a", "b", "c"))


@given(
    seed=st.integers(0, 2**16),
    channels=st.integers(1, 3),
    levels=st.integers(1, 4),
    stride=st.sampled_from([1, 2]),
    barrier=st.booleans(),
    pool=st.booleans(),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_lowered_network_has_the_same_spikes_and_outputs(seed, channels, levels, stride, barrier, pool):
    rng = np.random.default_rng(seed)
    graph = residual(rng, channels, levels, stride, barrier, pool=pool)
    stock = lower(graph)
    images = rng.integers(0, 16, (5, 2, 6, 6))
    run, low = (sim.run(g, images, trace=True) for g in (graph, stock))
    np.testing.assert_array_equal(run.output, low.output)
    for name, place in places(graph).items():
        c, h, w = graph.shape(name)
        spikes = low.trace[place.layer][:, place.first : place.first + c * place.levels]
        np.testing.assert_array_equal(spikes.reshape(5, c, place.levels, h, w, 1).sum(2), run.trace[name])
        assert set(np.unique(spikes)) <= {0, 1}


def far_apart(seed, synapse, first=False):
    """Two layers, thresholds of the second (of the first) further apart than 13 bits of bias."""
    rng = np.random.default_rng(seed)
    stem = Conv(rng.integers(-9, 10, (4, 1, 3, 3)), padding=1)
    thresholds = np.append(rng.integers(20, 100, 4), 2200)
    layers = [Layer("stem", (Connection("input", stem),), (4, 6, 6), MultiLevel(3, rng.integers(4, 20, 4)))]
    if first:
        layers.pop()
    source, shape = ("input", (1, 6, 6)) if first else ("stem", (4, 6, 6))
    out = synapse(rng).out_shape(shape)
    layers.append(
        Layer("a", (Connection(source, synapse(rng)),), out, MultiLevel(4, thresholds), rng.integers(-9, 9, 5))
    )
    dense = Dense(rng.integers(-50, 50, (3, int(np.prod(out)))))
    layers.append(Layer("out", (Connection("a", dense),), (3, 1, 1), Readout()))
    return NetGraph(Input((1, 6, 6), bits=4), tuple(layers))


def strong(rng, *shape):
    """Weights of 8 bits; those of the last channel are large."""
    weight = rng.integers(-127, 128, shape)
    weight[-1] = rng.integers(90, 128, shape[1:])
    return weight


FAR_APART = {
    "conv": lambda rng: Conv(strong(rng, 5, 4, 3, 3), padding=1),
    "stride": lambda rng: Conv(strong(rng, 5, 4, 3, 3), 2, 1),
    "no padding": lambda rng: Conv(strong(rng, 5, 4, 5, 3)),
    "even weights": lambda rng: Conv(2 * strong(rng, 5, 4, 3, 3), padding=1),
    "dense": lambda rng: Dense(strong(rng, 5, 144)),
}


@pytest.mark.parametrize("synapse", FAR_APART.values(), ids=FAR_APART)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_biases_beyond_13_bits_come_from_neurons_that_always_spike(seed, synapse):
    graph = far_apart(seed, synapse)
    stock = lower(graph)
    assert netx.problems(stock) == []
    assert stock["stem"].shape[0] > 4 * 3
    assert np.abs(stock["a"].bias).max() >= 4000  # 13 bits are used before the others
    images = np.random.default_rng(seed).integers(0, 16, (20, 1, 6, 6))
    run, low = (sim.run(g, images, trace=True) for g in (graph, stock))
    np.testing.assert_array_equal(run.output, low.output)
    for name, place in places(graph).items():
        c, h, w = graph.shape(name)
        spikes = low.trace[place.layer][:, place.first : place.first + c * place.levels]
        np.testing.assert_array_equal(spikes.reshape(20, c, place.levels, h, w, 1).sum(2), run.trace[name])
    assert (low.trace["stem"][:, 12:] == 1).all()
    assert (run.trace["a"][:, 4] > 0).any()


@pytest.mark.parametrize(
    ("synapse", "first"),
    [
        (lambda rng: Conv(rng.integers(-127, 128, (5, 1, 3, 3)), padding=1), True),
        (lambda rng: Conv(rng.integers(-127, 128, (5, 4, 3, 3)), padding=2), False),
    ],
    ids=["the input has no neuron to spare", "an output that sees padding only"],
)
def test_other_biases_stay_and_are_named(synapse, first):
    graph = far_apart(0, synapse, first)
    stock = lower(graph)
    (line,) = netx.problems(stock)
    assert "layer 'a'" in line and "exceeds 13 bits" in line
    images = np.random.default_rng(0).integers(0, 16, (20, 1, 6, 6))
    np.testing.assert_array_equal(sim.run(graph, images).output, sim.run(stock, images).output)


def test_the_result_is_a_chain_of_stock_types():
    graph = residual(np.random.default_rng(0), 2, 3, 2, True)
    stock = lower(graph)
    assert len(stock) == graph.latency
    before = netx.INPUT
    for layer in stock:
        assert layer.inputs == (before,)
        assert isinstance(layer.neuron, LIF | Readout)
        assert isinstance(layer.synapse, Conv | Dense)
        before = layer.name
    assert [type(layer.neuron) for layer in stock] == [LIF] * 4 + [Readout]


def test_grouped_and_dilated_convolutions_are_written_out():
    rng = np.random.default_rng(1)
    conv = Conv(rng.integers(-9, 9, (4, 1, 3, 2)), (1, 2), (2, 0), (2, 1), groups=2)
    graph = NetGraph(
        Input((2, 6, 5), bits=4),
        (Layer("a", (Connection("input", conv),), conv.out_shape((2, 6, 5)), MultiLevel(3, 20)),),
    )
    images = rng.integers(0, 16, (4, 2, 6, 5))
    spikes = sim.run(lower(graph), images, trace=True).trace["a"]
    want = sim.run(graph, images, trace=True).trace["a"]
    assert want.any()
    np.testing.assert_array_equal(spikes.reshape(4, 4, 3, *want.shape[2:]).sum(2), want)


def small(neuron, timesteps=1, weight=1, bias=None):
    return NetGraph(
        Input((2, 1, 1)),
        (Layer("a", (Connection("input", Dense(np.full((2, 2), weight))),), (2, 1, 1), neuron, bias),),
        timesteps,
    )


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (small(MultiLevel(2, 3), timesteps=2), "T = 2"),
        (small(LIF(3)), "layer 'a'.*got lif"),
        (small(MultiLevel(2, 3), weight=10_000), "layer 'a': currents up to 5100000"),
        (small(Relay(), weight=-1), "layer 'a': a relay of sums down to -510"),
        (small(MultiLevel(4, 30_000)), "layer 'a': thresholds and biases need stock biases of -45000 .. 45000"),
        (small(MultiLevel(1, 300), bias=[0, 70_000]), "layer 'a': thresholds and biases need stock biases of"),
    ],
)
def test_what_stock_cannot_do_is_refused(graph, message):
    with pytest.raises(ValueError, match=message):
        lower(graph)


def test_a_layer_that_the_input_is_injected_into_is_refused():
    """It has no synapse whose rows could be written once per level."""
    first = Layer("a", (Connection("input", Injection()),), (2, 3, 3), MultiLevel(4, 3))
    second = Layer("b", (Connection("a", Conv(np.ones((2, 2, 1, 1)))),), (2, 3, 3), MultiLevel(4, 3))
    with pytest.raises(ValueError, match="layer 'a': lower expects synapses with weights, got an injection"):
        lower(NetGraph(Input((2, 3, 3)), (first, second)))


def test_an_unknown_target_is_refused():
    with pytest.raises(ValueError, match="unknown target 'gpu'"):
        lower(small(MultiLevel(2, 3)), "gpu")
