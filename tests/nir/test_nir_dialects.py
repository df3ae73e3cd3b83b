"""NIR files by dialect: entries equal to those of the library that wrote them, and every node that NIR has."""

from __future__ import annotations

import os
import warnings
from dataclasses import replace
from itertools import pairwise
from typing import Any

import h5py
import nir_cases
import numpy as np
import pytest

nir = pytest.importorskip("nir")

from lava_mlsnn import proc, sim  # noqa: E402
from lava_mlsnn.netx import INPUT, CubaLIF, MultiLevel, NetGraph, Readout, from_nir, load, save  # noqa: E402
from lava_mlsnn.nir.dialects import DIALECTS, OPTIONS, dialect_for  # noqa: E402

ASSUMED = "ignore:a NIR file of .* does not say all"
pytestmark = [pytest.mark.filterwarnings(ASSUMED), pytest.mark.filterwarnings("ignore:.*leaks and states are rounded")]


# ------------------------------------------------------------------------------------------- files of other libraries


@pytest.mark.parametrize("case", nir_cases.TABLE, ids=lambda case: case.name)
def test_entries_equal_those_of_the_library(case):
    graph, want = nir_cases.graph_of(case), nir_cases.images(case)[1]
    found = nir_cases.output_of(case, graph)
    assert (np.count_nonzero(found == want), want.size) == (case.equal, case.entries)
    assert want.any() and found.sum() == want.sum()


@pytest.mark.parametrize("name", ["sinabs_lif", "snt_rleaky", "norse_lif", "rock_lif"])
def test_lava_computes_the_same_and_files_hold_it(name, tmp_path):
    case = next(case for case in nir_cases.TABLE if case.name == name)
    graph, (x, want) = nir_cases.graph_of(case), nir_cases.images(case)
    save(graph, tmp_path / "x.net")
    assert load(tmp_path / "x.net") == graph
    run = proc.simulate(graph, x[:2], fused=False, trace=True, timeout=120)
    np.testing.assert_array_equal(run.trace[graph.output.name][:, :, 0, 0], want[:2])


def test_the_wrong_dialect_is_another_network():
    """As plain NIR, multi-spike neurons of sinabs are binary: 716 spikes for 19,062."""
    case = nir_cases.TABLE[4]._replace(dialect="nir", options={"dt": 1.0, "reset": "soft"})
    found = nir_cases.output_of(case, nir_cases.graph_of(case))
    assert case.name == "sinabs_iaf_multispike" and found.sum() == 716


def test_without_a_limit_neurons_are_multi_level():
    graph = nir_cases.graph_of(nir_cases.TABLE[4])
    assert [type(layer.neuron) for layer in graph if layer.name in ("1", "5")] == [MultiLevel, MultiLevel]
    assert graph["5"].neuron.levels == 1053 and graph["5"].neuron.threshold == 8


def test_what_is_assumed_is_said():
    with pytest.warns(UserWarning) as caught:
        nir_cases.graph_of(nir_cases.TABLE[7])
    said = "reset = 'soft', max_spikes = None, min_v_mem = None, gain = 'one'"
    assert str(caught[0].message) == f"a NIR file of sinabs does not say all: assumed {said}"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nir_cases.graph_of(
            nir_cases.TABLE[7], reset="soft", max_spikes=None, min_v_mem=None, gain="one", membrane_bits=32
        )


def test_rockpools_timestep_is_in_the_file():
    with pytest.warns(UserWarning, match=r"rockpool does not say all: assumed dt = 0\.001, max_spikes = 65536"):
        nir_cases.graph_of(nir_cases.TABLE[3])


def test_how_far_membranes_can_be_off_is_said():
    with pytest.warns(
        UserWarning, match=r"'1': leaks and states are rounded: .* off by 0\.\d+ of its threshold after 12"
    ):
        nir_cases.graph_of(nir_cases.TABLE[1], membrane_bits=20)


def test_more_bits_where_membranes_would_be_off():
    case = next(case for case in nir_cases.TABLE if case.name == "snt_syn_zero")
    narrow, wide = (nir_cases.graph_of(case, membrane_bits=bits) for bits in (24, None))
    assert narrow["1"].neuron.gain < wide["1"].neuron.gain


# ------------------------------------------------------------------------------------------------- options of dialects


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dialect": "nengo"}, "dialect: expected one of nir, norse, rockpool, sinabs, snntorch, spikingjelly, got"),
        ({"colour": 1}, "unknown option 'colour' of a dialect: expected one of dt, fires"),
        ({"fires": "="}, r"fires: expected one of \('>', '>='\), got '='"),
        ({"reset": "sub"}, r"reset: expected one of \('hard', 'soft'\), got 'sub'"),
        ({"reset_delay": "no"}, "reset_delay: expected True or False, got 'no'"),
        ({"max_spikes": 0}, "max_spikes: expected an integer in 1 .. "),
        ({"max_spikes": True}, "max_spikes: expected an integer"),
        ({"leak": "none"}, "leak: expected one of"),
        ({"gain": -1.0}, "gain: expected a finite number > 0, got -1.0"),
        ({"gain": "half"}, "gain: expected one of .* or a number, got 'half'"),
        ({"min_v_mem": "low"}, "min_v_mem: expected a finite number, got 'low'"),
        ({"min_v_mem": 0.5}, "NIR node 'n': min_v_mem = 0.5 is above where v begins"),
        ({"dt": 0}, "dt: expected a finite number > 0, got 0"),
        ({"start": "top"}, "start: expected one of"),
        ({"membrane_bits": 64}, "membrane_bits: expected an integer in 16 .. 32, got 64"),
    ],
)
def test_wrong_options_are_one_error(options, message, tmp_path):
    path = chain(tmp_path, nir.IF(r=ones(3), v_threshold=ones(3)), weight=np.ones((3, 2)))
    with pytest.raises(ValueError, match=message):
        from_nir(path, np.ones((1, 2, 1, 1)), timesteps=2, **options)


def test_every_dialect_is_one_file_and_every_option_can_be_given():
    for name, dialect in DIALECTS.items():
        assert dialect.name == name
        given = {option: getattr(dialect, option) for option in OPTIONS}
        assert dialect_for(name, {}, given) == dialect_for(replace(dialect), {}, given)


# ------------------------------------------------------------------------------------------------ the equation of NIR

STEPS, SAMPLES = 10, 8


def ones(*shape: int) -> Any:
    return np.ones(shape)


def chain(folder: Any, *nodes: Any, weight: Any = None, bias: Any = None, shape: Any = None) -> Any:
    """A file of nodes in a row, the first an Affine unless ``shape`` is the input's."""
    names = {"in": nir.Input({"input": np.array(shape if shape is not None else [weight.shape[1]])})}
    if weight is not None:
        names["w"] = nir.Affine(weight, np.zeros(len(weight)) if bias is None else bias)
    names |= {"n" if len(nodes) == 1 else f"n{k}": node for k, node in enumerate(nodes)}
    names["out"] = nir.Output({"output": np.array([1])})
    order = list(names)
    nir.write(folder / "x.nir", nir.NIRGraph(names, list(pairwise(order)), type_check=False))
    return folder / "x.nir"


def spikes(seed: int, size: int, rate: float = 0.3) -> Any:
    return (np.random.default_rng(seed).random((SAMPLES, size, 1, 1, STEPS)) < rate).astype(np.int64)


def eighths(seed: int, *shape: int, bound: int = 7) -> Any:
    return np.random.default_rng(seed).integers(-bound, bound + 1, shape) / 8


def imported(path: Any, x: Any, **options: Any) -> NetGraph:
    given = {"timesteps": x.shape[-1], "input_scale": 1.0, "input_bits": 1, "dt": 1.0, **options}
    return from_nir(path, x, **given)


def output(graph: NetGraph, x: Any) -> Any:
    trace = sim.run(graph, x, trace=True).trace[graph.output.name]
    return trace.reshape(len(trace), -1, trace.shape[-1])


def equation(
    current: Any, keep: Any, gain: Any, theta: Any, reset: Any, start: Any = 0.0, leak: Any = 0.0, ge: bool = False
):
    """NIR's own LIF with a hard reset, by forward Euler, for currents (N, C, T)."""
    v = np.zeros(current.shape[:2]) + start
    out = np.zeros(current.shape)
    for t in range(current.shape[2]):
        v = keep * v + (1 - keep) * leak + gain * current[..., t]
        z = v >= theta if ge else v > theta
        out[..., t], v = z, np.where(z, reset, v)
    return out


def currents(weight: Any, x: Any, bias: Any = 0.0) -> Any:
    return np.einsum("oi,nit->not", weight, x[:, :, 0, 0]) + np.reshape(bias, (-1, 1))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("dialect", "ge"), [("nir", False), ("spikingjelly", True)])
@pytest.mark.parametrize(("leak", "reset"), [(0.0, 0.0), (0.5, 0.0), (0.0, -0.5), (-0.25, 0.25)])
def test_leak_and_reset_other_than_zero(seed, dialect, ge, leak, reset, tmp_path):
    """A leak of one half, of which every step is exact; v begins at zero, in SpikingJelly at v_reset."""
    weight, x = eighths(seed, 6, 12), spikes(seed, 12)
    full = np.full(6, 1.0)
    path = chain(tmp_path, nir.LIF(full * 2, full * 2, full * leak, full * 0.75, full * reset), weight=weight)
    graph = imported(path, x, dialect=dialect)
    start = reset if dialect == "spikingjelly" else 0.0
    want = equation(currents(weight, x), 0.5, 1.0, 0.75, reset, start, leak, ge)
    assert 0.05 < want.mean() < 0.95
    np.testing.assert_array_equal(output(graph, x), want)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("dialect", "ge"), [("nir", False), ("sinabs", True), ("norse", False), ("spikingjelly", True)]
)
def test_the_comparison_decides_ties(seed, dialect, ge, tmp_path):
    """Weights in eighths hit a threshold of one often: > and >= are different networks."""
    weight, x = eighths(seed, 6, 12), spikes(seed, 12)
    path = chain(tmp_path, nir.IF(ones(6), ones(6)), weight=weight)
    options = {"max_spikes": 1, "reset": "hard"} if dialect == "sinabs" else {}
    found = output(imported(path, x, dialect=dialect, **options), x)
    want, other = (equation(currents(weight, x), 1.0, 1.0, 1.0, 0.0, ge=which) for which in (ge, not ge))
    np.testing.assert_array_equal(found, want)
    assert (want != other).any()


@pytest.mark.parametrize("threshold", [0.75, 0.7, 0.3])
def test_thresholds_that_are_no_multiples_of_the_weights(threshold, tmp_path):
    """Soft resets subtract them again and again: registers count in parts of which both are whole numbers."""
    weight, x = np.abs(eighths(1, 6, 12)), spikes(1, 12)
    path = chain(tmp_path, nir.IF(ones(6), np.full(6, threshold)), weight=weight)
    graph = imported(path, x, dialect="sinabs")
    total = np.cumsum(np.rint(currents(weight, x) * 40), axis=-1)  # in fortieths, everything is whole
    want = np.diff(total // round(threshold * 40), axis=-1, prepend=0)
    np.testing.assert_array_equal(output(graph, x), want)
    assert sum(1 for layer in graph if layer.neuron.largest_spike > 1)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("dialect", ["nir", "snntorch"])
def test_a_soft_reset_with_leak(seed, dialect, tmp_path):
    weight, x = eighths(seed, 6, 12), spikes(seed, 12)
    full = np.full(6, 1.0)
    path = chain(tmp_path, nir.LIF(full * 10, full * 10, full * 0, full), weight=weight)
    graph = imported(path, x, dialect=dialect, reset="soft", fires=">", reset_delay=False)
    v, want = 0.0, []
    for t in range(STEPS):
        v = 0.9 * v + currents(weight, x)[..., t]
        z = v > 1 + (want[-1][1] > 1 if want and dialect == "snntorch" else 0)
        v = v - z
        want.append((z, v))
    assert isinstance(graph["n"].neuron, CubaLIF)
    np.testing.assert_array_equal(output(graph, x), np.stack([z for z, _ in want], axis=-1))


def loop(folder: Any, node: Any, weight: Any, back: Any) -> Any:
    nodes = {
        "in": nir.Input({"input": np.array([weight.shape[1]])}),
        "w": nir.Linear(weight),
        "n": node,
        "back": back,
        "out": nir.Output({"output": np.array([len(weight)])}),
    }
    edges = [("in", "w"), ("w", "n"), ("n", "back"), ("back", "n"), ("n", "out")]
    nir.write(folder / "x.nir", nir.NIRGraph(nodes, edges, type_check=False))
    return folder / "x.nir"


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["Affine", "Linear", "Scale"])
def test_recurrent_neurons(seed, kind, tmp_path):
    """Spikes come back one step later; a bias of the way back is there from the first step on."""
    weight, x, rec, bias = eighths(seed, 6, 12), spikes(seed, 12), eighths(seed + 9, 6, 6), eighths(seed + 5, 6)
    back = {
        "Affine": lambda: nir.Affine(rec, bias),
        "Linear": lambda: nir.Linear(rec),
        "Scale": lambda: nir.Scale(bias),
    }
    full = np.full(6, 1.0)
    path = loop(tmp_path, nir.LIF(full * 2, full * 2, full * 0, full), weight, back[kind]())
    graph = imported(path, x)
    matrix = np.diag(bias) if kind == "Scale" else rec
    v = z = np.zeros((SAMPLES, 6))
    want = []
    for t in range(STEPS):
        v = 0.5 * v + currents(weight, x)[..., t] + z @ matrix.T + (bias if kind == "Affine" else 0)
        z = (v > 1).astype(float)
        v = np.where(z > 0, 0, v)
        want.append(z)
    np.testing.assert_array_equal(output(graph, x), np.stack(want, axis=-1))
    assert {source for c in graph["n"].connections for source in c.sources} == {INPUT, "n"}


def test_loops_that_no_layer_has_are_one_error(tmp_path):
    path = loop(tmp_path, nir.Scale(ones(6)), eighths(0, 6, 12), nir.Linear(eighths(1, 6, 6)))
    with pytest.raises(ValueError, match="NIR nodes 'back', 'n', 'out': a loop through them cannot be imported"):
        imported(path, spikes(0, 12))


@pytest.mark.parametrize(("dialect", "gain"), [("nir", 0.5), ("sinabs", 1.0)])
def test_a_leaky_readout(dialect, gain, tmp_path):
    """Its voltage after every step, in the units of the file, to 1e-5."""
    weight, x, bias = eighths(0, 6, 12), spikes(0, 12), eighths(1, 6)
    keep = 0.5 if dialect == "nir" else np.exp(-1 / 2)
    path = chain(tmp_path, nir.LI(np.full(6, 2.0), ones(6), np.zeros(6)), weight=weight, bias=bias)
    graph = imported(path, x, dialect=dialect)
    assert isinstance(graph.output.neuron, Readout) and graph.is_classifier
    v, want = 0.0, []
    for t in range(STEPS):
        v = keep * v + gain * currents(weight, x, bias)[..., t]
        want.append(v)
    found = output(graph, x) * graph.output.neuron.scale / STEPS
    np.testing.assert_allclose(found, np.stack(want, axis=-1), atol=1e-5)
    np.testing.assert_array_equal(sim.run(graph, x).output, output(graph, x)[..., -1])


def test_a_leaky_integrator_before_neurons_is_the_filter_of_their_current(tmp_path):
    """Rockpool's ExpSynTorch and LIFNeuronTorch, two nodes, are one population."""
    weight, x = eighths(0, 6, 12), spikes(0, 12)
    synapse = nir.LI(np.full(6, 0.01), np.full(6, 10 * np.exp(-0.1)), np.zeros(6))
    cell = nir.LIF(np.full(6, 0.02), np.full(6, 20 * np.exp(-0.05)), np.zeros(6), np.full(6, 2.0))
    path = chain(tmp_path, synapse, cell, weight=weight)
    graph = from_nir(path, x, dialect="rockpool", timesteps=STEPS, input_scale=1.0, input_bits=1)
    assert len(graph) == 1 and graph.output.neuron.leaks_input
    i = v = np.zeros((SAMPLES, 6))
    want = []
    for t in range(STEPS):
        i = (i + currents(weight, x)[..., t]) * np.exp(-0.1)
        v = v * np.exp(-0.05) + i
        z = np.floor(np.maximum(v, 0) / 2)
        v = v - 2 * z
        want.append(z)
    np.testing.assert_array_equal(output(graph, x), np.stack(want, axis=-1))


def test_a_graph_inside_a_graph():
    x = np.array([[1, 1], [1, 0], [0, 0]]).reshape(3, 2, 1, 1)
    graph = from_nir(nir_cases.CASES / "nested.nir", x, timesteps=2, input_scale=1.0, input_bits=1, dt=1.0)
    assert [layer.name for layer in graph] == ["block.lif"]
    # 2, 1 and 0 per step against a threshold of 1, which has to be exceeded
    assert output(graph, np.repeat(x[..., None], 2, -1))[:, 0].tolist() == [[1, 1], [0, 1], [0, 0]]


@pytest.mark.parametrize("seed", range(2))
def test_pools_scales_and_thresholds(seed, tmp_path):
    """AvgPool2d, SumPool2d, Scale and Threshold: sums of eighths, which stay exact."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 2, (SAMPLES, 2, 4, 4, STEPS))
    pool = nir.AvgPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0]))
    scale, threshold = (
        nir.Scale(np.array([0.5, -1.25]).reshape(2, 1, 1)),
        nir.Threshold(np.array([0.3, -0.5]).reshape(2, 1, 1)),
    )
    path = chain(tmp_path, pool, scale, threshold, shape=[2, 4, 4])
    graph = imported(path, x)
    mean = x.reshape(SAMPLES, 2, 2, 2, 2, 2, STEPS).mean(axis=(3, 5)) * np.array([0.5, -1.25]).reshape(1, 2, 1, 1, 1)
    want = mean > np.array([0.3, -0.5]).reshape(1, 2, 1, 1, 1)
    np.testing.assert_array_equal(sim.run(graph, x, trace=True).trace[graph.output.name], want)


@pytest.mark.parametrize("where", ["before", "behind"])
def test_delays(where, tmp_path):
    """Spikes wait before a dense node, per input, or before the neurons, per output."""
    weight, x = eighths(0, 6, 12), spikes(0, 12)
    late = np.random.default_rng(3).integers(0, 4, 12 if where == "before" else 6)
    delay, cell = nir.Delay(late.astype(float)), nir.IF(ones(6), ones(6))
    linear = nir.Linear(weight)
    path = chain(tmp_path, *((delay, linear, cell) if where == "before" else (linear, delay, cell)), shape=[12])
    graph = imported(path, x)

    def held(values: Any) -> Any:
        out = np.zeros_like(values)
        for k, d in enumerate(late):
            out[:, k, d:] = values[:, k, : values.shape[-1] - d]
        return out

    flat = x[:, :, 0, 0].astype(float)
    current = np.einsum("oi,nit->not", weight, held(flat) if where == "before" else flat)
    want = equation(held(current) if where == "behind" else current, 1.0, 1.0, 1.0, 0.0)
    np.testing.assert_array_equal(output(graph, x), want)


def test_delays_that_no_synapse_has_are_one_error(tmp_path):
    cell = nir.IF(ones(6), ones(6))
    path = chain(tmp_path, nir.Delay(np.full(12, 99.0)), nir.Linear(eighths(0, 6, 12)), cell, shape=[12])
    with pytest.raises(ValueError, match="NIR node 'n1': a delay of 99 steps: expected at most 62"):
        imported(path, spikes(0, 12))
    pool = nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0]))
    path = chain(tmp_path, nir.Delay(np.ones((1, 4, 4))), pool, nir.Threshold(ones(1)), shape=[1, 4, 4])
    with pytest.raises(ValueError, match=r"NIR node 'n0': a delay of maps \(1, 4, 4\)"):
        imported(path, np.ones((1, 1, 4, 4, STEPS), int))


def test_time_constants_of_each_neuron(tmp_path):
    weight, x = eighths(0, 6, 12), spikes(0, 12)
    tau = np.array([1.0, 2.0, 4.0, 8.0, 2.0, 4.0])
    path = chain(tmp_path, nir.LIF(tau, tau, np.zeros(6), ones(6)), weight=weight)
    found = output(imported(path, x), x)
    keep = (1 - 1 / tau).reshape(-1)
    np.testing.assert_array_equal(found, equation(currents(weight, x), keep, 1.0, 1.0, 0.0))


@pytest.mark.parametrize("floor", [-1.0, 0.0, -0.3])
def test_a_lower_bound_of_the_membrane(floor, tmp_path):
    weight, x = eighths(0, 6, 12), spikes(0, 12)
    path = chain(tmp_path, nir.IF(ones(6), ones(6)), weight=weight)
    graph = imported(path, x, dialect="sinabs", min_v_mem=floor)
    v, want = np.zeros((SAMPLES, 6)), []
    for t in range(STEPS):
        v = v + currents(weight, x)[..., t]
        z = np.floor(np.maximum(v, 0))
        v = np.maximum(v - z, floor)
        want.append(z)
    np.testing.assert_array_equal(output(graph, x), np.stack(want, axis=-1))


# -------------------------------------------------------------------------------------------------- the command line


def command(*arguments: Any) -> Any:
    from typer.testing import CliRunner

    from lava_mlsnn.cli.app import app

    return CliRunner().invoke(app, [str(a) for a in arguments])


def digits_file(folder: Any) -> Any:
    """Neurons for the digits' 64 pixels, with thresholds that their sums reach."""
    cell = nir.LIF(np.full(10, 1e-3), np.full(10, 10.0), np.zeros(10), np.full(10, 3.0), np.zeros(10))
    nodes = {
        "in": nir.Input({"input": np.array([1, 8, 8])}),
        "flat": nir.Flatten({"input": np.array([1, 8, 8])}, 0),
        "w": nir.Linear(eighths(0, 10, 64)),
        "n": cell,
        "out": nir.Output({"output": np.array([10])}),
    }
    nir.write(folder / "x.nir", nir.NIRGraph(nodes, list(pairwise(nodes)), type_check=False))
    return folder / "x.nir"


def test_the_command_takes_a_dialect_and_its_options(tmp_path):
    path = digits_file(tmp_path)
    result = command(
        "import", path, "--steps", 3, "--dialect", "snntorch", "--option", "reset_delay=false", "--option", "fires=>="
    )
    assert result.exit_code == 0, result.output
    assert "a NIR file of snntorch does not say all: assumed reset = 'soft'" in " ".join(result.output.split())
    neuron = load(tmp_path / "x.net").output.neuron
    assert (neuron.reset, neuron.hard, neuron.strict) == ("owed", False, False)
    result = command(
        "import", path, "--steps", 3, "--dialect", "sinabs", "--option", "max_spikes=none", "--reset", "hard"
    )
    assert result.exit_code == 0, result.output
    assert load(tmp_path / "x.net").output.neuron.hard


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--dialect", "brian"], "dialect: expected one of nir, norse"),
        (["--option", "fires"], "--option 'fires': expected NAME=VALUE"),
        (["--option", "speed=3"], "unknown option 'speed' of a dialect"),
    ],
)
def test_the_command_refuses_what_is_no_option(arguments, message, tmp_path):
    result = command("import", digits_file(tmp_path), "--steps", 3, *arguments)
    assert result.exit_code == 2 and message in " ".join(result.output.split())


# --------------------------------------------------------------------------------------------------- hostile files


def hostile(kind: str, folder: Any) -> Any:
    path = chain(folder, nir.IF(ones(3), ones(3)), weight=np.ones((3, 2)))
    if kind == "pipe":
        os.mkfifo(folder / "pipe.nir")
        return folder / "pipe.nir"
    if kind == "folder":
        return folder
    with h5py.File(path, "r+") as file:
        node = file["node/nodes/w"]
        del node["weight"]
        if kind == "external link":
            node["weight"] = h5py.ExternalLink("other.h5", "/weight")
        elif kind == "soft link":
            node["weight"] = h5py.SoftLink("/node/nodes/w/bias")
        elif kind == "hard link":
            node["weight"] = node["bias"]
        elif kind == "raw":
            node.create_dataset("weight", (3, 2), "f8", external=[("other.raw", 0, 48)])
        elif kind == "virtual":
            layout = h5py.VirtualLayout((3, 2), "f8")
            layout[:] = h5py.VirtualSource("other.h5", "w", (3, 2))
            node.create_virtual_dataset("weight", layout)
        elif kind == "large":
            node.create_dataset("weight", (2**20, 2**20), "f8", chunks=(1024, 1024))
    return path


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("external link", "x.nir: 'weight': expected a dataset or group of this file, found a link"),
        ("soft link", "x.nir: 'weight': expected a dataset or group of this file, found a link"),
        ("hard link", "x.nir: 'node/nodes/w/weight': expected something of its own, found a second name"),
        ("raw", "x.nir: 'node/nodes/w/weight': its data lies in another file"),
        ("virtual", "x.nir: 'node/nodes/w/weight': its data lies in another file"),
        ("large", r"x.nir: 'node/nodes/w/weight': declares shape \(1048576, 1048576\)"),
        ("pipe", "pipe.nir: expected a file, found a pipe or device"),
        ("folder", "expected a file, found a directory"),
    ],
)
def test_files_that_reach_elsewhere_are_refused(kind, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        from_nir(hostile(kind, tmp_path), np.ones((1, 2, 1, 1)), timesteps=1)
