"""Membranes of both engines, and of Lava's populations read step by step."""

from __future__ import annotations

import numpy as np
import pytest
import strategies
from hypothesis import given, settings

from lava_mlsnn import netx, proc, sim
from lava_mlsnn.netx import LIF, Barrier, Connection, Conv, Dense, Identity, Input, Layer, MultiLevel, NetGraph, Readout
from lava_mlsnn.proc.io.process import Sink, Source
from lava_mlsnn.proc.ports import from_port
from lava_mlsnn.proc.simulate import frames

ANY = strategies.Options(late=True)


def small(steps: int) -> NetGraph:
    rng = np.random.default_rng(0)
    first, second = rng.integers(-20, 20, (2, 1, 3, 3)), rng.integers(-20, 20, (2, 2, 3, 3))
    read = Dense(rng.integers(-9, 9, (3, 2 * 4 * 4)))
    a = Layer("a", (Connection("input", Conv(first, padding=(1, 1))),), (2, 4, 4), MultiLevel(3, 50), np.array([3, -4]))
    b = Layer("b", (Connection("a", Conv(second, padding=(1, 1))),), (2, 4, 4), LIF(vth=2, dv=1000))
    c = Layer("c", (Connection(("a", "b"), Identity()),), (2, 4, 4), Barrier(3))
    out = Layer("out", (Connection("c", read),), (3, 1, 1), Readout())
    return NetGraph(Input((1, 4, 4), bits=4), (a, b, c, out), timesteps=steps)


@pytest.mark.filterwarnings("ignore:sums of synapses left:RuntimeWarning")
@settings(max_examples=15)
@given(strategies.cases(ANY))
def test_both_engines_hold_the_same(case: tuple[NetGraph, np.ndarray]) -> None:
    graph, images = case
    runs = [sim.run(graph, images, trace="membrane", engine=engine) for engine in ("fast", "reference")]
    assert set(runs[0].membranes) == {layer.name for layer in graph if "v" in layer.neuron.state}
    assert list(runs[0].membranes) == list(runs[1].membranes)
    for name, held in runs[0].membranes.items():
        assert held.shape == (len(images), *graph.shape(name), graph.timesteps)
        np.testing.assert_array_equal(held, runs[1].membranes[name])
    plain = sim.run(graph, images, trace=True)
    assert runs[0].difference(plain) == "" and not plain.membranes


@pytest.mark.parametrize("steps", [1, 3])
def test_lava_s_populations_hold_the_same(steps: int) -> None:
    graph = small(steps)
    images = np.random.default_rng(1).integers(0, 16, (2, 1, 4, 4))
    expected = sim.run(graph, images, trace="membrane").membranes
    assert all(held.any() for name, held in expected.items() if name != "c")
    network = proc.Network(graph, fused=False, reset_interval=steps)
    total = len(images) * steps + max(graph.depth.values())
    source, sink = Source(**frames(images, network.inp.shape, steps)), Sink(shape=network.out.shape, steps=total)
    source.s_out.connect(network.inp)
    network.out.connect(sink.a_in)
    seen: dict[str, list[np.ndarray]] = {layer.name: [] for layer in network.layers}
    try:
        for _ in range(total):
            proc.run(network, 1)
            for layer in network.layers:
                held = layer.neuron.v.get()
                seen[layer.name].append(from_port(held[None], graph.shape(layer.name), flat=held.ndim == 1)[0])
    finally:
        network.stop()
    for name, held in expected.items():
        after = np.array(seen[name][graph.depth[name] :][: len(images) * steps])
        by_sample = after.reshape(len(images), steps, *graph.shape(name))
        np.testing.assert_array_equal(np.moveaxis(by_sample, 1, -1), held, err_msg=name)


def test_a_layer_called_membrane_is_traced_by_a_list() -> None:
    read = Layer("membrane", (Connection("input", Dense([[1]])),), (1, 1, 1), Readout())
    graph = netx.NetGraph(Input((1, 1, 1)), (read,))
    assert list(sim.run(graph, np.ones((1, 1, 1, 1), int), trace=["membrane"]).traces) == ["membrane"]
