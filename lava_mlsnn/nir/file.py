"""Files of the Neuromorphic Intermediate Representation: opening them, and the order of their nodes."""

from __future__ import annotations

import json
from os import PathLike, fspath, path
from types import ModuleType
from typing import Any

OWN = "lava_mlsnn"
"""Key of this package's entry in a graph's metadata: JSON with what NIR has no place for."""


def package() -> ModuleType:
    """The package ``nir``; ImportError says how to get it."""
    try:
        import nir
    except ImportError:
        raise ImportError("NIR files need the package nir: pip install lava-mlsnn[nir]") from None
    module: ModuleType = nir
    return module


def read(file: str | PathLike[str]) -> Any:
    """The NIRGraph in a file.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not a NIR file.
    """
    name = fspath(file)
    nir = package()
    if not path.isfile(name):
        raise FileNotFoundError(f"no such NIR file: {name}")
    found = _what_else(name)
    if found:
        raise ValueError(f"{path.basename(name)}: expected a NIR file, as nir.write makes it, found {found}")
    try:
        graph = nir.read(name, type_check=False)
    except Exception as error:  # whatever h5py and nir make of damaged nodes
        raise ValueError(
            f"{path.basename(name)}: expected a NIR file whose nodes nir {nir.version} knows, found others or damage"
        ) from error
    if not isinstance(graph, nir.NIRGraph):
        raise ValueError(f"{path.basename(name)}: expected a NIRGraph, found one {type(graph).__name__} node")
    return graph


def _what_else(name: str) -> str:
    """What a file is that is no NIR file; empty if it seems to be one."""
    import h5py

    if not h5py.is_hdf5(name):
        return "no HDF5"
    try:
        with h5py.File(name) as file:
            return "" if isinstance(file.get("node"), h5py.Group) else "HDF5 without the group 'node'"
    except OSError:
        return "damaged HDF5"


def own_notes(graph: Any) -> dict[str, Any]:
    """What :func:`lava_mlsnn.netx.to_nir` left in the metadata; empty in the files of others."""
    text = graph.metadata.get(OWN) if isinstance(graph.metadata, dict) else None
    if text is None:
        return {}
    try:
        notes = json.loads(text if isinstance(text, str | bytes) else str(text))
    except ValueError:
        raise ValueError(f"NIR metadata {OWN!r}: expected JSON, found {text!r:.80}") from None
    if not isinstance(notes, dict):
        raise ValueError(f"NIR metadata {OWN!r}: expected an object, found {text!r:.80}")
    return notes


def sources(graph: Any) -> dict[str, list[str]]:
    """The nodes that each node reads, in an order in which every node comes after those.

    Raises:
        ValueError: an edge to nowhere, an edge twice, a cycle, or not one input and one output.
    """
    reads: dict[str, list[str]] = {name: [] for name in graph.nodes}
    for source, target in graph.edges:
        for name in (source, target):
            if name not in reads:
                raise ValueError(f"NIR edge {source!r} -> {target!r}: there is no node {name!r}")
        if source in reads[target]:
            raise ValueError(f"NIR edge {source!r} -> {target!r} appears twice")
        reads[target].append(source)
    _one(graph, "Input")
    _one(graph, "Output")
    ordered: dict[str, list[str]] = {}
    while len(ordered) < len(reads):
        ready = [name for name in reads if name not in ordered and all(s in ordered for s in reads[name])]
        if not ready:
            loop = ", ".join(repr(name) for name in reads if name not in ordered)
            raise ValueError(f"NIR nodes {loop}: recurrent connections cannot be imported")
        ordered.update({name: reads[name] for name in ready})
    return ordered


def _one(graph: Any, kind: str) -> None:
    names = [name for name, node in graph.nodes.items() if type(node).__name__ == kind]
    if len(names) != 1:
        raise ValueError(f"expected one NIR {kind} node, found {len(names)}: {', '.join(map(repr, names))}")
