"""Population and Projection: every kind of a NetGraph equals its reference, and a new kind needs nothing in proc."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from lava.magma.compiler.compiler_graphs import ProcGroupDiGraphs
from lava.magma.core.run_configs import Loihi2SimCfg

from lava_mlsnn import netx, proc, sim
from lava_mlsnn.graph.neurons import NEURONS, Neuron
from lava_mlsnn.graph.ranges import Outflow, Range
from lava_mlsnn.graph.synapses import SYNAPSES, Synapse
from lava_mlsnn.netx import Connection, DelayDense, Dense, Identity, Injection, Input, Layer, MultiLevel, NetGraph
from lava_mlsnn.proc.ports import port_shape, to_port
from lava_mlsnn.proc.timing import Resets

RNG = np.random.default_rng(6)
STEPS, INTERVAL = 9, 4
RESETS = Resets(INTERVAL, offset=2, start=2)


def drive(process, data, **kwargs):
    """What comes out of ``process``, fed with ``data`` (steps, *shape)."""
    inp, out = (process.s_in, process.a_out) if isinstance(process, proc.Projection) else (process.a_in, process.s_out)
    source, sink = proc.Source(frames=np.ascontiguousarray(data)), proc.Sink(shape=out.shape, steps=len(data))
    source.s_out.connect(inp)
    out.connect(sink.a_in)
    try:
        proc.run(process, len(data), timeout=60, **kwargs)
    finally:
        process.stop()
    return sink.data


@pytest.mark.parametrize("kind", NEURONS)
def test_every_neuron_with_resets_and_a_gate(kind):
    neuron, shape = NEURONS[kind].example(3, INTERVAL), (2, 4, 3)
    data = RNG.integers(-40, 90, (STEPS, *shape[:-1], shape[-1] * neuron.currents)).astype(np.int32)
    bias = RNG.integers(-9, 9, 3).astype(np.int32) if neuron.has_bias else None
    state, expected = neuron.initial_state(shape), []
    for step, current in enumerate(data, start=1):
        if RESETS.at(step):
            state = neuron.initial_state(shape)
        if step < RESETS.start:
            expected.append(np.zeros(shape))
            continue
        spikes, state = neuron.step(state, current, bias, channel_axis=-1, t=RESETS.since(step))
        expected.append(spikes)
    population = proc.Population(shape=shape, neuron=neuron, bias=bias, period=INTERVAL, **RESETS.gated)
    found = drive(population, data)
    np.testing.assert_array_equal(found, expected)
    assert found.any()


@pytest.mark.parametrize("kind", SYNAPSES)
def test_every_synapse_with_resets(kind):
    shape = (2, 5, 4)
    synapse = SYNAPSES[kind].example(shape)
    data = RNG.integers(-3, 9, (STEPS, *shape)).astype(np.int32)
    out = synapse.out_shape(shape)
    expected = [np.zeros(out)]  # a timestep of delay
    for step in range(1, STEPS):
        first = max((s for s in range(2, step + 2) if RESETS.at(s)), default=1) - 1  # what is older is dropped

        def past(age, last=step, first=first):
            return data[last - 1 - age] if last - age >= first and last - age >= 1 else np.zeros(shape, np.int32)

        expected.append(sim.reference.wrap(synapse.accumulate_past(past), synapse.current_bits))
    projection = proc.Projection(synapse=synapse, in_shape=shape, **RESETS.arguments)
    found = drive(projection, to_port(data, projection.s_in.shape))
    np.testing.assert_array_equal(found, to_port(np.stack(expected), port_shape(out, bool(synapse.flat))))
    assert found.any()


@pytest.fixture
def new_kinds():
    """A neuron and a synapse that the package does not have; they leave the registries again."""

    @dataclass(frozen=True, eq=False)
    class Ratchet(Neuron):
        """Fires when the largest current so far is exceeded by ``margin`` or more."""

        kind: ClassVar[str] = "ratchet"
        state: ClassVar[tuple[str, ...]] = ("highest",)
        margin: int = 1

        def step(self, state, current, bias=None, channel_axis=-3, t=0):
            fired = current >= state["highest"] + self.margin
            return fired.astype(np.int32), {"highest": np.where(fired, current, state["highest"]).astype(np.int32)}

        def ranges(self, inflow):
            one = np.ones_like(inflow.current.high)
            return Outflow(inflow.current.with_zero(), Range(0 * one, one))

    @dataclass(frozen=True, eq=False)
    class Mirror(Synapse):
        """The map, its columns in reverse order, times ``factor``."""

        kind: ClassVar[str] = "mirror"
        factor: int = 2

        def out_shape(self, in_shape):
            return in_shape

        def accumulate(self, spikes):
            return self.factor * spikes[..., ::-1].astype(np.int64)

        def spread(self, spikes, in_shape):
            return spikes.scale(self.factor)

    yield Ratchet(3), Mirror()
    del NEURONS["ratchet"], SYNAPSES["mirror"]


def test_a_new_kind_runs_per_layer(new_kinds):
    ratchet, mirror = new_kinds
    graph = NetGraph(
        Input((2, 3, 4), bits=4),
        (
            Layer("mirror", (Connection("input", mirror),), (2, 3, 4), MultiLevel(3, 5)),
            Layer("ratchet", (Connection("input", Identity()),), (2, 3, 4), ratchet),
            Layer("end", (Connection(("mirror", "ratchet"), Dense(RNG.integers(-3, 9, (5, 24)))),), (5, 1, 1), ratchet),
        ),
        timesteps=4,
    )
    images = RNG.integers(0, 16, (3, 2, 3, 4, 4))
    expected = sim.run(graph, images, engine="reference", trace=True)
    run = proc.simulate(graph, images, fused=False, trace=True, timeout=60)
    for name, spikes in expected.trace.items():
        np.testing.assert_array_equal(run.trace[name], spikes, err_msg=name)
        assert spikes.any()
    assert run.activity == expected.activity
    net = proc.Network(graph, fused=False)
    assert type(net.layers[1].neuron) is proc.Population and type(net.layers[0].synapse) is proc.Projection
    assert net.layers[1].neuron.margin.init.tolist() == [3] and "Mirror" in str(net)


def test_vars_of_any_kind_can_be_read_and_set_between_runs():
    synapse = proc.Projection(synapse=DelayDense(np.array([[1, 10]]), np.array([[0, 1]])), in_shape=(2, 1, 1))
    neuron = proc.Population(shape=(1,), neuron=netx.LIF(vth=2, du=4095, dv=0), u=0, v=64)
    source, sink = proc.Source(frames=np.ones((1, 2), np.int32), repeat=9), proc.Sink(shape=(1,), steps=9)
    watched = proc.Sink(shape=(1,), steps=9)
    source.s_out.connect(synapse.s_in)
    for target in (neuron.a_in, watched.a_in):
        synapse.a_out.connect(target)
    neuron.s_out.connect(sink.a_in)
    proc.run(source, 3, timeout=60)
    assert neuron.v.get().tolist() == [0] and neuron.vth.get().tolist() == [2]
    synapse.weight.set(np.array([[2, 20]]))
    neuron.vth.set(np.array([30]))
    proc.run(source, 3, timeout=60)
    assert synapse.weight.get().tolist() == [[2, 20]] and synapse.delays.get().tolist() == [[0, 1]]
    source.stop()
    assert watched.data[:6].ravel().tolist() == [0, 1, 11, 11, 22, 22]
    assert sink.data[:6].ravel().tolist() == [0, 0, 1, 0, 1, 0]


def test_lava_looks_for_models_once_per_type(monkeypatch):
    asked, find = [], ProcGroupDiGraphs._find_proc_models

    def count(process):
        asked.append(type(process))
        return find(process)

    monkeypatch.setattr(ProcGroupDiGraphs, "_find_proc_models", staticmethod(count))
    layers = [Layer("a", (Connection("input", Injection()),), (3, 1, 1), MultiLevel(3, 2))]
    for before, name in ("ab", "bc", "cd"):
        layers.append(Layer(name, (Connection(before, Dense(np.eye(3))),), (3, 1, 1), MultiLevel(3, 2)))
    proc.Network(NetGraph(Input((3, 1, 1)), tuple(layers)), fused=False).compile(Loihi2SimCfg(select_tag="fixed_pt"))
    assert len(asked) == len(set(asked)) and proc.MultiLevel in asked


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: proc.Population(shape=(3,)), "neuron of a Population: expected a neuron of a NetGraph, got None"),
        (
            lambda: proc.SoftLIF(shape=(3,), neuron=netx.Relay()),
            "neuron of a SoftLIF: expected a soft_lif neuron, got R",
        ),
        (lambda: proc.MultiLevel(shape=(3,), levels=2), "MultiLevel: .* 'threshold'"),
        (lambda: proc.MultiLevel(shape=(3,), threshold=2, levels=2, u=1), "MultiLevel has no argument 'u'"),
        (lambda: proc.Barrier(shape=(3,), levels=2, bias=1), "bias: a barrier neuron has none"),
        (lambda: proc.Readout(shape=(3,), v=1, period=0), "period"),
        (lambda: proc.Relay(shape=(3,), start=0), "start: expected an integer >= 1, got 0"),
        (lambda: proc.Relay(shape=(3,), reset_interval=2, reset_offset=0.5), "reset_offset: expected an integer"),
        (lambda: proc.Delay(shape=(3,), steps=1, reset_interval=2.5), "reset_interval: expected an integer"),
        (lambda: proc.run(proc.Relay(shape=(3,)), 2.5), "steps of a run: expected an integer"),
        (lambda: proc.Scheduled(shape=(3,), neuron=netx.Scheduled(1, [[1, 2]]), period=3), "thresholds of 2 steps"),
        (lambda: proc.Projection(synapse=None, in_shape=(3, 1, 1)), "synapse of a Projection: expected a synapse"),
        (lambda: proc.Projection(synapse=Dense([[1]]), in_shape=(3, 1, 1)), "reads 1 sites"),
        (lambda: proc.Projection(synapse=Dense([[1]]), in_shape=(1, 1)), "in_shape of a Projection"),
        (lambda: proc.Projection(synapse=Dense([[1]]), in_shape=(1, 1, 1), reset_interval=0), "reset_interval"),
    ],
)
def test_bad_arguments_are_named(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_a_state_that_lava_would_overwrite_is_refused():
    @dataclass(frozen=True, eq=False)
    class Rotor(Neuron):
        """Its state has the name of an attribute of Lava's models; without a kind it is in no registry."""

        state: ClassVar[tuple[str, ...]] = ("phase",)

    with pytest.raises(ValueError, match="'phase' cannot be a Var of Population"):
        proc.Population(shape=(1,), neuron=Rotor())
