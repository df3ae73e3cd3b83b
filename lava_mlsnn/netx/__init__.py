"""The door between training and inference: the integer NetGraph, its file, and the way from torch to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .bounds import bounds
from .check import check_hardware, problems
from .early import shorten
from .errors import NetFileError, WeightWarning
from .graph import INPUT, Connection, Input, Layer, NetGraph
from .lower import lower, places
from .neuron import LIF, Barrier, Delta, MultiLevel, Neuron, Readout, Relay, Rescale, Sigma, SigmaDelta, SoftLIF
from .part import part
from .synapse import Conv, DelayDense, Dense, Identity, Injection, Pool, Synapse, fits_8_bits, weight_exponent
from .thresholds import Scheduled, Staircase

if TYPE_CHECKING:
    from ._digest import digest
    from .hdf5 import load, save
    from .nir_read import from_nir
    from .nir_write import to_nir
    from .quantizer import quantize

_LAZY = {
    "digest": "_digest",
    "from_nir": "nir_read",
    "load": "hdf5",
    "quantize": "quantizer",
    "save": "hdf5",
    "to_nir": "nir_write",
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

        value = getattr(import_module(f".{_LAZY[name]}", __name__), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
