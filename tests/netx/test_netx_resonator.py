"""Resonate-and-fire neurons, and LIF neurons whose parameters differ between channels."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pytest
from lava.lib.dl.slayer.neuron.rf import neuron_params
from lava.proc.rf.process import RF
from lava.proc.sdn.process import SigmaDelta
from test_netx_stock import stock

from lava_mlsnn import netx, proc, sim
from lava_mlsnn.graph.neurons.resonator import MAX_FACTOR, computed_decays, stock_decays
from lava_mlsnn.netx import LIF, Connection, Conv, Dense, Input, Layer, NetGraph, Resonator


def test_decays_are_those_that_lava_makes_of_a_file():
    sin, cos = np.random.default_rng(0).integers(-4096, 4097, (2, 20_000))
    sin[:3], cos[:3] = (0, 0, 7), (0, -5, 0)
    with np.errstate(divide="ignore"):
        params = neuron_params({"sinDecay": sin, "cosDecay": cos, "vThMant": 5})
    lava = RF(shape=sin.shape, period=params["period"], alpha=params["decay"], decay_bits=12)
    for made, process in zip(computed_decays(sin, cos), (lava.sin_decay, lava.cos_decay), strict=True):
        np.testing.assert_array_equal(made, process.init)
    one = RF(shape=(1,), period=params["period"][9], alpha=params["decay"][9], decay_bits=12)
    assert (one.sin_decay.init, one.cos_decay.init) == computed_decays(sin[9], cos[9])


def test_a_file_holds_decays_of_which_lava_makes_those_of_the_graph():
    """What a file says and what Lava makes of it differ by up to one: reading and writing must not drift."""
    sin, cos = computed_decays(*np.random.default_rng(1).integers(-4096, 4097, (2, 20_000)))
    stored = stock_decays(sin, cos)
    for made, wanted in zip(computed_decays(*stored), (sin, cos), strict=True):
        np.testing.assert_array_equal(made, wanted)


@pytest.mark.filterwarnings("ignore:sums of synapses left")
@pytest.mark.parametrize("izhikevich", [False, True])
@pytest.mark.parametrize("weight", [9, 30_000, 2**23], ids=["small", "saturates", "wraps"])
def test_engines_agree_at_every_size(izhikevich, weight):
    rng = np.random.default_rng(weight)
    sin, cos = rng.integers(-4096, 4097, (2, 40))
    sin[:2], cos[:2] = (MAX_FACTOR, 0), (-MAX_FACTOR, 0)
    wide = Conv(rng.integers(-weight, weight + 1, (80, 2, 2, 2)))
    loop = Conv(rng.integers(-weight, weight + 1, (80, 40, 1, 1)))
    neuron = Resonator(min(weight // 2, 50_000), sin, cos, izhikevich)
    layer = Layer("a", (Connection("input", wide), Connection("a", loop)), (40, 3, 2), neuron)
    lif = LIF(rng.integers(1, 90, 4), rng.integers(-1, 4096, 4), rng.integers(0, 4097, 4))
    end = Layer("b", (Connection("a", Dense(rng.integers(-9, 10, (4, 240)))),), (4, 1, 1), lif, rng.integers(-5, 6, 4))
    graph = NetGraph(Input((2, 4, 3), bits=2), (layer, end), 15)
    images = rng.integers(0, 4, (3, 2, 4, 3, 15))
    expected = sim.run(graph, images, trace=True, engine="reference")
    found = sim.run(graph, images, trace=True)
    for name in ("a", "b"):
        np.testing.assert_array_equal(found.trace[name], expected.trace[name])
        assert 0 < expected.trace[name].mean() < 1
    assert found.activity == expected.activity


def test_lif_parameters_per_channel_are_those_of_separate_layers():
    """Three channels in one layer spike as three layers of one channel do, in Lava as well, resets included."""
    rng = np.random.default_rng(0)
    weight, images = rng.integers(-20, 40, (3, 2, 2, 2)), rng.integers(0, 8, (2, 2, 5, 4, 6))
    vth, du, dv = [90, 40, 200], [300, 4095, -1], [4096, 70, 900]

    def graph(shape, synapse, neuron):
        return NetGraph(Input((2, 5, 4), bits=3), (Layer("a", (Connection("input", synapse),), shape, neuron),), 6)

    whole = graph((3, 4, 3), Conv(weight), LIF(vth, du, dv))
    found = sim.run(whole, images, trace=True).trace["a"]
    for fused in (True, False):
        np.testing.assert_array_equal(proc.simulate(whole, images, fused=fused, trace=True).trace["a"], found)
    for c in range(3):
        one = graph((1, 4, 3), Conv(weight[c : c + 1]), LIF(vth[c], du[c], dv[c]))
        np.testing.assert_array_equal(found[:, c : c + 1], sim.run(one, images, trace=True).trace["a"])
        assert found[:, c].any()


def test_one_form_for_one_meaning():
    assert LIF([5, 5], [7, 7], 9) == LIF(5, 7, 9) and LIF([5], 7, 9).uniform and not LIF([5, 6]).uniform
    with pytest.raises(ValueError, match=r"lif du: expected integers in -1 .. 4095, got \[0, 4096\]"):
        LIF(5, [0, 4096])
    dense = Connection("input", Dense(np.ones((3, 2))))
    with pytest.raises(ValueError, match="layer 'a': a lif neuron with vth of 2 channels: expected 1 or 3"):
        NetGraph(Input((2, 1, 1)), (Layer("a", (dense,), (3, 1, 1), LIF([5, 6])),))
    with pytest.raises(
        ValueError, match=r"layer 'a' has shape \(3, 1, 1\) of 2 currents each, its dense .* gives \(3,"
    ):
        NetGraph(Input((2, 1, 1)), (Layer("a", (dense,), (3, 1, 1), Resonator(5, 1, 2)),))
    with pytest.raises(ValueError, match="layer 'a': a resonator neuron has no bias"):
        Layer("a", (dense,), (3, 1, 1), Resonator(5, 1, 2), np.ones(3))


N, INPUTS = 5, 6
CUBA = {"type": "CUBA", "iDecay": 1024, "vDecay": 128, "vThMant": 60}
RF_PHASE = {"type": "RF_PHASE", "sinDecay": 1500, "cosDecay": 3700, "vThMant": 80}


def ints(*shape: int) -> np.ndarray:
    return np.random.default_rng(len(shape)).integers(-60, 90, shape)


COMPLEX = {"weight/real": ints(N, INPUTS), "weight/imag": ints(N, INPUTS) + 1}
REAL = {"weight": ints(N, INPUTS)}
LOOP = {**REAL, "weight_rec": ints(N, N)}
WINDOW = {"shape": [N, 2, 2], "stride": 1, "padding": 0, "dilation": 1, "groups": 1}
PLANE = {"weight": ints(N, INPUTS, 1, 1)}


def write(path, kind: str, neuron: dict, keys: dict) -> None:
    with h5py.File(path, "w") as file:
        file["simulation/tSample"] = 3
        for key, value in {"shape": [N], **keys, "type": kind, **{f"neuron/{k}": v for k, v in neuron.items()}}.items():
            file[f"layer/0/{key}"] = [value.encode()] if isinstance(value, str) else value


REFUSED = {
    "resonator, real weights": (
        "dense",
        RF_PHASE,
        REAL,
        "RF neurons without complex weights, on which stock NetX fails",
    ),
    "resonator, conv": ("conv", RF_PHASE, {**WINDOW, **PLANE}, "RF neurons without complex weights"),
    "resonator, input": ("input", RF_PHASE, {}, "RF_PHASE neurons of an input layer, on which stock NetX fails"),
    "complex conv": (
        "conv",
        RF_PHASE,
        {**WINDOW, "weight/real": PLANE["weight"], "weight/imag": PLANE["weight"]},
        "complex weights of a convolution, on which stock NetX fails",
    ),
    "complex, LIF": (
        "dense",
        CUBA,
        COMPLEX,
        "complex weights before neurons of one current, on which stock NetX fails",
    ),
    "complex, none": ("dense", {}, COMPLEX, "complex weights before neurons of one current"),
    "dense_comp": (
        "dense_comp",
        RF_PHASE,
        COMPLEX,
        "layer type 'dense_comp', on which stock NetX fails or which it skips",
    ),
    "adaptive LIF": ("dense", {**CUBA, "type": "ALIF"}, REAL, "neuron type 'ALIF', on which stock NetX fails"),
    "sigma-delta thresholds": (
        "dense",
        {"type": "SDNN", "vThMant": [1, 2, 3, 4, 5]},
        REAL,
        "'vThMant' differs between channels: Lava's sigma-delta Processes, and so stock NetX, hold one",
    ),
    "resonator thresholds": (
        "dense",
        {**RF_PHASE, "vThMant": [1, 2, 3, 4, 5]},
        COMPLEX,
        "'vThMant': expected one number",
    ),
    "a sine beyond all bounds": (
        "dense",
        {**RF_PHASE, "sinDecay": 1e200},
        COMPLEX,
        "'sinDecay': expected numbers in -32767",
    ),
    "elementwise recurrence": (
        "dense_rec",
        CUBA,
        {**REAL, "weight_rec": ints(N, 1)},
        r"'weight_rec' of shape \(5, 1\): expected \(5, 5\)",
    ),
    "elementwise recurrence in one axis": (
        "dense_rec",
        CUBA,
        {**REAL, "weight_rec": ints(N)},
        r"'weight_rec' of shape \(5, 1\): expected \(5, 5\)",
    ),
    "delays of another shape": (
        "dense_rec",
        CUBA,
        {**LOOP, "delay": [0, 1, 2, 3, 4]},
        r"takes the delays of 'weight' for 'weight_rec', too, and fails if the shapes \(5, 6\) and \(5, 5\) differ",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_stock_cannot_run_is_refused_with_the_reason(case, tmp_path):
    *parts, message = REFUSED[case]
    write(tmp_path / "x.net", *parts)
    with pytest.raises(netx.NetFileError, match=message):
        netx.load(tmp_path / "x.net", input_shape=(INPUTS, 2, 2) if parts[0] == "conv" else None)


def test_stock_fails_on_all_that_is_refused(tmp_path):
    """While it builds the network, but for thresholds whose Process dies when it starts, and a sine that overflows."""
    cases = [case for case in REFUSED if case not in ("sigma-delta thresholds", "a sine beyond all bounds")]
    files = [tmp_path / f"{index}.net" for index in range(len(cases))]
    for case, file in zip(cases, files, strict=True):
        write(file, *REFUSED[case][:3])
    found = json.loads(stock("read", *files).splitlines()[-1])
    assert not {case: what for case, what in zip(cases, found, strict=True) if not isinstance(what, str)}


def test_thresholds_of_sigma_delta_neurons_do_not_fit_lava():
    with pytest.raises(ValueError, match="could not broadcast"):
        sigma_delta = SigmaDelta(shape=(3,), vth=np.array([1, 2, 3]))
        np.zeros(sigma_delta.vth.shape)[:] = sigma_delta.vth.init  # as PyProcessBuilder does with an array


SQUARE = {"weight": ints(N, N) // 16, "weight_rec": ints(N, N) // 20}

ADAPTIVE = {**RF_PHASE, "type": "ADRF_PHASE", "thDecay": 5, "refDecay": 6, "vThStep": 7}

DEPARTS = {
    "adaptive": (ADAPTIVE, "dense", COMPLEX, "neuron type 'ADRF_PHASE': stock NetX runs it as RF_PHASE, without"),
    "graded": ({**RF_PHASE, "gradedSpike": True}, "dense", COMPLEX, "'gradedSpike' is set"),
    "bias": (RF_PHASE, "dense", {**COMPLEX, "bias": ints(N)}, "'bias': stock NetX ignores it beside complex weights"),
    "late": (RF_PHASE, "dense", {**COMPLEX, "delay": ints(N)}, "'delay': stock NetX ignores it beside complex weights"),
    "loop": (RF_PHASE, "dense_rec", {**COMPLEX, "weight_rec": ints(N, N)}, "'weight_rec': stock NetX ignores it"),
    "late loop": (
        CUBA,
        "dense_rec",
        {**SQUARE, "delay": 2},
        "loses the exponent of recurrent weights: all are 32 times",
    ),
    "fractions": (CUBA, "dense", {"weight": ints(N, INPUTS) + 0.7}, "'weight': 30 numbers that are not whole, such as"),
    "fractions of the bias": (
        CUBA,
        "dense",
        {**REAL, "bias": [1.5, 2, -3.5, 0, 0]},
        "'bias': 2 numbers that are not whole",
    ),
}


@pytest.mark.parametrize("case", DEPARTS)
def test_what_stock_ignores_is_a_warning_and_strictly_an_error(case, tmp_path):
    neuron, kind, keys, message = DEPARTS[case]
    write(tmp_path / "x.net", kind, neuron, keys)
    with pytest.warns(netx.StockWarning, match=message):
        graph = netx.load(tmp_path / "x.net")
    with pytest.raises(netx.NetFileError, match=message):
        netx.load(tmp_path / "x.net", strict=True)
    if case == "fractions of the bias":
        assert graph["dense0"].bias.tolist() == [1, 2, -3, 0, 0]
    if case == "late loop":
        assert (graph["dense_rec0"].connections[0].synapse.weight == 32 * SQUARE["weight"]).all()
