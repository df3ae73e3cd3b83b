"""Processes of single neurons, synapses and delay lines, driven as Lava's users drive them."""

from __future__ import annotations

import numpy as np
import pytest
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.io.source import RingBuffer as StockSource

from lava_mlsnn import netx, proc
from lava_mlsnn.sim import reference

RNG = np.random.default_rng(5)
FLOAT = Loihi2SimCfg(select_tag="floating_pt")


def drive(process, data, run_cfg=None, inp="a_in", out="s_out", **variables):
    """Feed ``data`` (steps, *shape); what came out, and the Vars asked for at the end."""
    source = StockSource(data=np.moveaxis(data, 0, -1))
    sink = proc.Sink(shape=getattr(process, out).shape, steps=len(data), dtype=float)
    source.s_out.connect(getattr(process, inp))
    getattr(process, out).connect(sink.a_in)
    proc.run(process, len(data), timeout=60, run_cfg=run_cfg)
    try:
        return sink.data, {name: getattr(process, name).get() for name in variables}
    finally:
        process.stop()


def expected(neuron, data, bias=None, reset_every=None):
    """The reference, channels last."""
    state, spikes = reference.initial_state(neuron, data.shape[1:]), []
    for t, current in enumerate(data):
        if reset_every and t % reset_every == 0:
            state = reference.initial_state(neuron, data.shape[1:])
        z, state = reference.step(neuron, state, current, bias, channel_axis=-1)
        spikes.append(z)
    return np.stack(spikes), state


def test_multilevel_has_the_vars_and_spikes_of_its_equation():
    data = RNG.integers(-30, 90, size=(12, 3, 2, 4))
    threshold, bias = np.array([7, 20, 33, 100]), RNG.integers(-9, 9, size=(3, 2, 4))
    neuron = proc.MultiLevel(shape=(3, 2, 4), threshold=threshold, levels=5, bias=bias, name="m")
    spikes, variables = drive(neuron, data, v=1, threshold=1, levels=1, bias=1)
    z, state = expected(netx.MultiLevel(5, threshold), data, bias)
    assert np.array_equal(spikes, z)
    assert z.max() == 5 and z.min() == 0
    assert np.array_equal(variables["v"], state["v"])
    assert np.array_equal(variables["threshold"], threshold)
    assert np.array_equal(variables["bias"], bias)
    assert variables["levels"] == 5


def test_vars_can_be_set_between_runs():
    neuron = proc.MultiLevel(shape=(2,), threshold=10, levels=4)
    sink = proc.Sink(shape=(2,), steps=4)
    source = proc.Source(frames=np.full((1, 2), 10), repeat=4)
    source.s_out.connect(neuron.a_in)
    neuron.s_out.connect(sink.a_in)
    proc.run(neuron, 2, timeout=60)
    neuron.threshold.set(np.array([5]))
    neuron.v.set(np.array([0, 5]))
    proc.run(neuron, 2, timeout=60)
    neuron.stop()
    assert sink.data.tolist() == [[1, 1], [1, 1], [2, 3], [2, 2]]


@pytest.mark.parametrize("kind", ["multilevel", "barrier"])
def test_float_models_equal_the_integers_on_integers_and_scale_with_the_threshold(kind):
    data = RNG.integers(-3, 9, size=(20, 6))
    if kind == "multilevel":
        neuron = proc.MultiLevel(shape=(6,), threshold=0.75, levels=3, bias=0.25)
        z, _ = expected(netx.MultiLevel(3, 3), 4 * data, np.array([1] * 6))
    else:
        neuron = proc.Barrier(shape=(6,), levels=3)
        z, _ = expected(netx.Barrier(3), data)
    spikes, _ = drive(neuron, data.astype(float), FLOAT)
    assert np.array_equal(spikes, z)


def test_barrier_carries_over_what_it_holds_back():
    spikes, variables = drive(proc.Barrier(shape=(1,), levels=2), np.array([[5], [0], [0], [-3], [4]]), v=1)
    assert spikes.ravel().tolist() == [2, 2, 1, 0, 1]
    assert variables["v"].tolist() == [0]


def test_reset_wave_and_gate():
    data = np.full((9, 1), 4)
    timing = {"reset_interval": 3, "reset_offset": 2, "start": 3}
    spikes, _ = drive(proc.MultiLevel(shape=(1,), threshold=10, levels=1, **timing), data)
    # silent before step 3, resets at steps 5 and 8: the third unit of a sample fires
    assert spikes.ravel().tolist() == [0, 0, 0, 0, 0, 0, 1, 0, 0]
    voltage, _ = drive(proc.Readout(shape=(1,), bias=1, **timing), data)
    assert voltage.ravel().tolist() == [0, 0, 5, 10, 5, 10, 15, 5, 10]
    passed, _ = drive(proc.Relay(shape=(1,), bias=1, **timing), data)
    assert passed.ravel().tolist() == [0, 0, 5, 5, 5, 5, 5, 5, 5]


def test_delay_line_holds_back_and_drops_the_last_spikes_of_a_sample():
    data = np.arange(1, 8).reshape(7, 1)
    spikes, _ = drive(proc.Delay(shape=(1,), steps=3), data, inp="s_in")
    assert spikes.ravel().tolist() == [0, 0, 0, 1, 2, 3, 4]
    gated, _ = drive(proc.Delay(shape=(1,), steps=0, reset_interval=3, reset_offset=4), data, inp="s_in")
    assert gated.ravel().tolist() == [1, 2, 0, 4, 5, 0, 7]  # steps 4 and 7 begin samples


def test_many_groups_pool_and_identity_beyond_the_limits_of_stock_conv():
    """130 groups do not fit the 8 bits of Lava's Conv; sums above 24 bits stay whole but in Conv itself."""
    data = RNG.integers(0, 5, size=(3, 4, 3, 130)).astype(np.int32)
    weight = RNG.integers(-9, 9, size=(130, 1, 2, 2))
    conv = proc.GroupedConv(
        weight=weight[:, :, ::-1, ::-1].transpose(0, 3, 2, 1).copy(),
        input_shape=(4, 3, 130),
        groups=130,
        num_message_bits=8,
    )
    out, _ = drive(conv, data, inp="s_in", out="a_out")
    images = data.transpose(0, 3, 2, 1)
    assert np.array_equal(out[1:], reference.current(netx.Conv(weight, groups=130), images)[:-1].transpose(0, 3, 2, 1))
    out, _ = drive(proc.Pool(shape=(4, 3, 130), kernel=(2, 3), stride=(2, 1)), data, inp="s_in", out="a_out")
    pooled = reference.current(netx.Pool((3, 2), (1, 2)), images)
    assert np.array_equal(out[1:], pooled[:-1].transpose(0, 3, 2, 1))
    out, _ = drive(proc.Identity(shape=(4, 3, 130), weight=2**22), data, inp="s_in", out="a_out")
    assert np.array_equal(out[1:], data[:-1] * 2**22)
    assert not out[0].any()


def test_dense_with_weights_of_any_width():
    data, weight = RNG.integers(0, 5, size=(3, 7)), RNG.integers(-(2**20), 2**20, size=(5, 7))
    out, _ = drive(proc.WideDense(weights=weight, num_message_bits=4), data, inp="s_in", out="a_out")
    assert np.array_equal(out[1:], data[:-1] @ weight.T)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: proc.MultiLevel(shape=(3, 2), threshold=1, levels=1), r"\(3, 2\)"),
        (lambda: proc.MultiLevel(shape=(3,), threshold=0, levels=1), "threshold: expected values > 0"),
        (lambda: proc.MultiLevel(shape=(3,), threshold=[1, 2], levels=1), "thresholds of 2 channels: expected 1 or 3"),
        (lambda: proc.MultiLevel(shape=(3,), threshold=1, levels=0), "levels"),
        (lambda: proc.Barrier(shape=(3,), levels=1.5), "levels"),
        (lambda: proc.MultiLevel(shape=(3,), threshold=1, levels=1, bias=np.zeros((1, 3))), "bias"),
        (lambda: proc.Barrier(shape=(3,), levels=1, theshold=1), "Barrier has no argument 'theshold'"),
        (lambda: proc.Relay(shape=(3,), reset_interval=0), "reset_interval"),
        (lambda: proc.Delay(shape=(3,), steps=-1), "steps of a delay"),
        (lambda: proc.Source(frames=np.zeros((2, 3))), "float64"),
        (lambda: proc.Sink(shape=(3,), steps=0), "steps of a sink"),
    ],
)
def test_bad_arguments_are_named(make, words):
    with pytest.raises(ValueError, match=words):
        make()
