"""A network's fingerprint: sha256 over what the graph says, whatever file or library version carried it."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import MISSING, fields
from typing import Any, Protocol

import numpy as np

from .graph import NetGraph, require_graph
from .spec import Spec, same


class _Hash(Protocol):
    def update(self, data: bytes | memoryview, /) -> None: ...


def digest(graph: NetGraph) -> str:
    """sha256 (64 hexadecimal digits) of a graph's content: equal graphs, and only they, have equal digests.

    Fields that hold their default are left out, so a digest stays valid when a later version adds a field.

    Example:
        >>> from lava_mlsnn.netx import Connection, Dense, Input, Layer, NetGraph, Readout
        >>> layer = Layer("out", (Connection("input", Dense(np.eye(3))),), (3, 1, 1), Readout())
        >>> digest(NetGraph(Input((3, 1, 1)), (layer,)))[:16]
        '...'
    """
    require_graph(graph)
    sha = hashlib.sha256(b"lava-mlsnn netgraph 1\0")
    _feed(sha, graph)
    return sha.hexdigest()


def _feed(sha: _Hash, value: Any) -> None:
    """Add one value, tagged with its type and length so that no two contents give the same bytes."""
    if isinstance(value, Spec):
        named = [(f.name, getattr(value, f.name)) for f in fields(value) if not _is_default(value, f)]
        _tag(sha, b"S", type(value).__name__.encode())
        _tag(sha, b"n", struct.pack("<q", len(named)))
        for name, item in named:
            _tag(sha, b"k", name.encode())
            _feed(sha, item)
    elif isinstance(value, np.ndarray):
        _tag(sha, b"A", struct.pack(f"<{value.ndim}q", *value.shape))
        sha.update(np.ascontiguousarray(value, dtype="<i4").data)
    elif isinstance(value, tuple):
        _tag(sha, b"T", struct.pack("<q", len(value)))
        for item in value:
            _feed(sha, item)
    elif isinstance(value, str):
        _tag(sha, b"s", value.encode())
    elif isinstance(value, float):
        _tag(sha, b"f", struct.pack("<d", value + 0.0))  # -0.0 equals 0.0
    elif isinstance(value, int):
        _tag(sha, b"i", str(int(value)).encode())
    elif value is None:
        _tag(sha, b"0", b"")
    else:
        raise TypeError(f"a {type(value).__name__} has no canonical form")


def _tag(sha: _Hash, tag: bytes, data: bytes) -> None:
    sha.update(tag + struct.pack("<q", len(data)) + data)


def _is_default(spec: Spec, field: Any) -> bool:
    if field.default is not MISSING:
        value = getattr(spec, field.name)
        default = field.default
        if isinstance(value, np.ndarray) and default is not None:
            default = np.asarray(default, dtype=value.dtype)
        return same(value, default)
    return False
