"""Bounds hold on random networks and inputs, and are reached where a worst case can be written down."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from strategies import Options, cases

from lava_mlsnn import netx
from lava_mlsnn.graph.fixed import per_channel
from lava_mlsnn.netx import LIF, Connection, Conv, Dense, Identity, Input, Layer, MultiLevel, NetGraph, Pool, Readout
from lava_mlsnn.sim import reference, run


def _inside(values, limits, what):
    """values (N, C, H, W) within one Range."""
    low, high = limits.low[:, None, None], limits.high[:, None, None]
    assert np.all(values >= low) and np.all(values <= high), (what, values.min(), values.max(), low, high)


@given(case=cases(Options(large=False)))
def test_nothing_leaves_its_bounds(case):
    graph, images = case
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        trace = dict(run(graph, images, trace=True).trace)
    shown = images if images.ndim == 5 else np.repeat(images[..., None], graph.timesteps, axis=-1)
    trace["input"] = np.asarray(shown)
    limits = netx.bounds(graph)
    for layer in graph:
        own = limits[layer.name]
        state = reference.initial_state(layer.neuron, (len(images), *layer.shape))
        total = np.zeros((len(images), *layer.shape), np.int64)
        for t in range(graph.timesteps):
            current = np.zeros_like(total)
            for connection, accumulator in zip(layer.connections, own.accumulators, strict=True):
                recurrent = connection.sources == (layer.name,)
                spikes = sum(
                    trace[s][..., t - recurrent].astype(np.int64) * (t >= recurrent) for s in connection.sources
                )
                part = reference.accumulate(connection.synapse, spikes)
                _inside(part, accumulator, (layer.name, "accumulator"))
                current += part
            bias = per_channel(layer.bias, 4, -3)
            _inside(current + bias, own.current, (layer.name, "current"))
            if np.abs(current).max() >= 2**23:  # registers wrap: nothing behind them is bounded by arithmetic
                return
            if isinstance(layer.neuron, netx.MultiLevel | netx.Barrier):
                _inside(state["v"] + current + bias, own.membrane, (layer.name, "membrane"))
            z, state = reference.step(layer.neuron, state, current, layer.bias)
            if isinstance(layer.neuron, LIF | netx.SigmaDelta | netx.Delta | Readout):
                register = {LIF: "u", netx.SigmaDelta: "sigma", netx.Delta: "act", Readout: "v"}[type(layer.neuron)]
                if np.abs(own.membrane.magnitude).max() < 2**23:
                    _inside(state[register], own.membrane, (layer.name, register))
            if max(own.membrane.magnitude.max(), own.current.magnitude.max()) >= 2**23:
                return
            _inside(z, own.message, (layer.name, "message"))
            total += z
            _inside(total, own.total, (layer.name, "total"))


def _graph(synapse, shape, neuron, timesteps=1, bias=None, **source):
    layer = Layer("a", (Connection(("input",), synapse),), synapse.out_shape(shape), neuron, bias)
    return NetGraph(Input(shape, **source), (layer,), timesteps)


def test_bounds_are_reached_in_one_step():
    weight = np.random.default_rng(0).integers(-5, 6, (3, 2, 3, 3))
    limits = netx.bounds(_graph(Conv(weight), (2, 3, 3), MultiLevel(2, 7), bias=np.array([4, 0, -4])))["a"]
    flat = weight.reshape(3, -1)
    np.testing.assert_array_equal(limits.current.high, np.maximum(flat, 0).sum(1) * 255 + [4, 0, -4])
    np.testing.assert_array_equal(limits.current.low, np.minimum(flat, 0).sum(1) * 255 + [4, 0, -4])
    np.testing.assert_array_equal(limits.membrane.high, limits.current.high)
    assert (limits.current_min, limits.current_max) == (limits.current.low.min(), limits.current.high.max())


def test_membrane_grows_by_what_the_levels_cannot_send():
    limits = netx.bounds(_graph(Dense([[10]]), (1, 1, 1), MultiLevel(2, 3), timesteps=4, bits=1))["a"]
    v = 0
    for _ in range(4):  # the input at its largest at every step: 4 more than two levels send
        h = v + 10
        v = h - 3 * min(h // 3, 2)
    assert h == 22 == limits.membrane.high[0]


def test_grouped_conv_pool_and_identity():
    grouped = netx.bounds(_graph(Conv(np.array([[[[2]]], [[[-3]]]]), groups=2), (2, 1, 1), MultiLevel(1, 1)))["a"]
    assert grouped.current.high.tolist() == [510, 0] and grouped.current.low.tolist() == [0, -765]
    pool = netx.bounds(_graph(Pool((2, 3), (1, 1)), (1, 4, 4), netx.Relay(), bits=2))["a"]
    assert pool.message.high.tolist() == [18]
    identity = netx.bounds(_graph(Identity([2, -2]), (2, 1, 1), netx.Relay(), bits=2, signed=True))["a"]
    assert identity.message.low.tolist() == [-4, -2] and identity.message.high.tolist() == [2, 4]


def test_recurrent_relay_is_unbounded():
    loop = Connection("a", Dense([[1, 0], [0, 0]]))
    layer = Layer("a", (Connection("input", Dense(np.ones((2, 2)))), loop), (2, 1, 1), netx.Relay())
    graph = NetGraph(Input((2, 1, 1)), (layer,), 3)
    assert netx.bounds(graph)["a"].current.high.tolist() == [2.0**200, 510]
    with pytest.raises(ValueError, match="layer 'a', channel 0: accumulator of a has no bound"):
        netx.check_hardware(graph)


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (_graph(Dense([[1, 0], [0, 129]]), (2, 1, 1), Readout()), "layer 'a', channel 1: weight 129 is not 8 signed"),
        (_graph(Dense([[-258]]), (1, 1, 1), Readout()), r"weight -258 is not 8 signed bits times 2\*\*1"),
        (_graph(Dense([[127]]), (1, 1, 1), MultiLevel(1, 5), 1000), "channel 0: membrane can reach 323"),
        (_graph(Dense([[127]]), (1, 1, 1), Readout(), 2**9), "channel 0: membrane can reach 16581120,"),
        (_graph(Dense([[64]]), (1, 1, 1), LIF(2**17), bits=1), "layer 'a': threshold 131072 exceeds 17 bits"),
        (_graph(Dense([[64]]), (1, 1, 1), LIF(9), bias=np.array([4096]), bits=1), "bias 4096 exceeds 13 bits"),
        (_graph(Dense([[64]]), (1, 1, 1), MultiLevel(1, 2**23)), "channel 0: threshold 8388608 exceeds 24 bits"),
        (_graph(Dense([[1 << 20]]), (1, 1, 1), MultiLevel(1, 5)), "accumulator of input can reach 267386880"),
    ],
)
def test_problem_names_layer_channel_and_value(graph, message):
    with pytest.raises(ValueError, match=message):
        netx.check_hardware(graph)


def test_hardware_takes_what_fits():
    graph = _graph(Dense([[-256, 254], [0, 2]]), (2, 1, 1), MultiLevel(4, 64), 4, bias=np.array([1, -1]))
    assert netx.problems(graph) == []
    netx.check_hardware(graph)
