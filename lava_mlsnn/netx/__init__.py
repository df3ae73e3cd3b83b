"""The door between training and inference: the integer NetGraph, its files, and the way from torch to it.

Everything of :mod:`lava_mlsnn.graph` can be imported from here; torch, h5py and nir load when they are first needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import graph as _graph
from ..graph import *  # noqa: F403
from ..helpers.lazy import lazy
from .lower import lower, places

if TYPE_CHECKING:
    from ..block.export import quantize
    from ..nir.read import from_nir
    from ..nir.write import to_nir
    from ._example import example, examples
    from .hdf5 import load, save

_LAZY = {
    "example": "._example",
    "examples": "._example",
    "from_nir": "..nir.read",
    "load": ".hdf5",
    "quantize": "..block.export",
    "save": ".hdf5",
    "to_nir": "..nir.write",
}

__all__ = [*_graph.__all__, "example", "examples", "from_nir", "load", "lower", "places", "quantize", "save", "to_nir"]


__getattr__ = lazy(__name__, _LAZY)
