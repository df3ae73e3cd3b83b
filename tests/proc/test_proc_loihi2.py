"""The switch between CPU and Loihi 2: what runs here, and that what cannot is inert, guarded and asks for its parts."""

from __future__ import annotations

import logging
import subprocess
import sys

import numpy as np
import pytest
import strategies
from hypothesis import given
from hypothesis import strategies as st
from lava.magma.core.callback_fx import CallbackFx
from lava.magma.core.model.py.model import AbstractPyProcessModel
from lava.magma.core.run_configs import Loihi2HwCfg, Loihi2SimCfg

from lava_mlsnn import proc, sim
from lava_mlsnn.netx import (
    Connection,
    Conv,
    DelayDense,
    Dense,
    Identity,
    Input,
    Layer,
    MultiLevel,
    NetGraph,
    Pool,
    Readout,
)
from lava_mlsnn.proc import loihi2
from lava_mlsnn.sim import reference

BOTH = pytest.mark.parametrize("fused", [True, False], ids=["fused", "hierarchical"])


def residual(steps=2):
    """A skip that needs a delay line, a sum of sources, strides, padding and a pool."""
    rng = np.random.default_rng(3)
    conv = [Conv(rng.integers(-20, 21, (4, i, 3, 3)), (1, 1), (1, 1)) for i in (2, 4)]
    down = Conv(rng.integers(-20, 21, (6, 4, 3, 2)), (2, 1), (0, 1))
    return NetGraph(
        Input((2, 6, 5), bits=4),
        (
            Layer("a", (Connection("input", conv[0]),), (4, 6, 5), MultiLevel(3, 60)),
            Layer("b", (Connection("a", conv[1]),), (4, 6, 5), MultiLevel(3, 30)),
            Layer("sum", (Connection(("a", "b"), Identity()),), (4, 6, 5), MultiLevel(3, 1)),
            Layer("down", (Connection("sum", down),), (6, 2, 6), MultiLevel(3, 9)),
            Layer("pool", (Connection("down", Pool()),), (6, 1, 3), MultiLevel(3, 2)),
            Layer("out", (Connection("pool", Dense(rng.integers(-9, 9, (5, 18)))),), (5, 1, 1), Readout()),
        ),
        steps,
    )


def with_adapters(graph, images, fused):
    """source -> adapter -> network -> adapter -> sink, with a profiler."""
    net = proc.Network(graph, fused=fused)
    steps = len(images) * graph.timesteps + graph.latency
    profiler = loihi2.ActivityProfiler(net, steps)
    frames = np.ascontiguousarray(images.transpose(0, 3, 2, 1))
    source = proc.Source(frames=frames, repeat=graph.timesteps)
    sink = proc.Sink(shape=net.out.shape, steps=steps)
    into, out_of = loihi2.InputAdapter(shape=net.inp.shape), loihi2.OutputAdapter(shape=net.out.shape)
    for a, b in ((source.s_out, into.inp), (into.out, net.inp), (net.out, out_of.inp), (out_of.out, sink.a_in)):
        a.connect(b)
    return net, sink, profiler, steps


@BOTH
def test_adapters_loggers_and_profiler_on_the_cpu(fused, caplog):
    graph = residual()
    images = np.random.default_rng(4).integers(0, 16, (5, 2, 6, 5))
    net, sink, profiler, steps = with_adapters(graph, images, fused)
    logger = loihi2.RunLogger("digits")
    config = loihi2.run_config(callback_fxs=[logger])
    assert isinstance(config, Loihi2SimCfg)
    with caplog.at_level(logging.INFO, "lava_mlsnn.run"):
        loihi2.run(net, steps, run_cfg=config, timeout=120)
    net.stop()
    want = sim.run(graph, images, engine="reference", trace=[*(layer.name for layer in graph), "input"])
    found = sink.data[graph.latency :].reshape(5, graph.timesteps, 5)[:, -1]
    np.testing.assert_array_equal(found, want.output)
    assert profiler.activity(5) == want.activity
    assert [record.message.split(":")[0] for record in caplog.records] == ["digits", "digits"]
    assert len(logger.seconds) == 1 and logger.seconds[0] > 0
    check_counts(graph, profiler, want)


def check_counts(graph, profiler, want):
    """Sums over the run against what follows from the engine's spikes."""
    shape = (profiler.steps, len(graph))
    columns = (profiler.spikes_in, profiler.syn_ops, profiler.dendrite_updates, profiler.axon_out)
    assert {column.shape for column in columns} == {shape}
    assert profiler.core_idx.tolist() == list(range(len(graph))) and not profiler.chip_idx.any()
    for i, layer in enumerate(graph):
        depth = graph.depth[layer.name]
        rows = slice(depth, depth + want.activity.samples * graph.timesteps)
        by_sample = [column[rows, i].reshape(-1, graph.timesteps).sum(axis=0) for column in columns]
        spikes_in = sum(want.activity.events[s] for c in layer.connections for s in c.sources)
        np.testing.assert_array_equal(by_sample[0], spikes_in)
        np.testing.assert_array_equal(by_sample[3], want.activity.events[layer.name])
        assert by_sample[1].sum() == sum(
            synaptic_operations(c.synapse, want.trace[s]) for c in layer.connections for s in c.sources
        )
        assert (columns[2][:, i] == layer.size).all()


def synaptic_operations(synapse, spikes):
    """Every event through weights of one: what arrives is the number of synapses that it drives."""
    events = np.moveaxis(spikes, -1, 1) != 0
    if hasattr(synapse, "weight"):
        ones = np.ones_like(synapse.weight)
        if isinstance(synapse, Dense):
            synapse = Dense(ones)
        elif isinstance(synapse, Identity):
            synapse = Identity()
        else:
            synapse = Conv(ones, synapse.stride, synapse.padding, synapse.dilation, synapse.groups)
    return int(reference.accumulate(synapse, events).sum())


@given(data=st.data(), shape=st.tuples(st.integers(1, 4), st.integers(1, 7), st.integers(1, 7)))
def test_fan_out_counts_the_synapses_of_each_site(data, shape):
    synapse = data.draw(strategies.synapses(shape))
    fan = synapse.fan_out(shape)
    for site in data.draw(st.lists(st.sampled_from(list(np.ndindex(*shape))), min_size=1, max_size=4)):
        spikes = np.zeros((1, *shape, 1), np.int64)
        spikes[(0, *site)] = 3
        assert fan[site] == synaptic_operations(synapse, spikes)


def test_a_dense_synapse_with_delays_drives_all_its_outputs():
    late = DelayDense(np.array([[1, 2, 0], [3, 0, 0], [1, 1, 1], [0, 0, 5]]), np.array([[0], [1], [2], [0]]))
    layers = (Layer("late", (Connection("input", late),), (4, 1, 1), MultiLevel(3, 2)),)
    net = proc.Network(NetGraph(Input((3, 1, 1), bits=2), layers, 3))
    profiler = loihi2.ActivityProfiler(net, 6)
    source = proc.Source(frames=np.array([[1, 0, 2], [0, 0, 0], [3, 3, 3], [0, 1, 0]], np.int32))
    source.s_out.connect(net.inp)
    loihi2.run(net, 6, timeout=60)
    net.stop()
    assert profiler.spikes_in.ravel().tolist() == [0, 2, 0, 3, 1, 0]
    assert profiler.syn_ops.ravel().tolist() == [0, 8, 0, 12, 4, 0]


def test_the_switch_without_a_chip():
    assert not loihi2.is_available()
    assert isinstance(loihi2.run_config(), loihi2.SimCfg)
    with pytest.raises(RuntimeError, match="extension of Lava for Loihi 2 is not installed"):
        loihi2.run_config(on_chip=True)
    config = loihi2.HwCfg([loihi2.RunLogger()])
    assert isinstance(config, Loihi2HwCfg) and isinstance(config.callback_fxs[0], CallbackFx)


def test_run_configurations_select_models():
    from lava_mlsnn.proc.io.models import PySourceModelFixed, PySourceModelFloat

    source = proc.Source(frames=np.zeros((1, 3), np.int32))
    models = [PySourceModelFloat, PySourceModelFixed]
    for config in (loihi2.SimCfg(), loihi2.HwCfg()):
        chosen = config.select(source, models)
        assert chosen is PySourceModelFixed and issubclass(chosen, AbstractPyProcessModel)


def test_microcode_comes_from_the_user(tmp_path):
    with pytest.raises(ValueError, match="'multilevel': this package ships none"):
        loihi2.microcode("multilevel")
    with pytest.raises(ValueError, match="'barrier': no such file"):
        loihi2.use_microcode(barrier=tmp_path / "none")


def test_models_for_the_chip_are_inert_without_the_extension():
    from lava_mlsnn.proc.io import ncmodels as adapters
    from lava_mlsnn.proc.neurons import ncmodels as neurons

    for module in (adapters, neurons):
        assert not [name for name in vars(module) if name.startswith(("Nc", "Nx"))]
        assert "untested on silicon" in module.__doc__


EXTENSION = '''
"""A recording double of the names that Lava's public history gives Intel's extension."""
import sys, types
from lava.magma.core.model.model import AbstractProcessModel

class AbstractNcProcessModel(AbstractProcessModel):
    pass

class LavaNcType:
    def __init__(self, cls, d_type, precision=None):
        self.cls, self.d_type, self.precision = cls, d_type, precision

names = {
    "model": {"AbstractNcProcessModel": AbstractNcProcessModel, "NcProcessModel": AbstractNcProcessModel},
    "ports": {"NcInPort": type("NcInPort", (), {}), "NcOutPort": type("NcOutPort", (), {})},
    "type": {"LavaNcType": LavaNcType},
    "var": {"NcVar": type("NcVar", (), {})},
}
c_models = types.ModuleType("lava.magma.core.model.c.model")
c_models.CLoihiProcessModel = type("CLoihiProcessModel", (AbstractProcessModel,), {})
sys.modules["lava.magma.core.model.c"] = types.ModuleType("c")
sys.modules["lava.magma.core.model.c.model"] = c_models
sys.modules["lava.magma.core.model.nc"] = types.ModuleType("nc")
for name, content in names.items():
    module = types.ModuleType(name)
    module.__dict__.update(content)
    sys.modules["lava.magma.core.model.nc." + name] = module

class Node:
    def __init__(self, log, name):
        self.log, self.name = log, name
    def connect(self, other):
        self.log.append((self.name, other.name))

class Allocator:
    def __init__(self, log, name):
        self.log, self.name = log, name
    def _allocate(self, **given):
        self.given = given
        return Node(self.log, self.name)
    allocate = allocate_ucode = _allocate
'''

ALLOCATE = """
import lava_mlsnn
from lava_mlsnn.proc import Barrier, MultiLevel, loihi2
from lava_mlsnn.proc.neurons.ncmodels import NcBarrierModel, NcMultiLevelModel
from lava.magma.compiler.compiler_graphs import ProcGroupDiGraphs
from lava.magma.core.resources import Loihi2NeuroCore
import warnings; warnings.simplefilter("error")

file = sys.argv[1]
for process, model, states in (
    (MultiLevel(shape=(4, 3, 2), threshold=7, levels=5, reset_interval=3, reset_offset=4, start=2), NcMultiLevelModel,
     {"v", "threshold", "bias"}),
    (Barrier(shape=(6,), levels=5), NcBarrierModel, {"v"}),
):
    assert model.implements_process is type(process) and model.required_resources == [Loihi2NeuroCore]
    assert model.tags == ["ucoded"]
    found = ProcGroupDiGraphs._find_proc_models(process)  # Lava runs every module beside the Process
    assert model in found and len(found) == 3, found
    sim = loihi2.SimCfg().select(process, found)
    assert sim.tags == ["fixed_pt"] and loihi2.HwCfg().select(process, found) is model
    made, log = object.__new__(model), []
    made.proc_params = process.proc_params
    for name, value in vars(model).items():
        if isinstance(value, LavaNcType):
            setattr(made, name, Node(log, name))
    kinds = ("neurons_cfg", "neurons", "ax_out")
    net = types.SimpleNamespace(**{kind: Allocator(log, kind) for kind in kinds})
    try:
        made.allocate(net)
    except ValueError as error:
        assert "this package ships none" in str(error)
    else:
        raise AssertionError
    key = type(process).__name__.lower()
    loihi2.use_microcode(**{key: file})
    made.allocate(net)
    assert log == [("a_in", "neurons"), ("neurons", "neurons_cfg"), ("neurons", "ax_out"), ("ax_out", "s_out")], log
    config = net.neurons_cfg.given
    assert config["ucode"] == file and config["shape"] == (1,)
    size = 24 if key == "multilevel" else 6
    assert net.neurons.given["shape"] == net.ax_out.given["shape"] == (size,)
    assert set(net.neurons.given) - {"shape"} == states
    timing = (config["reset_interval"], config["reset_offset"], config["start"])
    assert timing == ((3, 1, 2) if key == "multilevel" else (0, 0, 1)), timing
print("allocated")
"""


def test_models_for_the_chip_allocate_as_public_examples_do(tmp_path):
    """The extension cannot be had here, so a double of its public names records the calls; silicon may still differ."""
    file = tmp_path / "neuron.bin"
    file.write_bytes(b"")
    script = tmp_path / "allocate.py"
    script.write_text(EXTENSION + ALLOCATE)
    done = subprocess.run(
        [sys.executable, str(script), str(file)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split() == ["allocated"]


def test_adapters_refuse_shapes_that_are_none():
    with pytest.raises(ValueError, match="shape of an adapter"):
        loihi2.InputAdapter(shape=(0,))


def test_a_profiler_is_empty_before_the_run():
    graph = residual()
    profiler = loihi2.ActivityProfiler(proc.Network(graph), 10)
    assert profiler.steps == 0
    assert profiler.spikes_in.shape == profiler.syn_ops.shape == profiler.axon_out.shape == (0, len(graph))
