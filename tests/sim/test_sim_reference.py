"""The reference engine against independent computations: torch's convolutions, Lava's own models, loops by hand."""

from __future__ import annotations

import numpy as np
import pytest
import strategies
from hypothesis import given, settings
from hypothesis import strategies as st

from lava_mlsnn.netx import LIF, Conv, Delta, Dense, Identity, MultiLevel, Pool, Readout, Sigma, SigmaDelta
from lava_mlsnn.sim import reference

torch = pytest.importorskip("torch")


@st.composite
def _conv_cases(draw):
    shape = (draw(st.integers(1, 6)), draw(st.integers(1, 8)), draw(st.integers(1, 8)))
    synapse = draw(strategies.convs(shape))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    return synapse, rng.integers(-9, 10, size=(2, *shape))


@given(_conv_cases())
@settings(max_examples=100, deadline=None)
def test_conv_is_torch_conv2d(case):
    synapse, spikes = case
    expected = torch.nn.functional.conv2d(
        torch.tensor(spikes, dtype=torch.float64),
        torch.tensor(synapse.weight, dtype=torch.float64),
        stride=synapse.stride,
        padding=synapse.padding,
        dilation=synapse.dilation,
        groups=synapse.groups,
    )
    assert np.array_equal(reference.accumulate(synapse, spikes), expected.numpy())
    assert np.array_equal(reference.accumulate(synapse, spikes[0]), expected[0].numpy())


def test_pool_identity_dense_by_hand(rng):
    spikes = rng.integers(-9, 10, size=(2, 3, 5, 4))
    pooled = reference.accumulate(Pool((2, 3), (2, 1)), spikes)
    by_hand = [[spikes[:, :, 2 * y : 2 * y + 2, x : x + 3].sum(axis=(2, 3)) for x in range(2)] for y in range(2)]
    assert np.array_equal(pooled, np.moveaxis(by_hand, (0, 1), (2, 3)))
    assert np.array_equal(reference.accumulate(Identity(np.array([1, 2, 3])), spikes)[:, 2], 3 * spikes[:, 2])
    weight = rng.integers(-9, 10, size=(7, 60))
    assert np.array_equal(reference.accumulate(Dense(weight), spikes)[1, :, 0, 0], weight @ spikes[1].ravel())


def test_currents_wrap_where_lava_wraps():
    spike = np.array([2**12]).reshape(1, 1, 1)
    assert reference.current(Conv(np.full((1, 1, 1, 1), 2**11)), spike).item() == -(2**23)
    assert reference.current(Dense(np.full((1, 1), 2**11)), spike).item() == 2**23
    assert reference.current(Identity(np.array(2**19)), spike).item() == -(2**31)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def _lava_lif(neuron, bias):
    from lava.proc.lif.models import PyLifModelBitAcc

    model = PyLifModelBitAcc({})
    model.du, model.dv, model.vth = neuron.du, neuron.dv, np.int32(neuron.vth)
    model.bias_mant, model.bias_exp = bias, np.full(bias.shape, neuron.bias_exp, np.int32)
    model.u, model.v = np.zeros(bias.shape, np.int32), np.zeros(bias.shape, np.int32)
    model.scale_threshold()

    def step(a):
        model.scale_bias()
        model.subthr_dynamics(a)
        z = model.spiking_activation()
        model.reset_voltage(z)
        return z, {"u": model.u, "v": model.v}

    return step


def _lava_sdn(cls, neuron, bias):
    import lava.proc.sdn.models as models
    from lava.proc.sdn.process import ActivationMode

    model = getattr(models, cls)({"act_mode": ActivationMode.RELU})
    scale = neuron.spike_exp + neuron.state_exp
    for name in ("sigma", "act", "residue", "error"):
        setattr(model, name, np.zeros(bias.shape, np.int32))
    model.vth, model.cum_error = np.int32(neuron.vth << scale), False
    model.bias = (bias << scale).astype(np.int32)

    def step(a):
        if cls == "PyDeltaModelFixed":
            a = np.left_shift(a, np.int32(scale))
            z = np.right_shift(model.delta_dynamics(a), np.int32(neuron.state_exp))
            model.act = a
            return z, {"act": model.act, "residue": model.residue}
        z = np.right_shift(model.dynamics(a), np.int32(neuron.state_exp))
        return z, {"sigma": model.sigma, "act": model.act, "residue": model.residue}

    return step


LIFS = [LIF(10), LIF(100, 1024, 128), LIF(0, -1, 0, 0), LIF(2**17, 0, 1), LIF(300, 4095, 0, 7), LIF(64, 2000, 4096)]
SDNS = [(vth, a, b) for vth in (0, 1, 50) for a, b in ((6, 6), (0, 6), (3, 2), (0, 0))]


@pytest.mark.parametrize("neuron", LIFS, ids=repr)
@pytest.mark.parametrize("size", [60, 2**16, 2**27])
def test_lif_is_lavas(neuron, size, rng):
    bias = rng.integers(-20, 20, size=(3, 4, 5)).astype(np.int32)
    lava, state = _lava_lif(neuron, bias), reference.initial_state(neuron, bias.shape)
    for _ in range(20):
        a = rng.integers(-size, size, size=bias.shape).astype(np.int32)
        expected_z, expected_state = lava(a)
        z, state = reference.step(neuron, state, a, bias)
        assert np.array_equal(z, expected_z)
        assert all(np.array_equal(state[name], expected_state[name]) for name in state)


@pytest.mark.parametrize("parameters", SDNS, ids=repr)
@pytest.mark.parametrize("kind", [Delta, SigmaDelta])
@pytest.mark.parametrize("size", [100, 2**22])
def test_sigma_delta_is_lavas(kind, parameters, size, rng):
    neuron = kind(*parameters)
    bias = rng.integers(-20, 20, size=(3, 4, 5)).astype(np.int32)
    lava, state = _lava_sdn(f"Py{kind.__name__}ModelFixed", neuron, bias), reference.initial_state(neuron, bias.shape)
    for _ in range(20):
        a = rng.integers(-size, size, size=bias.shape).astype(np.int32)
        expected_z, expected_state = lava(a)
        z, state = reference.step(neuron, state, a, None if kind is Delta else bias)
        assert np.array_equal(z, expected_z)
        assert all(np.array_equal(state[name], expected_state[name]) for name in state)


def test_corrected_sigma_delta_loses_nothing(rng):
    """What was sent, shifted back, plus what is kept is the activation; the released model drifts away."""
    for model, lossless in (("corrected", True), ("released", False)):
        neuron = SigmaDelta(1, 6, 6, model)
        state, sent = reference.initial_state(neuron, (1, 5, 5)), np.zeros((1, 5, 5), np.int64)
        for _ in range(50):
            z, state = reference.step(neuron, state, rng.integers(-99, 10**5, size=(1, 5, 5)))
            sent += z.astype(np.int64) << neuron.state_exp
        assert np.array_equal(sent + state["residue"], state["act"]) == lossless


@given(st.integers(1, 12), st.integers(1, 40), st.lists(st.integers(-200, 200), min_size=1, max_size=6))
@settings(max_examples=200, deadline=None)
def test_multilevel_is_the_loop_of_micro_steps(levels, threshold, currents):
    """Paper 000, section 4.1: up to N binary decisions per step, each subtracts the threshold."""
    neuron = MultiLevel(levels, threshold)
    state, v = reference.initial_state(neuron, (1, 1, 1)), 0
    for a in currents:
        spikes, state = reference.step(neuron, state, np.full((1, 1, 1), a))
        v += a
        count = 0
        while count < levels and v >= threshold:
            v, count = v - threshold, count + 1
        assert (spikes.item(), state["v"].item()) == (count, v)


def test_channel_axis_is_a_transposition(rng):
    neuron = MultiLevel(3, np.array([2, 5, 9]))
    a, bias = rng.integers(-20, 40, size=(3, 4, 5)), np.array([1, 0, -3], np.int32)
    z, _ = reference.step(neuron, reference.initial_state(neuron, a.shape), a, bias)
    a = a.transpose(2, 1, 0)
    transposed, _ = reference.step(neuron, reference.initial_state(neuron, a.shape), a, bias, channel_axis=-1)
    assert np.array_equal(transposed, z.transpose(2, 1, 0))


def test_arguments_stay_as_they_are(rng):
    for neuron in (MultiLevel(3, 4), LIF(3), Delta(2), SigmaDelta(2), Sigma(), Readout()):
        state = reference.initial_state(neuron, (2, 2, 2))
        a = rng.integers(-50, 50, size=(2, 2, 2)).astype(np.int32)
        before = a.copy()
        _, new = reference.step(neuron, state, a)
        assert np.array_equal(a, before)
        assert all(not values.any() for values in state.values())
        assert all(values.dtype == np.int32 for values in new.values())


def test_unknown_kinds_raise():
    for call in (
        lambda: reference.initial_state(object(), (1,)),
        lambda: reference.step(object(), {}, 0),
        lambda: reference.accumulate(object(), 0),
    ):
        with pytest.raises(TypeError, match="type object"):
            call()
    with pytest.raises(ValueError, match="a delta neuron has none"):
        reference.step(Delta(1), {}, np.zeros((1, 1, 1)), np.ones(1, np.int32))
