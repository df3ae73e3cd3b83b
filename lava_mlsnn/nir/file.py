"""Files of the Neuromorphic Intermediate Representation: opening them, and the order of their nodes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from io import BytesIO
from os import PathLike, fspath, path
from traceback import extract_tb
from types import ModuleType
from typing import Any

from ..helpers import extras
from ..helpers.reading import opened

OWN = "lava_mlsnn"
"""Key of this package's entry in a graph's metadata: JSON with what NIR has no place for."""


def package() -> ModuleType:
    """The package ``nir``; MissingPackageError says how to get it."""
    module: ModuleType = extras.load("nir", "NIR files")
    return module


def read(file: str | PathLike[str]) -> Any:
    """The NIRGraph in a file, with what is in graphs inside it in their place.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not a NIR file, damaged, or refers to other files.
    """
    name = fspath(file)
    where, nir = path.basename(name), package()
    if not path.exists(name):
        raise FileNotFoundError(f"no such NIR file: {name}")
    content = BytesIO(_checked(name, where))
    try:
        graph = nir.read(content, type_check=False)
    except Exception as error:  # whatever h5py and nir make of damaged nodes
        said = str(error) or str(extract_tb(error.__traceback__)[-1].line)  # asserts say what they assert
        reason = " ".join(said.split()).removeprefix("assert ")
        raise ValueError(
            f"{where}: expected a NIR file whose nodes nir {nir.version} knows, found others or damage: {reason}"
        ) from error
    if not isinstance(graph, nir.NIRGraph):
        raise ValueError(f"{where}: expected a NIRGraph, found one {type(graph).__name__} node")
    return flattened(graph)


def _checked(name: str, where: str) -> bytes:
    """The bytes of a file that seems to be NIR, in which everything is its own."""
    import h5py

    from ..helpers.hdf5 import H5PY_ERRORS, SIGNATURE, UnsafeError, check_tree, read_image

    if path.isfile(name):
        with opened(name) as stream:
            if stream.read(len(SIGNATURE)) != SIGNATURE:
                raise ValueError(f"{where}: expected a NIR file, as nir.write makes it, found no HDF5")
    image = read_image(name)
    try:
        with h5py.File(h5py.h5f.open_file_image(image)) as file:
            check_tree(file)
            has_node = isinstance(file.get("node"), h5py.Group)
            found = _unknown_node(file) if has_node else "HDF5 without the group 'node'"
    except UnsafeError as error:
        raise ValueError(f"{where}: {error}") from None
    except H5PY_ERRORS:
        found = "damaged HDF5"
    if found:
        raise ValueError(f"{where}: expected a NIR file, as nir.write makes it, found {found}")
    return image


def _unknown_node(file: Any) -> str:
    """A node of a type that nir does not know, in words; empty if there is none."""
    nir, found = package(), []

    def look(name: str, item: Any) -> None:
        if name.endswith("/type"):
            kind = item[()].decode() if isinstance(item[()], bytes) else str(item[()])
            if kind not in nir.ir.__dict__:
                found.append(f"a node {name.removesuffix('/type').rsplit('/', 1)[-1]!r} of type {kind!r}")

    file.visititems(look)
    return found[0] if found else ""


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


def flattened(graph: Any) -> Any:
    """The graph with the nodes of graphs inside it in their place, named "outer.inner"."""
    nir = package()
    nodes: dict[str, Any] = {}
    ends: dict[str, tuple[str, str]] = {}
    edges: list[tuple[str, str]] = []
    for name, node in graph.nodes.items():
        if not isinstance(node, nir.NIRGraph):
            nodes[name], ends[name] = node, (name, name)
            continue
        inner = flattened(node)
        enters, leaves = (_one(inner, kind, f" in {name!r}") for kind in ("Input", "Output"))
        nodes.update({f"{name}.{k}": n for k, n in inner.nodes.items()})
        edges += [(f"{name}.{a}", f"{name}.{b}") for a, b in inner.edges]
        ends[name] = (f"{name}.{enters}", f"{name}.{leaves}")
    for source, target in graph.edges:
        for name in (source, target):
            if name not in ends:
                raise ValueError(f"NIR edge {source!r} -> {target!r}: there is no node {name!r}")
        edges.append((ends[source][1], ends[target][0]))
    inner_ends = {n for name, pair in ends.items() for n in pair if n != name}
    for end in inner_ends:
        before, after = [a for a, b in edges if b == end], [b for a, b in edges if a == end]
        edges = [edge for edge in edges if end not in edge] + [(a, b) for a in before for b in after]
        del nodes[end]
    return nir.NIRGraph(nodes, edges, graph.metadata, type_check=False)


@dataclass(frozen=True)
class Order:
    """Nodes in an order in which all come after those that they read.

    Attributes:
        reads: node -> the nodes that it reads.
        loops: neurons that read themselves -> the linear nodes through which they do, which are not in ``reads``, or
            their own name.
    """

    reads: dict[str, list[str]]
    loops: dict[str, list[str]]


def order(graph: Any) -> Order:
    """The order of the nodes, with loops taken out.

    Raises:
        ValueError: an edge to nowhere, an edge twice, a loop through more than one population of neurons and one linear
            node, or not one input and one output.
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
    loops: dict[str, list[str]] = {}
    for name, node in graph.nodes.items():
        if type(node).__name__ not in NEURONS:
            continue
        through = [r for r in reads[name] if r == name or (reads[r] == [name] and _is_linear(graph.nodes[r]))]
        own = [r for r in through if r == name or not any(r in others for o, others in reads.items() if o != name)]
        if own:
            loops[name] = own
            reads[name] = [r for r in reads[name] if r not in own]
            for r in own:
                if r != name:
                    del reads[r]
    ordered: dict[str, list[str]] = {}
    while len(ordered) < len(reads):
        ready = [name for name in reads if name not in ordered and all(s in ordered for s in reads[name])]
        if not ready:
            loop = ", ".join(repr(name) for name in reads if name not in ordered)
            raise ValueError(
                f"NIR nodes {loop}: a loop through them cannot be imported: expected neurons that read themselves "
                "through one linear node, which nothing else reads"
            )
        ordered.update({name: reads[name] for name in ready})
    return Order(ordered, loops)


NEURONS = ("IF", "LIF", "CubaLIF")


def _is_linear(node: Any) -> bool:
    return type(node).__name__ in ("Affine", "Linear", "Conv1d", "Conv2d", "Scale")


def _one(graph: Any, kind: str, where: str = "") -> str:
    names = [name for name, node in graph.nodes.items() if type(node).__name__ == kind]
    if len(names) != 1:
        raise ValueError(f"expected one NIR {kind} node{where}, found {len(names)}: {', '.join(map(repr, names))}")
    return str(names[0])
