"""Neurons of non-uniform quantisation in the NetGraph: checks, file, digest, bounds, energy, fit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lava_mlsnn import energy, loihi2, model, netx, sim
from lava_mlsnn.netx import Connection, Dense, Input, Layer, NetGraph, Readout, Scheduled, Staircase


def graph_of(neuron: netx.Neuron, steps: int, bias: object = None) -> NetGraph:
    dense = Dense(np.array([[3, -1, 2], [1, 1, 5]]))
    layer = Layer("hidden", (Connection("input", dense),), (2, 1, 1), neuron, bias)
    last = Layer("out", (Connection("hidden", Dense(np.eye(2))),), (2, 1, 1), Readout())
    return NetGraph(Input((3, 1, 1), bits=4), (layer, last), steps)


NEURONS = (
    Scheduled(3, [[9, 4, 7], [2, 30, 8]]),
    Scheduled(1, [[9, 4, 7]]),
    Scheduled(3, [[9, 4, 7]], [[4, 0, -2], [0, 20, 1]]),
    Scheduled(1, [[9, 4, 7], [2, 30, 8]], [[4, 0, 0]]),
    Staircase([[1, 8, 8, 40]]),
)


@pytest.mark.parametrize("neuron", NEURONS, ids=lambda n: n.kind)
def test_equations_step_by_step(neuron: netx.Neuron) -> None:
    """Plain Python beside every engine."""
    graph = graph_of(neuron, 3, np.array([2, -3]))
    images = np.random.default_rng(0).integers(0, 16, (5, 3, 1, 1, 3))
    weight = np.array([[3, -1, 2], [1, 1, 5]])
    wanted = np.zeros((5, 2, 3), int)
    for sample in range(5):
        v = [0, 0]
        for t in range(3):
            for c in range(2):
                a = int(weight[c] @ images[sample, :, 0, 0, t]) + (2, -3)[c]
                row = neuron.thresholds[c % len(neuron.thresholds)].tolist()
                if isinstance(neuron, Staircase):
                    wanted[sample, c, t] = sum(a >= threshold for threshold in row)
                    continue
                h = v[c] + a + (neuron.offsets[c % len(neuron.offsets)][t] if neuron.offsets.ndim else 0)
                z = min(max(h // row[t], 0), neuron.levels)
                wanted[sample, c, t], v[c] = z, h - row[t] * z
    for engine in ("fast", "reference"):
        run = sim.run(graph, images, trace=True, engine=engine)
        assert np.array_equal(run.trace["hidden"][:, :, 0, 0], wanted)


@pytest.mark.parametrize("neuron", NEURONS, ids=lambda n: n.kind)
def test_file_digest_and_bounds(neuron: netx.Neuron, tmp_path) -> None:
    graph = graph_of(neuron, 3)
    netx.save(graph, tmp_path / "x.net")
    assert netx.load(tmp_path / "x.net") == graph
    changed = type(neuron)(**{**vars(neuron), "thresholds": neuron.thresholds + 1})
    assert netx.digest(graph_of(changed, 3)) != netx.digest(graph)
    images = np.full((1, 3, 1, 1), 15)
    limits = netx.bounds(graph)["hidden"]
    trace = sim.run(graph, images, trace=True).trace["hidden"]
    assert (trace.max(axis=(0, 2, 3, 4)) <= limits.message.high).all() and limits.message.high.max() <= neuron.levels
    assert netx.problems(graph) == []
    huge = type(neuron)(**{**vars(neuron), "thresholds": np.full_like(neuron.thresholds, 2**23)})
    assert any("threshold 8388608 exceeds 24 bits" in line for line in netx.problems(graph_of(huge, 3)))


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**16), levels=st.sampled_from((1, 3)), steps=st.integers(1, 5))
def test_membranes_stay_within_their_bounds(seed: int, levels: int, steps: int) -> None:
    random = np.random.default_rng(seed)
    table = random.integers(1, random.choice([5, 60]), (2, steps))
    graph = graph_of(Scheduled(levels, table), steps, random.integers(-9, 9, 2))
    images = random.integers(0, 16, (40, 3, 1, 1, steps))
    high = netx.bounds(graph)["hidden"].membrane.high
    current = np.einsum("oi,nit->not", graph["hidden"].synapse.weight, images[:, :, 0, 0]) + graph[
        "hidden"
    ].bias.reshape(1, 2, 1)
    v = np.zeros((40, 2))
    for t in range(steps):
        h = v + current[..., t]
        assert (h <= high).all()
        v = h - table[:, t] * np.clip(h // table[:, t], 0, levels)


@pytest.mark.parametrize("neuron", NEURONS, ids=lambda n: n.kind)
def test_energy_and_fit(neuron: netx.Neuron) -> None:
    graph = graph_of(neuron, 3)
    activity = sim.run(graph, np.full((4, 3, 1, 1), 9)).activity
    for name in ("lemaire", "horowitz", "loihi1"):
        assert energy.estimate(graph, activity, name).total > 0
    assert loihi2.fit(graph).fits


@pytest.mark.parametrize("neuron", NEURONS, ids=lambda n: n.kind)
def test_what_they_do_not_become(neuron: netx.Neuron, tmp_path) -> None:
    graph = graph_of(neuron, 3 if isinstance(neuron, Scheduled) else 1)
    words = "lower: T = 3: stock LIF neurons cannot reset softly" if graph.timesteps > 1 else "got staircase"
    with pytest.raises(ValueError, match=words):
        netx.lower(graph)
    with pytest.raises(ValueError, match=f"layer 'hidden'.*{neuron.kind}"):
        netx.to_nir(graph, tmp_path / "x.nir")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Scheduled(1, [3, 4]), "scheduled thresholds: expected 2 dimensions"),
        (lambda: Scheduled(0, [[3]]), "levels"),
        (lambda: Staircase([[0, 3]]), "staircase thresholds: expected integers >= 1"),
        (lambda: Staircase([[4, 3]]), "staircase thresholds: expected ascending rows"),
        (lambda: graph_of(Scheduled(1, [[3, 4]]), 3), "layer 'hidden': thresholds of 2 steps: expected T = 3"),
        (lambda: Scheduled(1, [[3, 4]], 5), "scheduled offsets: expected 0, or one row of offsets per channel, got 5"),
        (lambda: Scheduled(1, [[3, 4]], [[1]]), "scheduled offsets of 1 steps: expected those of thresholds, 2"),
        (lambda: graph_of(Scheduled(1, [[3]], [[1], [2], [3]]), 1), "a scheduled neuron with offsets of 3 channels"),
        (lambda: graph_of(Staircase(np.arange(1, 7).reshape(3, 2)), 1), "layer 'hidden': a staircase neuron with"),
    ],
)
def test_wrong_thresholds(make, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


def test_offsets_move_the_bounds() -> None:
    plain, wide = (netx.bounds(graph_of(Scheduled(3, [[9]], table), 1))["hidden"] for table in (0, [[1000], [-1000]]))
    assert (wide.membrane.high - plain.membrane.high).tolist() == [1000, -1000]
    assert (wide.membrane.low - plain.membrane.low).tolist() == [1000, -1000]


def test_fewer_steps_keep_their_thresholds_and_offsets() -> None:
    neuron = Scheduled(1, [[9, 4, 7]], [[4, 0, -2]])
    assert neuron.shorten(2) == Scheduled(1, [[9, 4]], [[4, 0]])
    assert Scheduled(1, [[9, 4]], [[0, 3]]).shorten(1) == Scheduled(1, [[9]])


def test_one_form_for_one_meaning() -> None:
    assert Scheduled(1, [[3, 4]], [[0, 0]]) == Scheduled(1, [[3, 4]])
    assert netx.digest(graph_of(Scheduled(1, [[3, 4]], [[0, 1]]), 2)) != netx.digest(
        graph_of(Scheduled(1, [[3, 4]]), 2)
    )
    assert Scheduled(1, [[3, 4], [3, 4]]) == Scheduled(1, [[3, 4]])
    assert Scheduled(1, [[3, 4]], [[1, 2], [1, 2]]) == Scheduled(1, [[3, 4]], [[1, 2]])


@pytest.mark.parametrize(
    ("neuron", "levels", "steps", "kinds"),
    [
        ({"kind": "atif"}, 1, 4, {"multilevel"}),
        ({"kind": "atif", "mode": "nonuniform"}, 1, 4, {"scheduled"}),
        ({"kind": "atif", "mode": "nonuniform"}, 4, 1, {"staircase"}),
    ],
)
def test_networks_of_paper_003_export(neuron: dict, levels: int, steps: int, kinds: set) -> None:
    """Torch's integer forward is the engine's, in both architectures of the paper."""
    from lava_mlsnn import block

    for name in ("vgg16", "sparse_resnet18"):
        torch.manual_seed(0)
        net = model.create(
            name, in_shape=(1, 8, 8), width=4, blocks=(1, 1), levels=levels, steps=steps, neuron=neuron
        ).eval()
        for module in net.modules():
            if hasattr(module, "free"):
                module.free.data.add_(0.3 * torch.randn_like(module.free))
        graph = netx.quantize(net)
        assert {layer.neuron.kind for layer in graph} - {"barrier", "readout"} == kinds
        images = torch.randint(0, 256, (3, 1, 8, 8), dtype=torch.uint8)
        run, spikes = sim.run(graph, images.numpy(), trace=True), block.trace(net, images)
        for layer in graph:
            assert np.array_equal(run.trace[layer.name], spikes[layer.name].numpy()), layer.name
