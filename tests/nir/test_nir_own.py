"""NIR files of our own: what is written computes the same, round trips, and what NIR cannot say is refused."""

from __future__ import annotations

import warnings

import h5py
import numpy as np
import pytest
import strategies
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

nir = pytest.importorskip("nir")

from lava_mlsnn import sim  # noqa: E402
from lava_mlsnn.netx import (  # noqa: E402
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
    Relay,
    SigmaDelta,
    from_nir,
    lower,
    save,
    to_nir,
)


def trip(graph, images, tmp_path):
    """Write, let nir read with its own checks where it can, and read back; silence of a layer is no matter here."""
    to_nir(graph, tmp_path / "x.nir")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "NIR node .* never spikes", UserWarning)
        return from_nir(tmp_path / "x.nir", images)


def same_spikes(graph, back, images):
    """Equal outputs, and equal spikes in every layer; N levels come back as N layers."""
    ours, theirs = (sim.run(g, images, trace=True, engine="reference") for g in (graph, back))
    np.testing.assert_array_equal(ours.output, theirs.output)
    names = {layer.name for layer in back}
    for layer in graph:
        if not layer.neuron.spiking or layer.neuron.kind == "relay":
            continue
        parts = [layer.name, *[f"{layer.name}_level{k}" for k in range(2, getattr(layer.neuron, "levels", 1) + 1)]]
        found = [theirs.trace[part] for part in parts if part in names]
        np.testing.assert_array_equal(sum(found), ours.trace[layer.name], err_msg=layer.name)


def binary(rng, steps, neuron):
    """Convolution, pool, residual sum, dense, readout; ``neuron(channels)`` makes each population."""
    conv = [Conv(rng.integers(-7, 8, (4, i, 3, 3)), padding=1) for i in (2, 4, 4)]
    layers = (
        Layer("stem", (Connection("input", conv[0]),), (4, 6, 6), neuron(4), rng.integers(-9, 9, 4)),
        Layer("a", (Connection("stem", conv[1]),), (4, 6, 6), neuron(4)),
        Layer("b", (Connection("a", conv[2]), Connection("stem", Identity(3))), (4, 6, 6), neuron(4)),
        Layer("pool", (Connection(("b", "stem"), Pool()),), (4, 3, 3), Relay()),
        Layer("hidden", (Connection("pool", Dense(rng.integers(-9, 9, (8, 36)))),), (8, 1, 1), neuron(8)),
        Layer(
            "out", (Connection("hidden", Dense(rng.integers(-90, 90, (3, 8)))),), (3, 1, 1), Readout(0.25), [1, -2, 3]
        ),
    )
    return NetGraph(Input((2, 6, 6), 1 / 15, 4), layers, steps, ("x", "y", "z"))


@pytest.mark.parametrize(
    ("steps", "make"),
    [
        (1, lambda rng: lambda c: MultiLevel(1, int(rng.integers(2, 40)))),
        (1, lambda rng: lambda c: MultiLevel(1, rng.integers(2, 40, c))),
        (3, lambda rng: lambda c: LIF(int(rng.integers(2, 60)), du=4095, dv=0)),
        (3, lambda rng: lambda c: LIF(int(rng.integers(2, 40)), du=4095, dv=4096)),
    ],
)
@pytest.mark.parametrize("seed", range(5))
def test_binary_networks_come_back_equal(seed, steps, make, tmp_path):
    rng = np.random.default_rng(seed)
    graph = binary(rng, steps, make(rng))
    images = rng.integers(0, 16, (20, 2, 6, 6))
    back = trip(graph, images, tmp_path)
    assert back == graph
    same_spikes(graph, back, images)
    assert nir.read(tmp_path / "x.nir").check_types()  # as other libraries read it


@given(data=st.data(), lowered=st.booleans())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_random_networks_come_back_with_equal_spikes(data, lowered, tmp_path):
    options = strategies.Options(kinds=("multilevel", "barrier", "lif"), recurrent=False, max_steps=1, large=False)
    graph, images = data.draw(strategies.cases(options))
    graph = without_dead_ends(graph)
    if sum(getattr(layer.neuron, "levels", 1) for layer in graph) > 40:
        return  # one node per level: correct, but slow
    try:
        if lowered:
            graph = lower(graph)
        to_nir(graph, tmp_path / "x.nir")
    except ValueError as error:
        assert any(w in str(error) for w in ("lower", "a stock LIF", "reads a vector", "holds the bias")), error
        return
    back = trip(graph, images, tmp_path)
    same_spikes(graph, back, images)


@pytest.mark.parametrize(("steps", "dv"), [(1, 0), (1, 128), (3, 4096)])
def test_biases_that_are_fractions_of_a_current(steps, dv, tmp_path):
    """With bias_exp 0 a bias is worth 1 / 64 of a current; the least of them is enough to pass the threshold."""
    biases = np.array([-2, 0, 1, 2, 63, 64])
    for vth in (0, 5):
        encoder = Layer("a", (Connection("input", Identity()),), (6, 1, 1), LIF(vth, 4095, dv, bias_exp=0), biases)
        out = Layer("out", (Connection("a", Dense(np.eye(6))),), (6, 1, 1), Readout())
        graph = NetGraph(Input((6, 1, 1), bits=4), (encoder, out), steps)
        images = np.repeat(np.arange(16), 6).reshape(16, 6, 1, 1)
        to_nir(graph, tmp_path / "x.nir")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            back = from_nir(tmp_path / "x.nir", images, timesteps=steps) if steps > 1 else trip(graph, images, tmp_path)
        ours, theirs = (sim.run(g, images, trace=["a"]).trace["a"] for g in (graph, back))
        np.testing.assert_array_equal(ours, theirs)


def without_dead_ends(graph):
    layers = list(graph.layers)
    while True:
        read = {source for layer in layers for source in layer.inputs}
        kept = [layer for layer in layers if layer.name in read or layer is layers[-1]]
        if len(kept) == len(layers):
            return NetGraph(graph.input, tuple(layers), graph.timesteps)
        layers = kept


def test_multi_level_neurons_are_sums_of_thresholds(tmp_path):
    rng = np.random.default_rng(3)
    graph = binary(rng, 1, lambda c: MultiLevel(4, rng.integers(2, 20, c)))
    images = rng.integers(0, 16, (20, 2, 6, 6))
    back = trip(graph, images, tmp_path)
    assert len(back) == 4 * 4 + 2
    same_spikes(graph, back, images)
    nodes = nir.read(tmp_path / "x.nir").nodes
    theta = graph["stem"].neuron.threshold
    np.testing.assert_array_equal(nodes["stem_level3"].v_threshold[:, 0, 0], 3 * theta - 0.5)
    assert type(nodes["stem"]).__name__ == "IF"


def small(neuron, steps=1, connections=None, bias=None):
    connections = connections or (Connection("input", Dense(np.ones((2, 2)))),)
    return NetGraph(Input((2, 1, 1)), (Layer("a", connections, (2, 1, 1), neuron, bias),), steps)


LOOP = (Connection("input", Dense(np.ones((2, 2)))), Connection("a", Dense(np.ones((2, 2)))))


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (small(MultiLevel(1, 3), 2), "layer 'a': T = 2: its soft reset"),
        (small(Barrier(4), 2), "layer 'a': T = 2: its soft reset"),
        (small(LIF(3, du=1000), 2), "layer 'a': T = 2: decays du = 1000"),
        (small(LIF(3, dv=10), 2), "layer 'a': T = 2: decays du = 4095, dv = 10"),
        (small(LIF(3, dv=0), 2**10), "layer 'a': a register can reach"),
        (small(SigmaDelta(3)), "layer 'a': a sigma_delta neuron"),
        (small(LIF(3, dv=0), 1, LOOP), "layer 'a': NIR does not define when a recurrent"),
        (small(Relay(), 1, (Connection("input", Injection()),), [1, 2]), "layer 'a': no Conv2d or Affine"),
        (
            small(LIF(3, dv=0), 2, (Connection("input", Identity(2)),), [1, 2]),
            "layer 'a': no Conv2d or Affine node holds the bias of its lif",
        ),
        (
            NetGraph(
                Input((2, 1, 1)),
                tuple(Layer(n, (Connection("input", Identity()),), (2, 1, 1), MultiLevel(1, 3)) for n in "ab"),
            ),
            "layer 'a': nothing reads it",
        ),
    ],
)
def test_what_nir_cannot_say_is_refused(graph, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        to_nir(graph, tmp_path / "x.nir")
    assert not (tmp_path / "x.nir").exists()


def other_file(kind, path):
    graph = NetGraph(Input((2, 1, 1)), (Layer("a", (Connection("input", Dense([[3, -1]])),), (1, 1, 1), Readout()),))
    if kind == "text":
        path.write_text("no network")
    elif kind == "net":
        save(graph, path)
    else:
        to_nir(graph, path)
        if kind == "cut":
            path.write_bytes(path.read_bytes()[:900])
        else:
            with h5py.File(path, "r+") as file:
                first = next(iter(file["node/nodes"].values()))
                del first["type"]
                first["type"] = "Quantum"


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("text", "x.nir: expected a NIR file, as nir.write makes it, found no HDF5"),
        ("net", "x.nir: expected a NIR file, as nir.write makes it, found HDF5 without the group 'node'"),
        ("cut", "x.nir: expected a NIR file, as nir.write makes it, found damaged HDF5"),
        ("node", "x.nir: expected a NIR file, as nir.write makes it, found a node 'a' of type 'Quantum'"),
    ],
)
def test_other_files_are_refused_in_one_sentence(kind, message, tmp_path):
    other_file(kind, tmp_path / "x.nir")
    with pytest.raises(ValueError, match=f"^{message}$"):
        from_nir(tmp_path / "x.nir", np.zeros((1, 2, 1, 1), int), timesteps=1)


def test_a_soft_reset_that_never_keeps_a_rest_is_exact(tmp_path):
    graph = NetGraph(
        Input((2, 1, 1), bits=1),
        (Layer("a", (Connection("input", Identity()),), (2, 1, 1), MultiLevel(3, 1)),),
        timesteps=4,
    )
    images = np.random.default_rng(0).integers(0, 2, (6, 2, 1, 1, 4))
    same_spikes(graph, trip(graph, images, tmp_path), images)
