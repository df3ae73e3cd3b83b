"""Save a NetGraph to HDF5 in the layout of Lava's NetX, and load it back; ``docs/format.md`` lists every key."""

from __future__ import annotations

from os import PathLike

import h5py

from ..graph.digest import digest
from ..graph.errors import NetFileError
from ..graph.graph import NetGraph, require_graph
from ..graph.size import LARGEST, require_size
from ..helpers.check import finite, flag, integer, path_name, positive_ints
from ..helpers.doors import door
from ..helpers.files import atomic_write
from ._layout import FORMAT, VERSION
from ._node import Node, open_root
from ._parts import build
from ._read import read_graph
from ._stock import Options, read_stock
from ._write import write_graph

__all__ = ["load", "save"]


def save(graph: NetGraph, path: str | PathLike[str]) -> None:
    """Write a network to ``path``; :func:`load` gives back an equal one.

    A chain of stock neurons also loads in ``lava.lib.dl.netx.hdf5.Network`` and computes the same there; whatever
    else a graph holds makes that reader raise. The file appears complete or not at all, under its final name.

    Args:
        graph: the network.
        path: file to write or replace, by custom ``*.net``.

    Raises:
        OSError: the file cannot be written; names it.

    Example:
        >>> import tempfile, numpy as np
        >>> from lava_mlsnn.netx import Connection, Dense, Input, Layer, NetGraph, Readout
        >>> layer = Layer("out", (Connection("input", Dense(np.eye(3))),), (3, 1, 1), Readout())
        >>> graph = NetGraph(Input((3, 1, 1)), (layer,))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save(graph, f"{folder}/x.net")
        ...     load(f"{folder}/x.net") == graph
        True
    """
    require_graph(graph)
    # Built in memory: HDF5 itself ends the process with a segmentation fault where the disk is full.
    with h5py.File(path_name(path), "w", driver="core", backing_store=False) as file:
        write_graph(file, graph)
        file.flush()
        content = file.id.get_file_image()
    atomic_write(path, content)


def load(
    path: str | PathLike[str],
    *,
    spike_exp: int = 6,
    input_shape: tuple[int, int, int] | None = None,
    input_message_bits: int = 0,
    input_scale: float | None = None,
    timesteps: int | None = None,
    strict: bool = False,
    largest: int = LARGEST,
    verify: bool = True,
) -> NetGraph:
    """Read a network file, ours or one that SLAYER wrote for stock NetX.

    A stock file becomes the graph of what stock NetX computes. The options but ``verify`` are for such files only:
    stock takes as arguments what ours say themselves.

    Args:
        path: the file. It is neither locked nor left open.
        spike_exp: exponent of sigma-delta messages.
        input_shape: (C, H, W) of the input where a stock file has no input layer; stock's own argument is (W, H, C).
        input_message_bits: bits of a graded input to a network without input block; 0 for binary spikes.
        input_scale: value of one integer step of the input, where the file does not say it.
        timesteps: T of a sample; None: what the file says, 1 if it does not.
        largest: most neurons of a layer, sites of a padded map, taps along its rows, and copies of weights for delays;
            a sample may have largest / 4096 timesteps (65,536). A small file can declare a large network.
        strict: refuse what stock ignores or changes on loading, in place of a warning.
        verify: whether a file of ours must have the content that its digest promises; False for one edited by hand.

    Raises:
        FileNotFoundError: there is no such file.
        NetFileError: the file is truncated, damaged, foreign or inconsistent, was made by a later version of the
            format, or holds what cannot be honoured; the message names file, layer, key and value.
        ValueError: an option that does not exist.

    Warns:
        StockWarning: what stock ignores or changes on loading; the graph does the same.
        WeightWarning: weights of a stock file that only simulations can hold, or that stock clips.
    """
    options = Options(
        integer(spike_exp, "spike_exp", 0, 7),
        None if input_shape is None else positive_ints(input_shape, "input_shape", 3),  # type: ignore[arg-type]
        integer(input_message_bits, "input_message_bits", 0, 24),
        None if input_scale is None else finite(input_scale, "input_scale", positive=True),
        None if timesteps is None else positive_ints(timesteps, "timesteps", 1)[0],
    )
    with door(path, NetFileError), open_root(path) as (root, attributes):
        if not attributes:
            root.lenient(flag(strict, "strict"))
            graph = read_stock(root, options)
        else:
            graph = _load_own(root, attributes, verify)
            for what, wanted, stored in (
                ("timesteps", options.timesteps, graph.timesteps),
                ("input_scale", options.input_scale, graph.input.scale),
            ):
                if wanted not in (None, stored):
                    raise root.error(f"{what}: the file says {stored}, expected no other, got {wanted}")
        build(root, require_size, graph, integer(largest, "largest", 1, 2**63 - 1))
        return graph


def _load_own(root: Node, attributes: dict[str, object], verify: bool) -> NetGraph:
    if attributes.get("format") != FORMAT:
        raise root.error(f"format is {attributes.get('format')!r}: expected {FORMAT!r}")
    version = attributes.get("format_version")
    if version != VERSION:
        raise root.error(f"format version {version}: this release reads version {VERSION}; update lava-mlsnn")
    graph = read_graph(root)
    if verify and attributes.get("digest") != digest(graph):
        raise root.error(
            f"its content has the digest {digest(graph)}, its attribute says {attributes.get('digest')}: damaged, or "
            "edited by hand; load(..., verify=False), on the command line --no-verify, takes it as it is"
        )
    return graph
