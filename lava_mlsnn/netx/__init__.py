"""The door between training and inference: the integer NetGraph, its file, and the way from torch to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..graph.bounds import bounds
from ..graph.errors import NetFileError, WeightWarning
from ..graph.graph import INPUT, Connection, Input, Layer, NetGraph
from ..graph.hardware import check_hardware, problems
from ..graph.neurons import (
    LIF,
    Barrier,
    Delta,
    MultiLevel,
    Neuron,
    Readout,
    Relay,
    Rescale,
    Scheduled,
    Sigma,
    SigmaDelta,
    SoftLIF,
    Staircase,
)
from ..graph.part import part
from ..graph.shorten import shorten
from ..graph.synapses import Conv, DelayDense, Dense, Identity, Injection, Pool, Synapse, fits_8_bits, weight_exponent
from .lower import lower, places

if TYPE_CHECKING:
    from ..block.export import quantize
    from ..graph.digest import digest
    from ..nir.read import from_nir
    from ..nir.write import to_nir
    from .hdf5 import load, save

_LAZY = {
    "digest": "..graph.digest",
    "from_nir": "..nir.read",
    "load": ".hdf5",
    "quantize": "..block.export",
    "save": ".hdf5",
    "to_nir": "..nir.write",
}

__all__ = [
    "INPUT",
    "LIF",
    "Barrier",
    "Connection",
    "Conv",
    "DelayDense",
    "Delta",
    "Dense",
    "Identity",
    "Injection",
    "Input",
    "Layer",
    "MultiLevel",
    "NetFileError",
    "NetGraph",
    "Neuron",
    "Pool",
    "Readout",
    "Relay",
    "Rescale",
    "Scheduled",
    "Sigma",
    "SigmaDelta",
    "SoftLIF",
    "Staircase",
    "Synapse",
    "WeightWarning",
    "bounds",
    "check_hardware",
    "digest",
    "fits_8_bits",
    "from_nir",
    "load",
    "lower",
    "part",
    "places",
    "problems",
    "quantize",
    "save",
    "shorten",
    "to_nir",
    "weight_exponent",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        from importlib import import_module

        value = getattr(import_module(_LAZY[name], __name__), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
