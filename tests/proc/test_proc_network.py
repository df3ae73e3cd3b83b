"""proc.Network as Lava's users meet it: ports, layers, table, options, probes, and what it refuses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.conv.process import Conv as StockConv
from lava.proc.dense.process import Dense as StockDense
from lava.proc.io.sink import RingBuffer as StockSink
from lava.proc.io.source import RingBuffer as StockSource
from lava.proc.lif import process as stock_lif

from lava_mlsnn import proc, sim
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
    SigmaDelta,
)

BOTH = pytest.mark.parametrize("fused", [True, False], ids=["fused", "hierarchical"])


def residual(steps=3):
    """Two convolutions, their sum, a pool inside the readout's way: depths 1, 2, 3, 4, 5 and one delay line."""
    rng = np.random.default_rng(3)
    weight = rng.integers(-20, 21, size=(2, 4, 4, 3, 3))
    return NetGraph(
        Input((4, 6, 8)),
        (
            Layer("a", (Connection("input", Conv(weight[0], padding=1)),), (4, 6, 8), MultiLevel(4, 500)),
            Layer("b", (Connection("a", Conv(weight[1], padding=1)),), (4, 6, 8), MultiLevel(4, [9, 30, 50, 80])),
            Layer("sum", (Connection(("a", "b"), Identity()),), (4, 6, 8), Barrier(4)),
            Layer("down", (Connection("sum", Pool()),), (4, 3, 4), MultiLevel(4, 2), [1, 0, -1, 2]),
            Layer("out", (Connection("down", Dense(rng.integers(-9, 9, size=(5, 48)))),), (5, 1, 1), Readout()),
        ),
        steps,
    )


def images(count=4, shape=(4, 6, 8)):
    return np.random.default_rng(4).integers(0, 256, size=(count, *shape)).astype(np.uint8)


@BOTH
def test_stock_ring_buffers_see_the_readout_at_the_documented_steps(fused):
    graph, samples = residual(), images()
    net = proc.Network(graph, fused=fused)
    assert net.inp.shape == (8, 6, 4) and net.out.shape == (5,)
    data = np.repeat(samples.transpose(3, 2, 1, 0), graph.timesteps, axis=-1).astype(int)
    steps = len(samples) * graph.timesteps + net.latency
    source, sink = StockSource(data=data), StockSink(shape=net.out.shape, buffer=steps)
    source.s_out.connect(net.inp)
    net.out.connect(sink.a_in)
    net.run(condition=RunSteps(num_steps=steps), run_cfg=Loihi2SimCfg(select_tag="fixed_pt"))
    recorded = sink.data.get()
    net.stop()
    at = [(k + 1) * graph.timesteps + net.latency - 1 for k in range(len(samples))]  # step s is column s - 1
    assert np.array_equal(recorded[:, at].T, sim.run(graph, samples).output)
    assert not recorded[:, : net.latency].any()  # gated until the first input arrives


def test_layers_are_stock_processes_where_those_compute_the_same():
    net = proc.Network(residual(), fused=False)
    assert isinstance(net, proc.Network) and len(net) == len(net.layers) == 5
    assert net.in_layer is net.layers[0] and net.out_layer is net.layers[-1]
    assert type(net.layers[0].synapse) is StockConv
    assert isinstance(net.layers[2].synapse, proc.Identity) and isinstance(net.layers[3].synapse, proc.Pool)
    assert isinstance(net.layers[3].synapse, StockConv)  # a depthwise convolution of ones, for whoever compiles it
    assert type(net.layers[4].synapse) is StockDense
    assert isinstance(net.layers[0].neuron, proc.MultiLevel) and isinstance(net.layers[2].neuron, proc.Barrier)
    assert net.layers[1].neuron.threshold.get().tolist() == [9, 30, 50, 80]
    assert [layer.depth for layer in net.layers] == [1, 2, 3, 4, 5]
    assert net.in_layer.inp.shape == (8, 6, 4) and net.out_layer.out.shape == (5,)


def test_fused_layers_tell_shapes_and_depths():
    net = proc.Network(residual())
    assert [(layer.name, layer.shape, layer.depth) for layer in net.layers][3:] == [
        ("down", (4, 3, 4), 4),
        ("out", (5,), 5),
    ]
    assert net.in_layer.inp is net.inp and net.out_layer.out is net.out
    assert net.latency == 5


@BOTH
def test_print_shows_a_row_per_connection(fused):
    lines = str(proc.Network(residual(), fused=fused)).split("\n")
    assert len(lines) == 6
    assert lines[0].startswith("|   Type   |  W  |  H  |  C  | ker | str | pad | dil | grp |delay|")
    assert lines[1].startswith("|Conv      |    8|    6|    4| 3, 3| 1, 1| 1, 1| 1, 1|    1|False|")
    assert "sum <- a + b" in lines[3] and "|True |" in lines[3]


@BOTH
def test_stock_idioms_of_the_encoder(fused):
    graph = chain(SigmaDelta(1, 0, 0))
    net = proc.Network(graph, fused=fused)
    frames = np.array([[1, 2, 3], [4, 4, 4], [0, 0, 0]], np.int32)
    source, sink = StockSource(data=frames.T), StockSink(shape=net.out_layer.out.shape, buffer=4)
    source.s_out.connect(net.in_layer.neuron.a_in)
    net.out_layer.neuron.s_out.connect(sink.a_in)
    net.run(condition=RunSteps(num_steps=4), run_cfg=Loihi2SimCfg(select_tag="fixed_pt"))
    assert sink.data.get().T.tolist() == [[0, 0], [7, 6], [16, 12], [0, 0]]
    net.stop()


def test_encoders_take_real_images_by_their_transform():
    graph = replace(chain(LIF(vth=10)), input=Input((3, 1, 1), bits=16, signed=True, gain=40.0, offset=36.0))
    net = proc.Network(graph)
    assert net.in_layer.transform == {"weight": 40.0, "bias": 36.0} and net.layers[1].transform is None
    assert net.encode([0.0, 0.5, -1.01]).tolist() == [36, 56, -4]
    assert proc.Network(residual()).encode([0.0, 1.0, 100.4 / 255]).tolist() == [0, 255, 100]
    assert proc.Network(residual()).in_layer.transform is None
    with pytest.raises(AttributeError, match=r"'vth'.*no Process for the neurons of layer 'encoder'.*fused=False"):
        _ = net.in_layer.neuron.vth


def chain(neuron, bias=None):
    """A stock kind of network: an injection block, then a dense layer."""
    layers = (
        Layer("encoder", (Connection("input", Injection()),), (3, 1, 1), neuron),
        Layer("dense", (Connection("encoder", Dense([[3, -1, 2], [1, 1, 1]])),), (2, 1, 1), neuron, bias),
    )
    return NetGraph(Input((3, 1, 1), signed=True), layers)


def test_stock_neurons_reset_only_when_asked():
    graph = chain(LIF(vth=10, dv=0), [5, -3])
    net = proc.Network(graph, fused=False)
    assert net.reset_interval is None and type(net.layers[0].neuron) is stock_lif.LIF
    net = proc.Network(graph, fused=False, reset_interval=4, reset_offset=1)
    assert type(net.layers[1].neuron) is stock_lif.LIFReset
    assert net.layers[1].neuron.proc_params["reset_offset"] == 3  # 1 + 1 + depth 1
    assert proc.Network(residual(steps=3)).reset_interval == 3
    assert proc.Network(residual(), reset_interval=None).reset_interval is None


@pytest.mark.parametrize("reset", [(None, 0), (3, 0), (3, 2), (5, 1)], ids=str)
@pytest.mark.parametrize(
    "neuron", [LIF(vth=10, dv=128, du=1024), SigmaDelta(2, 1, 2), MultiLevel(3, 7)], ids=lambda n: n.kind
)
def test_both_models_agree_on_any_reset(neuron, reset):
    graph = chain(neuron, [5, -3])
    frames = np.random.default_rng(0).integers(-20, 40, size=(14, 3)).astype(np.int32)
    recordings = []
    for fused in (True, False):
        net = proc.Network(graph, fused=fused, reset_interval=reset[0], reset_offset=reset[1])
        source = proc.Source(frames=frames)
        source.s_out.connect(net.inp)
        monitor = proc.Monitor(net, steps=14)
        proc.run(source, 14, timeout=60)
        source.stop()
        recordings.append(monitor.data)
    for name in ("encoder", "dense"):
        assert np.array_equal(recordings[0][name], recordings[1][name])
        assert recordings[0][name].shape[0] == 14 and recordings[0][name].any()


def test_num_layers():
    assert len(proc.Network(residual(), num_layers=2)) == 2
    assert proc.Network(residual(), num_layers=2).out.shape == (8, 6, 4)
    assert len(proc.Network(residual(), num_layers=9)) == 5


@BOTH
def test_skip_layers_leaves_the_rest_of_the_network(fused):
    graph = residual(steps=2)
    whole = sim.run(graph, images(2), trace=True)
    net = proc.Network(graph, fused=fused, skip_layers=1, num_layers=4)
    assert [layer.name for layer in net.graph] == [layer.name for layer in graph][1:4]
    tail = proc.simulate(net.graph, whole.trace[graph.layers[0].name], fused=fused, trace=True, timeout=60)
    for layer in net.graph:
        assert np.array_equal(tail.trace[layer.name], whole.trace[layer.name]), layer.name


def test_a_network_runs_from_its_file(tmp_path):
    from lava_mlsnn import netx

    netx.save(residual(), tmp_path / "x.net")
    net = proc.Network(str(tmp_path / "x.net"), fused=False)
    assert net.graph == residual() and net.filename == str(tmp_path / "x.net")
    run = proc.simulate(tmp_path / "x.net", images(2), timeout=60)
    assert np.array_equal(run.output, sim.run(residual(), images(2)).output)


@BOTH
def test_probe_counts_each_step(fused):
    graph, samples = residual(steps=2), images(3)
    net = proc.Network(graph, fused=fused)
    probe, monitor = proc.ActivityProbe(net, steps=50), proc.Monitor(net, ["input", "sum"], steps=8)
    source = proc.Source(frames=samples.transpose(0, 3, 2, 1), repeat=2)
    source.s_out.connect(net.inp)
    proc.run(net, 11, timeout=60)
    net.stop()
    expected = sim.run(graph, samples, trace=["input", "a", "b", "sum"])
    assert probe.steps == 11 and probe.names == ("input", "a", "b", "sum", "down", "out")
    assert probe.activity(3) == expected.activity
    assert probe.activity(2) != expected.activity and probe.activity(2) == sim.run(graph, samples[:2]).activity
    spikes = np.moveaxis(expected.trace["sum"], -1, 1).reshape(6, -1)  # sample by sample, step by step
    assert probe.events("sum").tolist()[3:9] == np.count_nonzero(spikes, axis=1).tolist()
    assert probe.values("sum").tolist()[3:9] == spikes.sum(axis=1).tolist()
    assert not probe.events("sum")[:3].any() and not probe.events("out").any()
    assert monitor.data["sum"].shape == (8, 4, 6, 8)
    assert np.array_equal(monitor.trace(2)["sum"], expected.trace["sum"][:2])
    assert np.array_equal(monitor.trace(2)["input"], expected.trace["input"][:2])
    with pytest.raises(ValueError, match="need 9 recorded steps, got 8"):
        monitor.trace(3)
    with pytest.raises(ValueError, match="4 samples"):
        probe.activity(4)
    with pytest.raises(ValueError, match="no layer 'x'"):
        probe.events("x")
    with pytest.raises(RuntimeError, match="before the network's first run"):
        proc.ActivityProbe(net, steps=5)


@BOTH
def test_a_probe_that_is_too_short_says_so(fused):
    net = proc.Network(residual(), fused=fused)
    proc.ActivityProbe(net, steps=3)
    source = proc.Source(frames=images(2).transpose(0, 3, 2, 1))
    source.s_out.connect(net.inp)
    with pytest.raises(proc.ProcessError, match="the probe holds 3 steps"):
        proc.run(net, 5, timeout=60)


@BOTH
def test_images_step_by_step_and_no_images(fused):
    graph = residual(steps=3)
    by_step = np.random.default_rng(1).integers(0, 256, size=(2, 4, 6, 8, 3))
    run = proc.simulate(graph, by_step, fused=fused, trace=["sum"], timeout=60)
    expected = sim.run(graph, by_step, trace=["sum"])
    assert np.array_equal(run.output, expected.output) and run.activity == expected.activity
    assert np.array_equal(run.trace["sum"], expected.trace["sum"])
    empty = proc.simulate(graph, by_step[:0], fused=fused)
    assert empty.output.shape == (0, 5) and empty.activity == sim.run(graph, by_step[:0]).activity


def test_simulate_leaves_nothing_in_lavas_lists():
    import logging

    from lava.magma.core.process.process import ProcessServer

    before = len(ProcessServer().processes), len(logging.getLogger().handlers)
    proc.simulate(residual(), images(1), timeout=60)
    assert (len(ProcessServer().processes), len(logging.getLogger().handlers)) == before


@BOTH
def test_a_network_without_input_runs_on_its_bias(fused):
    """As stock: nothing need be connected to a network whose encoder is driven by its bias."""
    net = proc.Network(chain(LIF(vth=10, dv=0)), fused=fused)
    net.in_layer.neuron.bias_mant.init = np.array([3, 0, 11])
    monitor = proc.Monitor(net, ["encoder"], steps=6)
    proc.run(net, 4, timeout=60)
    net.in_layer.neuron.bias_mant.set(np.array([0, 11, 0]))
    proc.run(net, 2, timeout=60)
    net.stop()
    assert monitor.data["encoder"][4:].reshape(2, 3).tolist() == [[0, 1, 0], [0, 1, 0]]
    assert monitor.data["encoder"][:4].reshape(4, 3).tolist() == [[0, 0, 1], [0, 0, 1], [0, 0, 1], [1, 0, 1]]


@BOTH
def test_a_bias_that_lavas_lif_would_wrap_is_refused(fused):
    """At the start, and between two runs; stock wraps it to 16 bits without a word."""

    def network():
        graph = chain(LIF(vth=10, dv=0))
        wide = replace(graph, input=replace(graph.input, bits=16, signed=True))
        net = proc.Network(wide, fused=fused)
        return net, net.in_layer.neuron.bias_mant

    net, bias = network()
    bias.init = np.array([3, 2**15, 11])
    with pytest.raises(ValueError, match=r"layer 'encoder': the bias of Lava's LIF has 16 bits, got 3 .. 32768"):
        proc.run(net, 2, timeout=60)
    net, bias = network()
    bias.init = np.array([3, 2**15 - 1, -(2**15)])
    proc.run(net, 2, timeout=60)
    words = "16 bits, got 0 .. 40000" if fused else "'bias_mant' of 'encoder' holds int16, .*: got 0 .. 40000"
    with pytest.raises((ValueError, proc.ProcessError), match=words):
        bias.set(np.array([0, 40000, 0]))
        proc.run(net, 2, timeout=60)
    net.stop()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: proc.Network(residual(), fused="yes"), "fused: expected True or False, got 'yes'"),
        (lambda: proc.Network(residual(), reset_interval="T"), "reset_interval.*'T'"),
        (lambda: proc.Network(residual(), reset_interval=0), "reset_interval"),
        (lambda: proc.Network(residual(), num_layers=0), "num_layers"),
        (lambda: proc.Network(residual(), skip_layers=5), "skip_layers: expected an integer in 0 .. 4, got 5"),
        (lambda: proc.Network(residual(), skip_layers=2, num_layers=2), "skip_layers.* 0 .. 1, got 2"),
        (lambda: proc.Network(residual(), skip_layers=2), "read 'a', 'b': expected one layer"),
        (lambda: proc.Network(residual(), spike_exp=6), "spike_exp: only for stock files"),
        (lambda: proc.Network(chain(LIF(vth=1), [40000, 0]), fused=False), "'dense'.*16 bits.*40000"),
        (lambda: proc.Monitor(proc.Network(residual()), ["zzz"], steps=3), "no layer 'zzz'"),
        (lambda: proc.ActivityProbe(proc.Network(residual()), steps=0), "steps of a probe"),
        (lambda: proc.simulate(residual(), np.zeros((1, 3, 3, 3), int)), r"images: expected shape"),
        (lambda: proc.simulate(residual(), np.zeros((1, 4, 6, 8))), "images: expected integers"),
        (lambda: proc.simulate(residual(), images(1), trace=["q"]), "no layer 'q'"),
    ],
)
def test_bad_arguments_are_named(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_a_missing_file_is_missing():
    with pytest.raises(FileNotFoundError):
        proc.Network("/nowhere/x.net")
