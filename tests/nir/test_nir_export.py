"""What we write for a library: its own importer takes the file, and computes our spikes."""

from __future__ import annotations

import warnings
from typing import Any

import nir_cases
import numpy as np
import pytest

torch = pytest.importorskip("torch")
nir = pytest.importorskip("nir")
pytest.importorskip("nirtorch")

from lava_mlsnn import sim  # noqa: E402
from lava_mlsnn.netx import (  # noqa: E402
    LIF,
    Connection,
    Conv,
    CubaLIF,
    Dense,
    Identity,
    Input,
    Layer,
    MultiLevel,
    NetGraph,
    Pool,
    Readout,
    Relay,
    from_nir,
    to_nir,
)
from lava_mlsnn.nir.library import LIBRARIES  # noqa: E402

pytestmark = [
    pytest.mark.filterwarnings("ignore:nirtorch.*deprecat:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:a NIR file of .* does not say all"),
]


def network(rng: Any, steps: int, neuron: Any, flat: bool = False, branches: bool = True) -> NetGraph:
    """Convolutions, one of them grouped, a pool, a residual sum, dense layers; or dense layers alone."""

    def weights(*shape: int) -> Any:
        return rng.integers(-7, 8, shape)

    def residual(name: str, synapse: Any) -> tuple[Connection, ...]:
        return (Connection(name, synapse), Connection(name, Identity(3)))[: 1 + branches]

    layers: tuple[Layer, ...]
    if flat:
        layers = (
            Layer("a.b", (Connection("input", Dense(weights(8, 12))),), (8, 1, 1), neuron(8)),
            Layer("c", residual("a.b", Dense(weights(8, 8))), (8, 1, 1), neuron(8)),
            Layer("out", (Connection("c", Dense(weights(5, 8))),), (5, 1, 1), neuron(5), rng.integers(-3, 4, 5)),
        )
        return NetGraph(Input((12, 1, 1), 1.0, 2), layers, steps)
    grouped, pooled = Conv(weights(4, 2, 3, 3), padding=1, groups=2), ("a", "stem") if branches else ("a",)
    layers = (
        Layer("stem", (Connection("input", Conv(weights(4, 2, 3, 3), padding=1)),), (4, 6, 6), neuron(4), weights(4)),
        Layer("a", residual("stem", grouped), (4, 6, 6), neuron(4)),
        Layer("pool", (Connection(pooled, Pool()),), (4, 3, 3), Relay()),
        Layer("hidden", (Connection("pool", Dense(weights(8, 36))),), (8, 1, 1), neuron(8), weights(8)),
        Layer("out", (Connection("hidden", Dense(weights(3, 8))),), (3, 1, 1), Readout(0.25), [1, -2, 3]),
    )
    return NetGraph(Input((2, 6, 6), 1.0, 4), layers, steps)


def ours(graph: NetGraph, images: Any) -> Any:
    """Spikes of the last layer per step, or what its readout adds in each, (N, C, T)."""
    trace = sim.run(graph, images, trace=True).trace[graph.output.name]
    trace = trace.reshape(len(trace), -1, trace.shape[-1])
    return np.diff(trace, axis=-1, prepend=0) if graph.is_classifier else trace


def snntorch(path: Any, x: Any, steps: int) -> Any:
    from snntorch import utils
    from snntorch.import_nir import import_from_nir

    net = import_from_nir(nir.read(path))
    utils.reset(net)
    return run(net, x, steps)


def spikingjelly(path: Any, x: Any, steps: int) -> Any:
    from spikingjelly.activation_based.nir_exchange import import_from_nir

    return run(import_from_nir(path), x, steps)


def sinabs(path: Any, x: Any, steps: int) -> Any:
    from sinabs.nir import from_nir as load

    net = load(nir.read(path), batch_size=len(x))
    stream = torch.tensor(x).float()[:, None].expand(-1, steps, *x.shape[1:]).reshape(-1, *x.shape[1:])
    with torch.no_grad():
        out = net(stream)[0]
    return out.reshape(len(x), steps, -1).numpy().transpose(0, 2, 1)


def norse(path: Any, x: Any, steps: int) -> Any:
    import norse.torch

    return run(norse.torch.from_nir(nir.read(path), ignore_warnings=True), x, steps)


def run(net: Any, x: Any, steps: int) -> Any:
    state, out = None, []
    with torch.no_grad():
        for _ in range(steps):
            found = net(torch.tensor(x).float(), state)
            found, state = found if isinstance(found, tuple) else (found, None)
            out.append(found.reshape(len(x), -1).numpy())
    return np.stack(out, axis=-1)


READERS = {"snntorch": snntorch, "spikingjelly": spikingjelly, "sinabs": sinabs, "norse": norse}
MULTI = {
    "one level": lambda rng: lambda c: MultiLevel(1, int(rng.integers(2, 9))),
    "one threshold per channel": lambda rng: lambda c: MultiLevel(1, rng.integers(2, 9, c)),
    "four levels": lambda rng: lambda c: MultiLevel(4, rng.integers(2, 9, c)),
}
HARD = {
    "without leak": lambda rng: lambda c: LIF(int(rng.integers(2, 9)), du=4095, dv=0),
    "without memory": lambda rng: lambda c: LIF(int(rng.integers(2, 9)), du=4095, dv=4096),
}


def compare(graph: NetGraph, dialect: str, images: Any, tmp_path: Any, read_back: bool = True) -> None:
    pytest.importorskip(dialect)
    path = tmp_path / "x.nir"
    to_nir(graph, path, dialect=dialect)
    x = images[:, :, 0, 0] if graph.input.shape[1:] == (1, 1) else images
    want, steps = ours(graph, images), graph.timesteps
    assert len(np.unique(want)) > 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = READERS[dialect](path, x, steps)
        np.testing.assert_array_equal(found, want)
        if read_back:
            options = {} if dialect != "snntorch" else {"reset": "hard", "reset_delay": False}
            back = from_nir(path, images, dialect=dialect, **options)
            np.testing.assert_array_equal(ours(back, images), want)


def drawn(flat: bool, seed: int) -> Any:
    shape = (12, 1, 1) if flat else (2, 6, 6)
    return np.random.default_rng(seed).integers(0, 4 if flat else 16, (7, *shape))


@pytest.mark.parametrize("flat", [True, False], ids=["dense", "conv"])
@pytest.mark.parametrize("levels", MULTI)
@pytest.mark.parametrize("dialect", ["snntorch", "spikingjelly", "norse"])
def test_multi_level_networks_in_one_step(dialect, levels, flat, tmp_path):
    branches = dialect != "norse"
    graph = network(np.random.default_rng(0), 1, MULTI[levels](np.random.default_rng(1)), flat, branches)
    if not branches and levels == "four levels":
        with pytest.raises(ValueError, match=r"node '.*' is read by several.*: norse executes imported chains only"):
            to_nir(graph, tmp_path / "x.nir", dialect=dialect)
    else:
        compare(graph, dialect, drawn(flat, 2), tmp_path)


@pytest.mark.parametrize("flat", [True, False], ids=["dense", "conv"])
@pytest.mark.parametrize("kind", HARD)
@pytest.mark.parametrize("dialect", ["snntorch", "spikingjelly", "norse"])
def test_lavas_neurons_over_steps(dialect, kind, flat, tmp_path):
    """SpikingJelly has no neuron without memory."""
    if dialect == "spikingjelly" and kind == "without memory":
        return
    graph = network(np.random.default_rng(0), 4, HARD[kind](np.random.default_rng(1)), flat, dialect != "norse")
    compare(graph, dialect, drawn(flat, 2), tmp_path)


@pytest.mark.parametrize("steps", [1, 5])
@pytest.mark.parametrize("flat", [True, False], ids=["dense", "conv"])
def test_sinabs_has_as_many_spikes_as_there_are_thresholds(flat, steps, tmp_path):
    """Neurons without a limit, and with its importer's lower bound of v."""
    rng = np.random.default_rng(1)

    def neuron(channels: int) -> CubaLIF:
        theta = int(rng.integers(8, 16) if flat else rng.integers(20, 60))
        return CubaLIF(theta, levels=20_000, floor=-theta)

    graph = network(np.random.default_rng(0), steps, neuron, flat, branches=False)
    compare(graph, "sinabs", drawn(flat, 2), tmp_path, read_back=False)


def test_what_sinabs_wrote_goes_back_to_it(tmp_path):
    """Its importer gives neurons a lower bound that its exporter does not have: the file is read with it."""
    pytest.importorskip("sinabs")
    case = next(case for case in nir_cases.TABLE if case.name == "sinabs_iaf_multispike")
    graph = nir_cases.graph_of(case, min_v_mem=-1.0)
    to_nir(graph, tmp_path / "x.nir", dialect="sinabs")
    x = nir_cases.images(case)[0]
    net = __import__("sinabs.nir", fromlist=["nir"]).from_nir(nir.read(tmp_path / "x.nir"), batch_size=len(x))
    with torch.no_grad():
        stream = torch.tensor(np.moveaxis(x, -1, 1).reshape(-1, *x.shape[1:4])).float()
        found = net(stream)[0].reshape(len(x), x.shape[-1], -1).numpy().transpose(0, 2, 1)
    np.testing.assert_array_equal(found, nir_cases.output_of(case, graph))


@pytest.mark.parametrize("dialect", [*LIBRARIES])
def test_without_the_library_files_still_read_back(dialect, tmp_path):
    """Binary neurons of one step, which every library has if no current passes two thresholds."""
    rng = np.random.default_rng(0)
    dense = Dense(rng.integers(-3, 4, (8, 12)))
    layers = (
        Layer("a.b", (Connection("input", dense),), (8, 1, 1), MultiLevel(1, 30), rng.integers(-3, 4, 8)),
        Layer("out", (Connection("a.b", Dense(rng.integers(-3, 4, (5, 8)))),), (5, 1, 1), Readout()),
    )
    graph, images = NetGraph(Input((12, 1, 1), 1.0, 2), layers), drawn(True, 3)
    to_nir(graph, tmp_path / "x.nir", dialect=dialect)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        back = from_nir(tmp_path / "x.nir", images, dialect=dialect)
    np.testing.assert_array_equal(ours(back, images), ours(graph, images))
    assert nir.read(tmp_path / "x.nir").check_types()


def one(neuron: Any, steps: int = 1, bits: int = 4, bias: Any = None, shape: Any = (2, 1, 1)) -> NetGraph:
    connection = Connection("input", Identity())
    return NetGraph(Input(shape, 1.0, bits), (Layer("a", (connection,), shape, neuron, bias),), steps)


@pytest.mark.parametrize(
    ("dialect", "graph", "message"),
    [
        (
            "lava",
            one(MultiLevel(1, 9)),
            "dialect: expected one of nir, snntorch, spikingjelly, sinabs, norse, got 'lava'",
        ),
        ("snntorch", one(CubaLIF(9), 2), "layer 'a': a cuba_lif neuron has no counterpart in NIR"),
        ("snntorch", one(MultiLevel(1, 9), 2), "layer 'a': T = 2: its soft reset"),
        ("spikingjelly", one(LIF(9), 2), "layer 'a': SpikingJelly's importer has no neuron without memory"),
        ("norse", one(LIF(9, dv=0), 2, bias=[1, 2]), "layer 'a': no .* node holds the bias of its lif"),
        ("sinabs", one(LIF(9, dv=0), 2), "layer 'a': a lif neuron has no counterpart in what sinabs's importer makes"),
        ("sinabs", one(MultiLevel(1, 3)), "layer 'a': .* neurons without a limit of spikes per step"),
        ("sinabs", one(CubaLIF(3, dv=1)), "layer 'a': a cuba_lif neuron has no counterpart in what sinabs's"),
        ("norse", one(MultiLevel(1, 2**23 - 1), bits=24), "layer 'a': .* exact up to 16777216|a register can reach"),
        (
            "snntorch",
            one(MultiLevel(1, 3), bias=np.arange(4).reshape(1, 2, 2), shape=(1, 2, 2)),
            "layer 'a': a bias that differs within a channel has no node in snnTorch",
        ),
    ],
)
def test_what_a_library_cannot_read_is_refused(dialect, graph, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        to_nir(graph, tmp_path / "x.nir", dialect=dialect)
    assert not (tmp_path / "x.nir").exists()
