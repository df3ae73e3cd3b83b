"""Stock NetX reads what we export and computes the same; what it cannot express makes it raise."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import sysconfig
import warnings
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from lava_mlsnn import netx, proc
from lava_mlsnn.netx import (
    LIF,
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
    Resonator,
    Sigma,
    SigmaDelta,
)
from lava_mlsnn.sim import reference, run

RUNNER = Path(__file__).with_name("netx_stock.py")


def stock(*arguments: object) -> str:
    """Run netx_stock.py; every process that it leaves behind dies with its group."""
    pytest.importorskip("torch")  # Lava's NetX needs it
    process = subprocess.Popen(
        [sys.executable, str(RUNNER), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    try:
        out, err = process.communicate(timeout=200)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, err[-3000:]
    return out


def stream(graph: NetGraph, data: np.ndarray) -> dict[str, np.ndarray]:
    """Lava's time with the reference's arithmetic: a synapse reads the step before, and its delays further back."""
    steps = data.shape[-1]
    out = {layer.name: np.zeros((*layer.shape, steps), np.int64) for layer in graph} | {"input": data}
    state = {layer.name: reference.initial_state(layer.neuron, layer.shape) for layer in graph}

    def at(source, t):
        return out[source][..., t] if t >= 0 else np.zeros(out[source].shape[:-1], np.int64)

    for t in range(steps):
        for layer in graph:
            total = np.zeros(layer.current_shape, np.int64)
            for connection in layer.connections:
                synapse, (source,) = connection.synapse, connection.sources
                if isinstance(synapse, DelayDense):
                    for d in np.unique(synapse.delays):
                        weight = np.where(synapse.delays == d, synapse.weight, 0)
                        total += reference.current(Dense(weight), at(source, t - 1 - d))
                else:
                    total += reference.current(synapse, at(source, t - synapse.delay))
            out[layer.name][..., t], state[layer.name] = reference.step(
                layer.neuron, state[layer.name], reference.wrap(total), layer.bias
            )
    return out


def _ints(seed, shape, low, high):
    return np.random.default_rng(seed).integers(low, high + 1, shape)


def lif_chain() -> NetGraph:
    """Every way of stock to write a LIF layer: input block, conv, flatten, delays, recurrence, no decay."""
    lif = LIF(vth=60, du=1023, dv=400)
    layers = (
        Layer("encoder", (Connection("input", Injection()),), (2, 6, 5), LIF(vth=30, du=4095, dv=1000)),
        Layer(
            "conv",
            (Connection("encoder", Conv(_ints(1, (4, 2, 3, 2), -40, 60), (2, 1), (1, 0))),),
            (4, 3, 4),
            lif,
            _ints(2, (4,), -10, 10),
        ),
        Layer(
            "grouped",
            (Connection("conv", Conv(_ints(3, (6, 2, 2, 2), -60, 80), 1, (1, 2), (2, 3), groups=2)),),
            (6, 3, 5),
            lif,
            _ints(4, (6, 3, 5), -20, 20),
        ),
        Layer(
            "late",
            (Connection("grouped", DelayDense(2 * _ints(5, (8, 90), -100, 120), _ints(6, (8, 1), 0, 5))),),
            (8, 1, 1),
            lif,
            _ints(7, (8,), -10, 10),
        ),
        Layer(
            "later",
            (Connection("late", DelayDense(_ints(8, (7, 8), -50, 90), _ints(9, (1, 8), 0, 4))),),
            (7, 1, 1),
            lif,
        ),
        Layer(
            "loop",
            (
                Connection("later", Dense(_ints(10, (7, 7), -40, 90))),
                Connection("loop", Dense(_ints(11, (7, 7), -90, 40))),
            ),
            (7, 1, 1),
            lif,
        ),
        Layer(
            "sum", (Connection("loop", Dense(2 * _ints(12, (3, 7), 1, 100))),), (3, 1, 1), LIF(vth=90, du=-1, dv=4096)
        ),
    )
    return NetGraph(Input((2, 6, 5), bits=7), layers, 16)


def sdnn_chain() -> NetGraph:
    layers = (
        Layer("encoder", (Connection("input", Injection()),), (2, 6, 5), Delta(vth=2)),
        Layer(
            "conv",
            (Connection("encoder", Conv(_ints(1, (3, 2, 3, 3), -40, 60), 2, 1)),),
            (3, 3, 3),
            SigmaDelta(vth=5),
            _ints(2, (3,), -10, 10),
        ),
        Layer("dense", (Connection("conv", Dense(_ints(3, (5, 27), -60, 70))),), (5, 1, 1), SigmaDelta(vth=0)),
        Layer("out", (Connection("dense", Dense(_ints(4, (2, 5), -128, 127))),), (2, 1, 1), Sigma()),
    )
    return NetGraph(Input((2, 6, 5), bits=7, gain=64.0), layers)


def graded_chain() -> NetGraph:
    """No input block: graded messages straight into a convolution."""
    layers = (
        Layer("a", (Connection("input", Conv(_ints(1, (3, 2, 1, 3), -9, 9))),), (3, 6, 3), LIF(vth=900, du=2000, dv=9)),
        Layer("b", (Connection("a", Dense(_ints(2, (4, 54), -70, 127))),), (4, 1, 1), LIF(vth=99, du=0, dv=0)),
    )
    return NetGraph(Input((2, 6, 5), bits=8), layers)


def resonator_chain() -> NetGraph:
    """Parameters that differ between channels, and both neurons that take complex currents."""
    each = LIF(vth=[200, 900, 400], du=[2000, 4095, 300], dv=[9, 4096, 500])
    phase, izhikevich = Resonator(9, [1500, 2900, -800, 3900], [3700, -2200, 3000, 120]), Resonator(70, 900, 3500, True)
    layers = (
        Layer("a", (Connection("input", Conv(_ints(1, (3, 2, 1, 3), -9, 9))),), (3, 6, 3), each),
        Layer("phase", (Connection("a", Dense(_ints(2, (8, 54), -70, 100))),), (4, 1, 1), phase),
        Layer("izhikevich", (Connection("phase", Dense(_ints(3, (10, 4), -60, 127))),), (5, 1, 1), izhikevich),
        Layer("end", (Connection("izhikevich", Dense(_ints(4, (2, 5), -20, 127))),), (2, 1, 1), LIF([30, 50], 4095, 0)),
    )
    return NetGraph(Input((2, 6, 5), bits=8), layers, 24)


CHAINS = {
    "lif": (lif_chain, 0),
    "sdnn": (sdnn_chain, 0),
    "graded": (graded_chain, 8),
    "resonators": (resonator_chain, 8),
}
SLAYER = ("cuba", "cuba_each", "cuba_late", "slayer_sdnn", "rf_phase", "rf_izhikevich")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Network files, ours and SLAYER's, with an input and with what stock Lava made of it: one Lava for all."""
    folder = tmp_path_factory.mktemp("stock")
    stock("slayer", folder)
    for name, (make, bits) in CHAINS.items():
        graph = make()
        netx.save(graph, folder / name)
        np.savez(folder / f"{name}.in.npz", data=_ints(20, (2, 6, 5, 24), 0, graph.input.bound), bits=bits)
    for name in SLAYER:
        shape = (4, 40) if name in ("cuba_late", "rf_phase", "rf_izhikevich") else (2, 6, 6, 20)
        np.savez(folder / f"{name}.in.npz", data=_ints(30, shape, 0, 64 if len(shape) == 4 else 1), bits=0)
    stock("lava", *(folder / name for name in (*CHAINS, *SLAYER)))
    return folder


def _expect_equal(graph: NetGraph, folder: Path, name: str) -> None:
    with np.load(folder / f"{name}.in.npz") as source, np.load(folder / f"{name}.out.npz") as found:
        expected = stream(graph, source["data"])
        assert len(found.files) == len(graph)
        for index, layer in enumerate(graph):
            spikes = found[f"layer{index}"]
            assert np.any(spikes), f"{layer.name} is silent: the test shows nothing"
            np.testing.assert_array_equal(expected[layer.name].reshape(spikes.shape), spikes, err_msg=layer.name)


@pytest.mark.parametrize("name", CHAINS)
def test_stock_lava_computes_what_the_graph_says(name, folder):
    _expect_equal(CHAINS[name][0](), folder, name)


@pytest.mark.parametrize("name", SLAYER)
def test_slayer_exports_load_and_compute_as_in_stock(name, folder):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", netx.StockWarning)
        graph = netx.load(folder / name, timesteps=1)
    _expect_equal(graph, folder, name)
    netx.save(graph, folder / "again.net")
    assert netx.load(folder / "again.net") == graph


@pytest.mark.parametrize("name", ["cuba_each", "cuba_late", "rf_phase", "rf_izhikevich"])
def test_what_stock_files_say_runs_alike_everywhere(name, folder):
    """Reference, engine, Lava in one Process and Lava in many."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", netx.StockWarning)
        graph = netx.load(folder / name, timesteps=1)
    with np.load(folder / f"{name}.in.npz") as source:
        images = source["data"].reshape(1, *graph.input.shape, -1)
    graph = replace(graph, timesteps=images.shape[-1])
    expected = run(graph, images, trace=True, engine="reference").trace
    found = [
        run(graph, images, trace=True),
        *(proc.simulate(graph, images, fused=f, trace=True) for f in (True, False)),
    ]
    for layer in graph:
        assert expected[layer.name].any()
        for other in found:
            np.testing.assert_array_equal(other.trace[layer.name], expected[layer.name], err_msg=layer.name)


def test_slayer_pool_is_a_depthwise_convolution(folder):
    pool = netx.load(folder / "pool", input_shape=(2, 6, 6), timesteps=1)
    with np.load(folder / "pool.npz") as slayer:
        current = reference.accumulate(pool["pool0"].synapse, slayer["frames"][0, ..., 0].astype(int))
        np.testing.assert_array_equal(current, slayer["current"][0, ..., 0])
    assert pool["pool1"].synapse == Conv(np.full((2, 1, 3, 1), 2), (3, 1), groups=2)
    assert netx.load(folder / "cuba", timesteps=1)["dense3"].synapse.kind == "delay_dense"


SAMPLES = Path(sysconfig.get_path("purelib")) / "tests/lava/lib/dl/netx"
"""Networks and recordings that ship in the wheel of lava-dl."""


def test_pilotnet_lif_equals_what_a_loihi_recorded_at_every_layer():
    graph = netx.load(SAMPLES / "gts/pilotnet_lif/network.net")
    image = np.load(SAMPLES / "gts/pilotnet_lif/image.npy").transpose(2, 1, 0)
    trace = run(graph, image[None], trace=True, engine="reference").trace
    names = ["input-s", *(f"conv-{i}" for i in range(5)), *(f"fc-{i}" for i in range(3))]
    for depth, (layer, name) in enumerate(zip(graph, names, strict=False)):
        recorded = np.load(SAMPLES / f"gts/pilotnet_lif/{name}.npy")
        recorded = recorded.transpose(2, 1, 0, 3) if recorded.ndim == 4 else recorded[:, None, None]
        np.testing.assert_array_equal(trace[layer.name][0], recorded[..., depth : depth + 16], err_msg=layer.name)
        assert recorded.any()


def test_pilotnet_sdnn_equals_its_recording():
    graph = netx.load(SAMPLES / "gts/pilotnet_sdnn/network.net")
    image = np.load(SAMPLES / "gts/pilotnet_sdnn/input.npy").transpose(2, 1, 0, 3).astype(np.int64)
    recorded = np.load(SAMPLES / "gts/pilotnet_sdnn/output.npy")
    found = stream(graph, image.repeat(recorded.shape[-1], axis=-1))["dense9"]
    np.testing.assert_array_equal(found.ravel(), recorded.ravel())
    low = netx.load(SAMPLES / "gts/pilotnet_sdnn/network.net", spike_exp=0)
    assert low["conv1"].neuron == SigmaDelta(13, 0, 6) and graph["conv1"].neuron == SigmaDelta(13, 6, 6)


def test_ntidigits_with_delays_equals_its_recording():
    graph = netx.load(SAMPLES / "gts/ntidigits/ntidigits.net")
    steps = 120
    frames = np.load(SAMPLES / "gts/ntidigits/input.npy")[None, None, None, :, :steps].astype(np.int64)
    recorded = np.load(SAMPLES / "gts/ntidigits/output.npy")
    found = run(replace(graph, timesteps=steps), frames, trace=True, engine="reference").trace["dense4"][0, :, 0, 0]
    assert found.any()
    np.testing.assert_array_equal(found, recorded[:, 4 : 4 + steps])  # depth 3, and a step that the input took
    assert graph.output.neuron == Readout(scale=1 / 22) and graph.output.shape == (11, 1, 1)


def test_samples_say_what_they_say():
    mnist, tiny = netx.load(SAMPLES / "mnist.net"), netx.load(SAMPLES / "tiny.net")
    assert (mnist.input.gain, mnist.input.offset, mnist.timesteps, mnist.input.shape) == (76, 64, 16, (784, 1, 1))
    assert (tiny.input.gain, tiny.input.offset, tiny.timesteps, tiny.input.shape) == (36, 34, 64, (3, 16, 16))
    assert mnist.output.neuron == LIF(vth=1 << 17, du=-1, dv=4096)  # stock's integrator that never fires
    assert tiny.output.neuron == LIF(vth=25, du=4095, dv=1024) and tiny["conv1"].synapse.stride == (2, 2)
    with h5py.File(SAMPLES / "tiny.net") as file:
        np.testing.assert_array_equal(tiny["conv1"].synapse.weight, file["layer/1/weight"][..., 0])


def test_delays_reach_back_within_a_sample():
    weight, delays = _ints(0, (3, 4), -9, 9), _ints(1, (3, 4), 0, 5)
    layer = Layer("a", (Connection("input", DelayDense(weight, delays)),), (3, 1, 1), Relay())
    graph = NetGraph(Input((4, 1, 1)), (layer,), 7)
    frames = _ints(2, (2, 4, 1, 1, 7), 0, 255)
    expected = np.zeros((2, 3, 1, 1, 7), np.int64)
    for n, o, i, t in np.ndindex(2, 3, 4, 7):
        if t >= delays[o, i]:
            expected[n, o, 0, 0, t] += weight[o, i] * frames[n, i, 0, 0, t - delays[o, i]]
    np.testing.assert_array_equal(run(graph, frames, trace=True, engine="reference").trace["a"], expected)


def _with(graph: NetGraph, index: int, **changes: object) -> NetGraph:
    layers = list(graph.layers)
    layers[index] = replace(layers[index], **changes)
    return replace(graph, layers=tuple(layers))


def foreign_to_stock() -> dict[str, NetGraph]:
    """Graphs that are stock's but for one thing."""
    base, sdnn = graded_chain(), sdnn_chain()
    dense = base.layers[1].connections[0]
    wide = (4, 1, 1)
    same = Layer("c", (Connection("b", Identity(2)),), wide, LIF(5))
    extra = Layer("c0", (Connection("a", Dense(np.ones((4, 54)))),), wide, LIF(5))
    both = replace(same, connections=(Connection(("b", "c0"), Identity()),))
    return {
        "multilevel": _with(base, 0, neuron=MultiLevel(4, 10)),
        "readout over steps": replace(_with(base, 1, neuron=Readout()), timesteps=2),
        "bias exponent": _with(base, 1, neuron=LIF(vth=99, bias_exp=3), bias=np.ones(4)),
        "identity": replace(base, layers=(*base.layers, same)),
        "two sources": replace(base, layers=(*base.layers, extra, both)),
        "two connections": _with(base, 1, connections=(dense, Connection("input", Dense(np.ones((4, 60)))))),
        "skips a layer": _with(base, 1, connections=(Connection("input", Dense(np.ones((4, 60)))),)),
        "pool": replace(base, layers=(Layer("p", (Connection("input", Pool()),), (2, 3, 2), LIF(9)),)),
        "weights lost": _with(base, 1, connections=(Connection("a", Dense(np.full((4, 54), -128))),)),
        "weights clipped": _with(base, 1, connections=(Connection("a", Dense(_ints(0, (4, 54), -999, 999))),)),
        "sigma-delta corrected": _with(sdnn, 1, neuron=SigmaDelta(5, model="corrected")),
        "sigma-delta exponent": _with(sdnn, 1, neuron=SigmaDelta(5, spike_exp=5)),
        "delta inside": _with(sdnn, 2, neuron=Delta(5)),
        "recurrent sigma-delta": _with(
            sdnn, 2, connections=(*sdnn.layers[2].connections, Connection("dense", Dense(np.eye(5))))
        ),
        "injected multilevel": _with(sdnn, 0, neuron=MultiLevel(3, 3)),
        "injected bias": _with(lif_chain(), 0, bias=np.array([1, 2])),
    }


def test_stock_raises_on_what_it_cannot_express(tmp_path):
    cases = foreign_to_stock()
    files = []
    for index, graph in enumerate(cases.values()):
        files.append(tmp_path / f"{index}.net")
        netx.save(graph, files[-1])
        assert netx.load(files[-1]) == graph
    netx.save(graded_chain(), tmp_path / "good.net")
    *found, good = json.loads(stock("read", *files, tmp_path / "good.net").splitlines()[-1])
    assert good == 2
    silent = {name: result for name, result in zip(cases, found, strict=True) if not isinstance(result, str)}
    assert not silent, f"stock NetX loads these as something else: {silent}"
