"""Damaged, foreign and inconsistent files: one clear error each, quickly, in bounded memory, and nothing in silence."""

from __future__ import annotations

import os
import random
import shutil
import warnings
from pathlib import Path

import h5py
import numpy as np
import pytest
from netx_damage import change
from test_netx_hdf5 import residual
from test_netx_stock import SAMPLES, graded_chain, lif_chain, sdnn_chain

from lava_mlsnn import netx
from lava_mlsnn.netx import (
    Connection,
    Conv,
    DelayDense,
    Injection,
    Input,
    Layer,
    NetFileError,
    NetGraph,
    Relay,
    StockWarning,
    WeightWarning,
)

ROUNDS = int(os.environ.get("MLSNN_FUZZ_ROUNDS", "300"))
"""Damaged files per run and kind; many thousands are asked for by MLSNN_FUZZ_ROUNDS."""


def _strip(path: Path) -> None:
    """Make a stock file of ours: what SLAYER would have written."""
    with h5py.File(path, "r+") as file:
        file.attrs.clear()
        for name in list(file["layer"]):
            layer = file[f"layer/{name}"]
            for key in ("name", "scale", "bits", "signed", "neuron/sin_decay", "neuron/cos_decay"):
                if key in layer:
                    del layer[key]
        if "neuron" not in file["layer/0"]:
            del file["layer/0/weight"], file["layer/0/bias"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Valid files to damage, with their graphs: ours and stock's."""
    folder = tmp_path_factory.mktemp("valid")
    found = {}
    for name, graph in (
        ("residual", residual()),
        ("lif", lif_chain()),
        ("sdnn", sdnn_chain()),
        ("graded", graded_chain()),
    ):
        netx.save(graph, folder / name)
        found[folder / name] = graph
    for name in ("lif", "sdnn", "graded"):
        shutil.copy(folder / name, folder / f"stock_{name}")
        _strip(folder / f"stock_{name}")
        found[folder / f"stock_{name}"] = netx.load(folder / f"stock_{name}")
    shutil.copy(SAMPLES / "tiny.net", folder / "tiny")
    found[folder / "tiny"] = netx.load(folder / "tiny")
    return found


def test_no_change_of_structure_passes_unseen(files, tmp_path):
    paths = list(files)
    refused = seen = 0
    for seed in range(ROUNDS):
        source = paths[seed % len(paths)]
        path = tmp_path / "x.net"
        shutil.copy(source, path)
        what, silent = change(path, seed)
        ours = not source.name.startswith(("stock", "tiny"))
        for verify in (True, False) if ours else (False,):
            try:
                with warnings.catch_warnings(record=True) as said:
                    warnings.simplefilter("always", StockWarning)
                    graph = netx.load(path, verify=verify)
            except NetFileError as error:
                refused += 1
                assert str(error).startswith("x.net"), error
                continue
            same = graph == files[source]
            assert same <= (silent or bool(said)), f"{seed}: {source.name}, {what}: the graph did not change"
            if verify:
                assert same and "digest" not in what, f"{seed}: {source.name}, {what}: passed the digest"
            seen += 1
    assert refused > ROUNDS / 3 and seen > ROUNDS / 10, (refused, seen)


def test_a_damaged_heap_of_texts_is_refused_before_hdf5_walks_it(tmp_path):
    """Stock files keep texts in a global heap, whose damaged sizes make libhdf5 loop for ever."""
    content = (SAMPLES / "tiny.net").read_bytes()
    heap, graph, refused = content.find(b"GCOL"), netx.load(SAMPLES / "tiny.net"), 0
    size = int.from_bytes(content[heap + 8 : heap + 16], "little")
    rng = random.Random(7)
    places = [(heap + rng.randrange(size), rng.choice([0, 1, 8, 0xC3, 255])) for _ in range(2 * ROUNDS)]
    places.insert(0, (9256, 0xC3))
    for place, value in places:
        damaged = bytearray(content)
        damaged[place] = value
        (tmp_path / "x.net").write_bytes(damaged)
        try:
            assert netx.load(tmp_path / "x.net") == graph, (place, value)
        except NetFileError as error:
            assert str(error).startswith("x.net"), error
            refused += 1
        if place == 9256:
            assert refused == 1
    assert refused > len(places) / 100


def test_a_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "x.net")
    with pytest.raises(NetFileError, match=r"x\.net: expected a file, found a pipe"):
        netx.load(tmp_path / "x.net")


def test_names_are_text(tmp_path):
    netx.save(residual(), tmp_path / "x.net")
    with h5py.File(tmp_path / "x.net", "r+") as file:
        file.id.links.create_soft(b"\xff\xfe", b"layer")
    with pytest.raises(NetFileError, match="expected printable text"):
        netx.load(tmp_path / "x.net")


def test_a_small_file_does_not_ask_for_all_memory(tmp_path):
    """Padding and shapes are bounded before anything is allocated; the error says what raises the limit."""
    wide = Layer(
        "wide", (Connection("input", Conv(np.ones((1, 1, 3, 3)), padding=10_000)),), (1, 20_000, 20_000), Relay()
    )
    huge = Layer("huge", (Connection("input", Injection()),), (2**22, 2**22, 2**20), Relay())
    for graph, message in (
        (NetGraph(Input((2**22, 2**22, 2**20)), (huge,)), "input: 18,446,744,073,709,551,616 values: .*largest=N"),
        (NetGraph(Input((1, 2, 2)), (wide,)), "'wide': 400,000,000 neurons: expected at most"),
    ):
        netx.save(graph, tmp_path / "x.net")
        with pytest.raises(NetFileError, match=message):
            netx.load(tmp_path / "x.net")
    assert netx.load(tmp_path / "x.net", largest=2**30) == graph and huge.size == 2**64


@pytest.mark.parametrize("size", [0, 4, 8, 100, 1000, -1, -100])
def test_truncated(size, tmp_path):
    path = tmp_path / "cut.net"
    netx.save(residual(), path)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(NetFileError, match=r"cut.net: (not an HDF5 file|damaged)"):
        netx.load(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 a zip", b"\x80\x04\x95 a pickle", b"layer: conv\n"])
def test_foreign(content, tmp_path):
    (tmp_path / "x.net").write_bytes(content)
    with pytest.raises(NetFileError, match="not an HDF5 file"):
        netx.load(tmp_path / "x.net")


def test_pickles_are_never_opened(tmp_path):
    path = tmp_path / "x.net"
    netx.save(residual(), path)
    with h5py.File(path, "r+") as file:
        del file["layer/1/weight"]
        file["layer/1/weight"] = np.void(b"\x80\x04\x95cos\nsystem\n(S'touch owned'\ntR.")
    with pytest.raises(NetFileError, match=r"layer 1 \(conv 'stem'\): 'weight': expected numbers, found dtype"):
        netx.load(path)


def _edit(graph, path, edits):
    netx.save(graph, path)
    with h5py.File(path, "r+") as file:
        for key, value in edits.items():
            if key.startswith("@"):
                file.attrs[key[1:]] = value
                continue
            if key in file:
                del file[key]
            if value is not None:
                file[key] = value


@pytest.mark.parametrize(
    ("edits", "message"),
    [
        ({"@format_version": 2}, "format version 2: this release reads version 1; update"),
        ({"@format": "nir"}, "format is 'nir': expected 'lava-mlsnn'"),
        ({"layer/1/type": np.array([b"skip"])}, r"layer 1 \(skip 'stem'\): unknown layer type 'skip': expected conv"),
        (
            {"layer/1/neuron/type": "ALIF"},
            r"layer 1 \(conv 'stem'\): neuron: unknown neuron type 'ALIF': expected CUBA",
        ),
        ({"layer/1/stride": [0, 1]}, r"layer 1 \(conv 'stem'\): conv stride: expected 2 integers >= 1, got \(0, 1\)"),
        ({"layer/1/shape": [2, 5, 5]}, r"layer 'stem' has shape \(2, 5, 5\), its conv from input gives \(2, 4, 4\)"),
        ({"layer/1/kernelSize": [5, 5]}, r"layer 1 \(conv 'stem'\): 'kernelSize' is \(5, 5\), .* say \(3, 3\)"),
        (
            {"layer/1/bias": [1, 2, 3]},
            r"layer 1 \(conv 'stem'\): 'bias' of shape \(3,\): expected \(2,\) or \(4, 4, 2\)",
        ),
        ({"layer/1/bias": [0.5, 1]}, r"layer 1 \(conv 'stem'\): bias: expected integers, found 0.5"),
        ({"layer/1/delay": 3}, r"layer 1 \(conv 'stem'\): unknown key 'delay'; known here: bias, dilation"),
        ({"layer/1/weight": None}, r"layer 1 \(conv 'stem'\): 'weight' is missing"),
        ({"layer/1/neuron/levels": 0}, r"layer 1 \(conv 'stem'\): neuron: levels: expected an integer >= 1, got 0"),
        ({"layer/1/neuron/threshold": [7, -9]}, "threshold: expected integers >= 1, got .7, -9"),
        (
            {"layer/3/connections/0/sources": np.array([b"stem", b"out"])},
            "layer 'add' reads 'out': expected one of the layers be",
        ),
        ({"layer/3/connections/0/sources": np.array([b"stem", b"nowhere"])}, "layer 'add' reads 'nowhere'"),
        ({"layer/3/connections/0/sources": np.array([b"stem", b"stem"])}, "expected one or more different names"),
        ({"layer/3/connections/0/sources": ["stem", "body"]}, "connections 0: 'sources': expected .* of fixed length"),
        ({"layer/3/connections/0/sources": np.array([b"add"])}, "layer 'add' reads only itself"),
        ({"layer/3/connections/0/type": "residual"}, r"connections 0: unknown synapse type 'residual'"),
        ({"layer/2/name": np.array([b"stem"])}, "layer 'stem': the name appears twice"),
        ({"layer/4": None}, r"layer: 5 layers, but 4 is missing"),
        ({"layer/4/shape": [7, 1, 1]}, r"layer 4 \(flatten\): flattens to shape \(7, 1, 1\), its input"),
        ({"simulation/tSample": 0}, "simulation: 'tSample': expected an integer in 1 .. 2147483647, found 0"),
        ({"simulation": None}, "'simulation' is missing"),
        ({"labels": np.array([b"one"])}, "1 labels for an output of shape"),
        ({"layer/1/weight": np.full((2, 1, 3, 3), 3e9)}, r"layer 1 \(conv 'stem'\): weight: expected 32-bit integers"),
        ({"layer/1/weight": np.full((2, 1, 3, 3), np.nan)}, r"'weight': found a value that is not finite"),
    ],
)
def test_message_names_layer_and_value(edits, message, tmp_path):
    _edit(residual(), tmp_path / "x.net", edits)
    with pytest.raises(NetFileError, match=message):
        netx.load(tmp_path / "x.net", verify=False)


def test_edited_by_hand(tmp_path):
    path = tmp_path / "x.net"
    _edit(residual(), path, {"simulation/tSample": 7})
    with pytest.raises(NetFileError, match=r"its content has the digest .*verify=False\), .* takes it"):
        netx.load(path)
    assert netx.load(path, verify=False).timesteps == 7


def test_declared_sizes_are_not_believed(tmp_path):
    path = tmp_path / "x.net"
    netx.save(residual(), path)
    with h5py.File(path, "r+") as file:
        del file["layer/1/weight"]
        file.create_dataset("layer/1/weight", (2**20, 2**20), "f4", chunks=(64, 64))
    with pytest.raises(NetFileError, match=r"'weight': declares shape \(1048576, 1048576\), 4398046511104 bytes, but"):
        netx.load(path)


STOCK = [
    ("graded", {"layer/1/type": np.array([b"skip"])}, r"layer 1 \(skip\): layer type 'skip', on which"),
    ("graded", {"layer/1/type": np.array([b"concat"])}, r"layer type 'concat', on which"),
    ("graded", {"layer/1/neuron/type": "ALIF"}, r"layer 1 \(conv\): neuron: neuron type 'ALIF', on which"),
    ("graded", {"layer/1/neuron/messageBits": 8}, "unknown key 'messageBits'"),
    ("graded", {"layer/1/neuron/iDecay": [1, 2, 4097]}, "'iDecay': expected integers in 0 .. 4096, found 4097"),
    ("graded", {"layer/2": None}, "a dense layer reads|without 'flatten'"),
    (
        "graded",
        {"layer/3/weight": np.full((4, 54), 300)},
        r"layer 3 \(dense\): values 300 .. 300 of one sign exceed 8 b",
    ),
    (
        "graded",
        {"layer/3/weight": np.full((4, 54), -128)},
        r"layer 3 \(dense\): weight -128 does not survive stock NetX",
    ),
    ("graded", {"layer/3/delay": [1.0, -1, 3, 7]}, r"'delay': expected 0 .. 62, found -1 .. 7"),
    ("graded", {"layer/1/neuron/iDecay": [7, 7]}, r"'iDecay': expected one number or 3, found shape \(2,\)"),
    ("sdnn", {"layer/0/weight": [1, 2]}, r"layer 0 \(input\): 'weight': expected one number, found shape \(2,\)"),
    ("sdnn", {"name": 1}, "unknown key 'name'; known here: layer, simulation; a file of lava-mlsnn says so"),
]

DEPARTS = [
    ("graded", {"layer/1/delay": 3.0}, "layer 1 .conv.: 'delay': stock NetX ignores the delays of a convolution"),
    ("graded", {"layer/1/neuron/gradedSpike": True}, "'gradedSpike' is set: stock NetX runs"),
    ("graded", {"layer/1/neuron/refDelay": 2}, "'refDelay' is 2, not 1: stock NetX ignores it"),
    ("graded", {"layer/1/neuron/weight_exp": 3}, "'weight_exp' is 3: stock NetX ignores it"),
    (
        "graded",
        {"layer/3/delay": [1.0, 2, 3, 70]},
        r"layer 3 \(dense\): 'delay': 1 above 62, up to 70: stock NetX clips",
    ),
    ("graded", {"layer/3/bias": [1, 2, 3, 40000]}, r"layer 3 \(dense\): 'bias' 1 .. 40000: stock NetX keeps"),
    ("sdnn", {"layer/1/neuron/activation": "tanh"}, "activation 'tanh': stock NetX computes 'relu' only"),
    ("sdnn", {"layer/1/kernelSize": [1, 1]}, r"'kernelSize' is \(1, 1\), the weight says \(\d, \d\), and stock"),
    ("graded", {"layer/3/inFeatures": 7}, "'inFeatures' is .7,., the weight says .54,."),
    ("graded", {"simulation": None}, "no 'simulation/tSample', so T = 1, in which leaky or binary neurons"),
]
"""What stock NetX accepts, ignoring or changing it: a warning, and an error in strict reading."""


def _edited(name, edits, tmp_path):
    path = tmp_path / "x.net"
    netx.save({"graded": graded_chain, "sdnn": sdnn_chain, "lif": lif_chain}[name](), path)
    _strip(path)
    before = netx.load(path)
    with h5py.File(path, "r+") as file:
        for key, value in edits.items():
            if key in file:
                del file[key]
            if value is not None:
                file[key] = value
        if edits == {"layer/2": None}:  # the flatten between convolution and dense layer
            file.move("layer/3", "layer/2")
    return path, before


@pytest.mark.parametrize(("name", "edits", "message"), STOCK)
def test_stock_message_names_layer_and_value(name, edits, message, tmp_path):
    path, _ = _edited(name, edits, tmp_path)
    for strict in (False, True):
        with pytest.raises(NetFileError, match=message):
            netx.load(path, strict=strict)


@pytest.mark.parametrize(("name", "edits", "message"), DEPARTS)
def test_what_stock_accepts_loads_with_a_warning_and_not_in_strict_reading(name, edits, message, tmp_path):
    path, before = _edited(name, edits, tmp_path)
    with pytest.warns(StockWarning, match=message):
        graph = netx.load(path)
    with pytest.raises(NetFileError, match=message):
        netx.load(path, strict=True)
    if "layer/3/delay" in edits:
        assert graph.layers[1].synapse.delays.ravel().tolist() == [1, 2, 3, 62]
    elif "layer/3/bias" in edits:
        assert graph.output.bias.tolist() == [1, 2, 3, 40000 - 2**16]
    elif "simulation" in edits:
        assert graph.timesteps == 1 and netx.load(path, timesteps=before.timesteps, strict=True) == before
    else:
        assert graph == before


LAYERS = ("convT", "unpool", "dense_comp", "skip", "add", "concat", "TimeDecimation", "affine", "rf_dense")
NEURONS = ("RF", "RF_IZ", "RF_PHASE", "ALIF", "ADRF", "ADRF_IZ", "MULTILEVEL", "")


@pytest.mark.parametrize("index", [0, 1, 3], ids=["first", "inside", "last"])
def test_no_foreign_layer_or_neuron_vanishes(index, tmp_path):
    """Stock's reader skips layer types that it does not know; neurons with RF in their type it takes for resonators."""
    path = tmp_path / "x.net"
    netx.save(graded_chain(), path)
    _strip(path)
    for key, names in (("type", LAYERS), ("neuron/type", NEURONS)):
        if index == 0 and key != "type":
            continue  # this file's input has no neuron
        for name in names:
            with h5py.File(path, "r+") as file:
                was = file[f"layer/{index}/{key}"][()]
                del file[f"layer/{index}/{key}"]
                file[f"layer/{index}/{key}"] = np.array([name.encode()], dtype="S16")
            message = rf"layer {index} \(.*(type '{name}'|'sinDecay' is missing)"
            with pytest.raises((NetFileError, StockWarning), match=message):
                netx.load(path)
            with h5py.File(path, "r+") as file:
                del file[f"layer/{index}/{key}"]
                file[f"layer/{index}/{key}"] = was
    netx.load(path)


@pytest.mark.parametrize("index", [1, 3], ids=["conv", "dense"])
def test_complex_weights_are_refused(index, tmp_path):
    path = tmp_path / "x.net"
    netx.save(graded_chain(), path)
    _strip(path)
    with h5py.File(path, "r+") as file:
        weight = file[f"layer/{index}/weight"][()]
        del file[f"layer/{index}/weight"]
        file[f"layer/{index}/weight/real"], file[f"layer/{index}/weight/imag"] = weight, weight
    with pytest.raises(NetFileError, match=rf"layer {index} .*: complex weights"):
        netx.load(path)


def _weights(path, key, value):
    netx.save(graded_chain(), path)
    _strip(path)
    with h5py.File(path, "r+") as file:
        del file[key]
        file[key] = value


def test_weights_that_hardware_cannot_hold_load_with_a_warning(tmp_path):
    path = tmp_path / "x.net"
    weight = np.random.default_rng(0).integers(-1000, 1001, (3, 2, 1, 3))
    _weights(path, "layer/1/weight", weight)
    with pytest.warns(
        WeightWarning, match=r"layer 1 \(conv\): weights -\d+ .. \d+ are not 8 signed bits times a power"
    ):
        graph = netx.load(path)
    np.testing.assert_array_equal(graph["conv1"].synapse.weight, weight)
    with pytest.raises(ValueError, match=r"layer 'conv1'.* is not 8 signed bits"):
        netx.check_hardware(graph)


def test_weights_that_stock_clips_load_clipped_with_a_warning(tmp_path):
    path = tmp_path / "x.net"
    weight = np.random.default_rng(0).integers(-1000, 1001, (4, 54))
    _weights(path, "layer/3/weight", weight)
    with pytest.warns(WeightWarning, match=r"layer 3 \(dense\): stock NetX clips \d+ weights"):
        graph = netx.load(path)
    np.testing.assert_array_equal(graph["dense3"].synapse.weight, np.clip(weight, -256, 254))


def test_average_at_the_end_is_a_readout_and_elsewhere_an_error(tmp_path):
    path = tmp_path / "x.net"
    netx.save(graded_chain(), path)
    _strip(path)
    with h5py.File(path, "r+") as file:
        file["layer/4/type"], file["layer/4/shape"] = np.array([b"average"]), [2, 1, 1]
    graph = netx.load(path)
    assert graph.output.neuron == netx.Readout(scale=1 / 2) and graph.output.shape == (2, 1, 1)
    np.testing.assert_array_equal(graph.output.synapse.weight, [[1, 1, 0, 0], [0, 0, 1, 1]])
    for groups in (3, 4, 5):
        with h5py.File(path, "r+") as file:
            file["layer/4/shape"][...] = [groups, 1, 1]
        with pytest.raises(NetFileError, match=rf"layer 4 \(average\): an average of 4 neurons into {groups} groups"):
            netx.load(path)
    with h5py.File(path, "r+") as file:
        file["layer/4/shape"][...] = [2, 1, 1]
        file.copy("layer/3", "layer/5")
    with pytest.raises(NetFileError, match=r"layer 4 \(average\): an average of spikes in mid-network"):
        netx.load(path)


def test_input_shape_for_files_without_input_layer(tmp_path):
    path = tmp_path / "x.net"
    netx.save(graded_chain(), path)
    _strip(path)
    graph = netx.load(path, input_message_bits=8)
    assert netx.load(path, input_shape=(2, 6, 5)).input.bits == 1 and graph.input == netx.Input((2, 6, 5), 1.0, 8, True)
    with pytest.raises(NetFileError, match=r"the file has input shape \(2, 6, 5\), input_shape asks for \(2, 5, 6\)"):
        netx.load(path, input_shape=(2, 5, 6))
    with h5py.File(path, "r+") as file:
        del file["layer/0"]
        for index in range(1, 4):
            file.move(f"layer/{index}", f"layer/{index - 1}")
    with pytest.raises(NetFileError, match=r"layer 0 \(conv\): the file has no input layer: give load"):
        netx.load(path)
    again = netx.load(path, input_shape=(2, 6, 5), input_message_bits=8)
    assert [layer.connections[0].synapse for layer in again] == [layer.connections[0].synapse for layer in graph]


@pytest.mark.parametrize("steps", [2**16 + 1, 10**6, 2**30])
def test_a_file_does_not_declare_steps_that_nobody_could_run(tmp_path, steps):
    path = tmp_path / "x.net"
    netx.save(residual(), path)
    with h5py.File(path, "r+") as file:
        file["simulation/tSample"][...] = steps
    said = (
        rf"x\.net: timesteps: {steps:,}: expected at most 65,536; netx\.load\(\.\.\., largest=N\), .* raises the limit"
    )
    with pytest.raises(NetFileError, match=said):
        netx.load(path, verify=False)
    assert netx.load(path, verify=False, largest=steps * 4096).timesteps == steps


def test_copies_of_weights_for_delays_and_taps_are_bounded(tmp_path):
    delays = np.arange(20 * 30).reshape(20, 30) % 60
    late = Layer("late", (Connection("input", DelayDense(np.ones((20, 30)), delays)),), (20, 1, 1), Relay())
    netx.save(NetGraph(Input((30, 1, 1)), (late,)), tmp_path / "x.net")
    with pytest.raises(
        NetFileError, match=r"layer 'late': 36,000 weights, one copy for each delay: expected at most 9"
    ):
        netx.load(tmp_path / "x.net", largest=9000)
    tall = Layer("tall", (Connection("input", Conv(np.ones((1, 1, 99, 1)))),), (1, 102, 1), Relay())
    netx.save(NetGraph(Input((1, 200, 1)), (tall,)), tmp_path / "y.net")
    with pytest.raises(NetFileError, match=r"layer 'tall': 10,098 taps along its rows: expected at most 9,000"):
        netx.load(tmp_path / "y.net", largest=9000)


def test_nothing_that_a_file_says_drives_the_terminal(tmp_path):
    path = tmp_path / "\x1b[31m.net"
    for key in ("digest", "format", "layer/1/type"):
        netx.save(residual(), path)
        with h5py.File(path, "r+") as file:
            if "/" in key:
                del file[key]
                file[key] = "\x1b[2J"
            else:
                file.attrs[key] = "\x1b[2J"
        with pytest.raises(NetFileError, match=r"\\x1b\[2J") as found:
            netx.load(path)
        assert str(found.value).isprintable() and str(found.value).startswith(r"\x1b[31m.net: ")


def test_a_name_that_is_no_utf_8_is_one_error(tmp_path):
    path = tmp_path / "x.net"
    netx.save(residual(), path)
    content = path.read_bytes()
    assert content.count(b"simulation\0") == 1
    path.write_bytes(content.replace(b"simulation\0", b"simulatio\xff\0"))
    with pytest.raises(NetFileError, match=r"^x\.net: "):
        netx.load(path)
