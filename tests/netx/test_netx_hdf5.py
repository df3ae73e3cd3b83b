"""Files of our own: what is saved is what is loaded, whole, closed and unlocked."""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given
from netx_graphs import graphs

from lava_mlsnn import netx
from lava_mlsnn.netx import (
    Barrier,
    Connection,
    Conv,
    DelayDense,
    Dense,
    Identity,
    Input,
    Layer,
    MultiLevel,
    NetFileError,
    NetGraph,
    Readout,
)


def residual() -> NetGraph:
    """Two branches behind a barrier, the Sparse-ResNet's block, with labels."""
    weight = np.arange(-8, 10).reshape(2, 1, 3, 3)
    stem = Layer("stem", (Connection("input", Conv(weight, padding=1)),), (2, 4, 4), MultiLevel(4, [7, 9]), [1, -1])
    branch = Conv(np.ones((2, 2, 3, 3)), padding=1)
    body = Layer("body", (Connection("stem", branch),), (2, 4, 4), MultiLevel(4, 8))
    add = Layer("add", (Connection(("stem", "body"), Identity()),), (2, 4, 4), Barrier(4))
    out = Layer("out", (Connection("add", Dense(np.full((3, 32), 2))),), (3, 1, 1), Readout(0.25), [1, 2, 3])
    return NetGraph(Input((1, 4, 4)), (stem, body, add, out), 2, ("one", "two", "drei µ"))


@given(graph=graphs())
def test_round_trip_is_equal(graph):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.net"
        netx.save(graph, path)
        again = netx.load(path, largest=2**43)  # any T
        assert again == graph
        assert netx.digest(again) == netx.digest(graph)
        assert [p.name for p in Path(folder).iterdir()] == ["x.net"]


def test_equal_graphs_give_equal_files(tmp_path):
    netx.save(residual(), tmp_path / "a.net")
    netx.save(residual(), tmp_path / "b.net")
    assert (tmp_path / "a.net").read_bytes() == (tmp_path / "b.net").read_bytes()


@given(graph=graphs(), other=graphs())
def test_digest_is_equal_where_graphs_are(graph, other):
    assert (netx.digest(graph) == netx.digest(other)) == (graph == other)


def test_digest_stays_what_it_was():
    assert netx.digest(residual()) == "d066e17d94f2f8dfddb7cd79e0140d31e9b41a75ee355deea983bbf254b6599f"


@pytest.mark.parametrize(
    "change",
    [
        {"timesteps": 3},
        {"labels": ()},
        {"input": Input((1, 4, 4), bits=7)},
        {"input": Input((1, 4, 4), offset=1e-9)},
        {"layers": (*residual().layers[:3], replace(residual().output, bias=None))},
        {"layers": (*residual().layers[:3], replace(residual().output, name="end"))},
        {"layers": (replace(residual().layers[0], neuron=MultiLevel(4, [7, 10])), *residual().layers[1:])},
    ],
)
def test_digest_sees_every_change(change):
    assert netx.digest(replace(residual(), **change)) != netx.digest(residual())


def test_a_file_is_written_again_while_it_is_open_elsewhere(tmp_path):
    path = tmp_path / "x.net"
    first = residual()
    netx.save(first, path)
    with h5py.File(path, "r") as reader:
        assert netx.load(path) == first
        netx.save(replace(first, timesteps=4), path)
        assert reader["simulation/tSample"][()] == 2  # the old content, until it is closed
    assert netx.load(path).timesteps == 4
    netx.save(first, path)
    with h5py.File(path, "r+"):  # nothing holds it
        assert netx.load(path) == first


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "x.net"
    netx.save(residual(), path)

    def broken(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", broken)
    with pytest.raises(OSError, match="disk full"):
        netx.save(replace(residual(), timesteps=9), path)
    monkeypatch.undo()
    assert netx.load(path) == residual() and os.listdir(tmp_path) == ["x.net"]


def test_a_link_stays_a_link(tmp_path):
    netx.save(residual(), tmp_path / "real.net")
    (tmp_path / "link.net").symlink_to("real.net")
    netx.save(replace(residual(), timesteps=5), tmp_path / "link.net")
    assert (tmp_path / "link.net").is_symlink() and netx.load(tmp_path / "real.net").timesteps == 5


def test_save_wants_a_graph(tmp_path):
    with pytest.raises(ValueError, match=r"expected a NetGraph .* got dict"):
        netx.save({}, tmp_path / "x.net")
    assert not os.listdir(tmp_path)


def test_weights_of_8_bits_take_about_two_bytes_each(tmp_path):
    weight = np.random.default_rng(0).integers(-127, 128, (64, 64, 3, 3))
    layer = Layer("a", (Connection("input", Conv(weight)),), (64, 2, 2), MultiLevel(4, 8))
    netx.save(NetGraph(Input((64, 4, 4)), (layer,)), tmp_path / "x.net")
    assert os.path.getsize(tmp_path / "x.net") < 2.3 * weight.size


def test_layout_is_stock_where_stock_has_a_word(tmp_path):
    """The keys, types and axes of SLAYER's own export."""
    netx.save(residual(), tmp_path / "x.net")
    with h5py.File(tmp_path / "x.net") as file:
        assert set(file) == {"layer", "simulation", "labels"} and set(file["layer"]) == set("01234 5".replace(" ", ""))
        types = [file[f"layer/{i}/type"][0].decode() for i in range(6)]
        assert types == ["input", "conv", "conv", "concat", "flatten", "dense"]
        assert all(file[f"layer/{i}/type"].dtype == "S10" for i in range(6))
        conv = file["layer/1"]
        assert conv["weight"].dtype == np.float32 and conv["shape"].dtype == np.int64
        np.testing.assert_array_equal(conv["weight"], residual()["stem"].synapse.weight)
        assert file["layer/3/connections/0/sources"][()].tolist() == [b"stem", b"body"]


def test_delays_keep_their_axis(tmp_path):
    weight = np.ones((3, 3))
    for delays in ([[1], [2], [3]], [[1, 2, 3]], np.arange(9).reshape(3, 3), [[4]], [[0]]):
        synapse = DelayDense(weight, delays)
        layer = Layer("a", (Connection("input", synapse),), (3, 1, 1), netx.LIF(9))
        graph = NetGraph(Input((3, 1, 1)), (layer,))
        netx.save(graph, tmp_path / "x.net")
        assert netx.load(tmp_path / "x.net") == graph
        np.testing.assert_array_equal(np.broadcast_to(synapse.delays, (3, 3)), np.broadcast_to(delays, (3, 3)))


@pytest.mark.parametrize("delays", [[[63]], [[-1]], [1, 2, 3], np.zeros((2, 3)), [[0.5]]])
def test_delays_out_of_range(delays):
    with pytest.raises(ValueError, match="delays"):
        DelayDense(np.ones((3, 3)), delays)


@pytest.mark.parametrize("name", ["", "input", "a/b", "a\0", "a\nb", "\ud800", 7])
def test_names_that_files_cannot_hold(name):
    with pytest.raises(ValueError, match="layer name"):
        Layer(name, (Connection("input", Identity()),), (1, 1, 1), MultiLevel(1, 1))


def test_load_options_are_checked(tmp_path):
    netx.save(residual(), tmp_path / "x.net")
    for options in ({"spike_exp": 8}, {"input_shape": (1, 2)}, {"input_message_bits": 32}):
        with pytest.raises(ValueError, match=next(iter(options))):
            netx.load(tmp_path / "x.net", **options)
    with pytest.raises(FileNotFoundError):
        netx.load(tmp_path / "none.net")
    with pytest.raises(NetFileError, match="directory"):
        netx.load(tmp_path)


FORMAT = Path(__file__).parents[2] / "docs" / "format.md"


@given(graph=graphs())
def test_every_key_is_documented(graph):
    documented = set(re.findall(r"`([\w/]+)`", FORMAT.read_text()))
    documented |= {part for name in documented for part in name.split("/")} | {"layer", "neuron", "connections"}
    with tempfile.TemporaryDirectory() as folder:
        netx.save(graph, Path(folder) / "x.net")
        with h5py.File(Path(folder) / "x.net") as file:
            names: list[str] = list(file.attrs)
            file.visit(names.append)
            kinds = {file[name][0].decode() for name in names if name.endswith("type")}
    parts = {part for name in names for part in name.split("/") if not part.isdigit()}
    assert parts | kinds <= documented, (parts | kinds) - documented
