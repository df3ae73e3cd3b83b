"""Every kind of neuron and of synapse goes through every consumer: one that forgets a kind fails here.

A kind is drawn through the registries, in the small form that it gives of itself (``example``).
"""

from __future__ import annotations

from dataclasses import fields, replace
from zlib import crc32

import numpy as np
import pytest

from lava_mlsnn import energy, loihi2, netx, proc, sim
from lava_mlsnn.graph.neurons import NEURONS
from lava_mlsnn.graph.synapses import SYNAPSES
from lava_mlsnn.netx import INPUT, Connection, Conv, Dense, Injection, Input, Layer, MultiLevel, NetGraph, Synapse
from lava_mlsnn.proc import loihi2 as chip
from lava_mlsnn.proc.ports import to_port

STEPS, SAMPLES, SHAPE = 2, 3, (2, 5, 4)


def rng(kind: str) -> np.random.Generator:
    """Of the kind alone: a new kind changes no other's network."""
    return np.random.default_rng(crc32(kind.encode()))


def neuron_graph(kind: str) -> NetGraph:
    """The kind behind a convolution, with its bias and itself as a source where it may, then a dense layer."""
    neuron, integers = NEURONS[kind].example(3, STEPS), rng(kind).integers
    currents = 3 * neuron.currents
    conv = Conv(integers(-9, 10, (currents, SHAPE[0], 3, 3)), padding=1)
    connections = [Connection(INPUT, conv)]
    if neuron.spiking and neuron.gated:
        connections.append(Connection("kind", Conv(integers(-2, 3, (3, 3, 1, 1)))))
    bias = np.array([3, -4, 0]) if neuron.has_bias else None
    layers = [Layer("kind", tuple(connections), (3, *SHAPE[1:]), neuron, bias)]
    if neuron.spiking:
        high = 2 if neuron.signed else 10
        dense = Dense(integers(1 - high, high, (4, layers[0].size)))
        layers.append(Layer("end", (Connection("kind", dense),), (4, 1, 1), MultiLevel(3, 30)))
    return NetGraph(Input(SHAPE, bits=3), tuple(layers), STEPS)


def synapse_graph(kind: str) -> NetGraph:
    """The kind from what it may read, into multi-level neurons, then a dense layer."""
    synapse, layers, source, integers = SYNAPSES[kind].example(SHAPE), [], INPUT, rng(kind).integers
    if not isinstance(synapse, Injection):
        conv = Conv(integers(-9, 10, (SHAPE[0], SHAPE[0], 3, 3)), padding=1)
        layers, source = [Layer("first", (Connection(INPUT, conv),), SHAPE, MultiLevel(3, 20))], "first"
    shape = synapse.out_shape(SHAPE)
    layers.append(Layer("kind", (Connection(source, synapse),), shape, MultiLevel(4, 9 if synapse.gain > 1 else 2)))
    dense = Dense(integers(-9, 10, (4, layers[-1].size)))
    layers.append(Layer("end", (Connection("kind", dense),), (4, 1, 1), MultiLevel(3, 30)))
    return NetGraph(Input(SHAPE, bits=3), tuple(layers), STEPS)


GRAPHS = {**{kind: neuron_graph(kind) for kind in NEURONS}, **{kind: synapse_graph(kind) for kind in SYNAPSES}}
IMAGES = rng("images").integers(0, 8, (SAMPLES, *SHAPE, STEPS))

every_kind = pytest.mark.parametrize("kind", GRAPHS)


def reference(kind: str) -> sim.Run:
    return sim.run(GRAPHS[kind], IMAGES, trace=True, engine="reference")


def assert_equal(run: sim.Run, expected: sim.Run) -> None:
    assert list(run.trace) == list(expected.trace)
    for name, spikes in expected.trace.items():
        np.testing.assert_array_equal(run.trace[name], spikes, err_msg=name)
    np.testing.assert_array_equal(run.output, expected.output)
    assert run.activity == expected.activity, run.activity.difference(expected.activity)


def test_kinds_say_what_they_are():
    for kind, cls in {**NEURONS, **SYNAPSES}.items():
        assert cls.kind == kind and cls.__module__.rsplit(".", 1)[1] == kind
        assert cls.__doc__


@every_kind
def test_spikes_are_not_all_alike(kind):
    """What follows compares something."""
    trace = reference(kind).trace["kind"]
    assert len(np.unique(trace)) > 1


@every_kind
def test_engine(kind):
    assert_equal(sim.run(GRAPHS[kind], IMAGES, trace=True), reference(kind))


@every_kind
@pytest.mark.parametrize("fused", [True, False])
def test_lava(kind, fused):
    run = proc.simulate(GRAPHS[kind], IMAGES, fused=fused, trace=True, timeout=60)
    assert_equal(run, reference(kind))


@every_kind
def test_file(kind, tmp_path):
    netx.save(GRAPHS[kind], tmp_path / "x.net")
    loaded = netx.load(tmp_path / "x.net")
    assert loaded == GRAPHS[kind] and netx.digest(loaded) == netx.digest(GRAPHS[kind])


@every_kind
def test_digest_knows_every_parameter(kind):
    """Another value of any field gives another graph and another digest."""
    graph = GRAPHS[kind]
    before, layer = graph.layers[: list(graph).index(graph["kind"])], graph["kind"]
    first, *others = layer.connections
    thing, tried = layer.neuron if kind in NEURONS else first.synapse, 0
    mine = netx.digest(NetGraph(graph.input, (*before, layer), STEPS))
    for field in fields(thing):
        try:
            other = replace(thing, **{field.name: _changed(getattr(thing, field.name))})
            if kind in NEURONS:
                changed = replace(layer, neuron=other)
            else:
                shape = other.out_shape(graph.shape(first.sources[0]))
                changed = replace(layer, connections=(replace(first, synapse=other), *others), shape=shape)
            whole = NetGraph(graph.input, (*before, changed), STEPS)
        except ValueError:  # the value fits no other field's
            continue
        tried += 1
        assert other != thing and netx.digest(whole) != mine, field.name
    assert tried or not fields(thing)


def _changed(value):
    if isinstance(value, np.ndarray):
        other = value.copy()
        other.flat[-1] += 1
        return other
    if isinstance(value, tuple):
        return tuple(v + 1 for v in value)
    return {"released": "corrected", "same": "next"}[value] if isinstance(value, str) else value + 1


@every_kind
def test_bounds_hold_every_spike(kind):
    limits, trace = netx.bounds(GRAPHS[kind]), reference(kind).trace
    for name, spikes in trace.items():
        if name != INPUT:
            by_channel = np.moveaxis(spikes, 1, 0).reshape(spikes.shape[1], -1)
            assert (by_channel.min(axis=1) >= limits[name].message.low).all(), name
            assert (by_channel.max(axis=1) <= limits[name].message.high).all(), name


@every_kind
def test_hardware_check(kind):
    """As it is, all of it fits; with weights that no chip has, the layer that they lead into is named."""
    graph = GRAPHS[kind]
    layer = graph["kind"]
    loops = "kind" in layer.inputs and layer.neuron.largest_spike is None  # nothing bounds what it sends itself
    assert all("has no bound" in line for line in netx.problems(graph)) if loops else netx.problems(graph) == []
    first, *others = layer.connections
    if first.synapse.weights is None:
        return
    wide = replace(first.synapse, weight=first.synapse.weights * 2**20 + 1)
    changed = replace(layer, connections=(replace(first, synapse=wide), *others))
    found = netx.problems(replace(graph, layers=tuple(changed if x is layer else x for x in graph)))
    assert any(line.startswith("layer 'kind', channel") and "is not 8 signed bits" in line for line in found)
    assert any(line.startswith("layer 'kind', channel") and "24 bits hold" in line for line in found) or (
        layer.neuron.sends_changes
    )


@every_kind
@pytest.mark.parametrize("model", ["lemaire", "horowitz", "loihi1"])
def test_energy(kind, model):
    """A figure of the spiking network, or one error that names the layer; the ANN of the same shapes always has one."""
    graph, activity = GRAPHS[kind], reference(kind).activity
    if model != "loihi1":
        assert energy.estimate(graph, None, model).total > 0
    if kind in NEURONS and not NEURONS[kind].priced:
        with pytest.raises(ValueError, match=r"layer 'kind': .* no formula"):
            energy.estimate(graph, activity, model)
    else:
        assert energy.estimate(graph, activity, model).total > 0


@every_kind
def test_fit(kind):
    mapped = loihi2.fit(GRAPHS[kind])
    assert mapped.cores >= len(GRAPHS[kind]) and all(layer.part is not None for layer in mapped.layers)


@every_kind
def test_profiler(kind):
    """What the chip's probe would report: the synapses that are driven by what was sent."""
    graph = GRAPHS[kind]
    net = proc.Network(graph, fused=True)
    steps = SAMPLES * STEPS + graph.latency
    profiler = chip.ActivityProfiler(net, steps)
    frames = to_port(np.moveaxis(IMAGES, -1, 1).reshape(-1, *SHAPE), net.inp.shape)
    source = proc.Source(frames=np.ascontiguousarray(frames), repeat=1)
    source.s_out.connect(net.inp)
    chip.run(net, steps, timeout=60)
    net.stop()
    layer, trace = graph["kind"], sim.run(graph, IMAGES, trace=[*(x.name for x in graph), INPUT]).trace
    driven = 0
    for connection in layer.connections:
        for source in connection.sources:
            fired = np.moveaxis(trace[source] != 0, -1, 1).reshape(-1, *graph.shape(source))
            late = int(source == layer.name)  # what a layer sends itself arrives one step later
            driven += reached(connection.synapse, fired[: len(fired) - late])
    first = graph.depth["kind"]
    column = profiler.syn_ops[first : first + SAMPLES * STEPS, [x.name for x in graph].index("kind")]
    assert driven > 0 and column.sum() == driven


@every_kind
def test_fan_out_counts_weights(kind):
    """Through weights of one, an event reaches as many places as it has synapses."""
    if kind in NEURONS:
        return
    synapse = SYNAPSES[kind].example(SHAPE)
    for site in np.ndindex(*SHAPE):
        spike = np.zeros(SHAPE, np.int64)
        spike[site] = 1
        assert synapse.fan_out(SHAPE)[site] == reached(synapse, spike)


def reached(synapse: Synapse, fired: np.ndarray) -> int:
    """Synapses that events drive: what arrives if every weight is one."""
    if synapse.weights is not None:
        synapse = replace(synapse, weight=np.ones_like(synapse.weights))
    return int(sum(part.accumulate(fired).sum() for _, part in synapse.parts()))


@every_kind
def test_table(kind):
    (row,) = [row for row in str(proc.Network(GRAPHS[kind], fused=True)).splitlines() if "| kind <- " in row][:1]
    layer = GRAPHS[kind]["kind"]
    assert layer.neuron.kind in row and layer.connections[0].synapse.file_type.capitalize() in row


@every_kind
def test_part_and_shorten(kind):
    graph = GRAPHS[kind]
    assert netx.part(graph, 0, 1).layers == graph.layers[:1]
    short, first = netx.shorten(graph, 1), IMAGES[..., :1]
    assert_equal(sim.run(short, first, trace=True), sim.run(short, first, trace=True, engine="reference"))


@every_kind
def test_lowering_is_exact_or_refused_by_name(kind):
    graph, images = netx.shorten(GRAPHS[kind], 1), IMAGES[..., :1]
    try:
        lowered = netx.lower(graph)
    except ValueError as error:
        assert "layer" in str(error)
        return
    found, want = sim.run(lowered, images, trace=True), sim.run(graph, images, trace=True)
    for name, place in netx.places(graph).items():
        spikes = found.trace[place.layer][:, place.first :][:, : place.levels * len(want.trace[name][0])]
        spikes = spikes.reshape(len(spikes), -1, place.levels, *spikes.shape[2:]).sum(axis=2)
        np.testing.assert_array_equal(spikes, want.trace[name], err_msg=name)


@every_kind
def test_nir_is_exact_or_refused_by_name(kind, tmp_path):
    pytest.importorskip("nir")
    try:
        netx.to_nir(GRAPHS[kind], tmp_path / "x.nir")
    except ValueError as error:
        assert "layer" in str(error)
        return
    again = netx.from_nir(tmp_path / "x.nir", IMAGES)
    np.testing.assert_array_equal(sim.run(again, IMAGES).output, sim.run(GRAPHS[kind], IMAGES).output)
