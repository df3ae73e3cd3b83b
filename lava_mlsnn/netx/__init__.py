"""The door between training and inference: the integer NetGraph, its file, and the way from torch to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .bounds import bounds
from .check import check_hardware, problems
from .errors import NetFileError, WeightWarning
from .graph import INPUT, Connection, Input, Layer, NetGraph
from .neuron import LIF, Barrier, Delta, MultiLevel, Neuron, Readout, Relay, Sigma, SigmaDelta
from .synapse import Conv, DelayDense, Dense, Identity, Injection, Pool, Synapse, fits_8_bits, weight_exponent

if TYPE_CHECKING:
    from ._digest import digest
    from .hdf5 import load, save
    from .quantizer import quantize

_LAZY = {"digest": "_digest", "load": "hdf5", "save": "hdf5", "quantize": "quantizer"}

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
    "Sigma",
    "SigmaDelta",
    "Synapse",
    "WeightWarning",
    "bounds",
    "check_hardware",
    "digest",
    "fits_8_bits",
    "load",
    "problems",
    "quantize",
    "save",
    "weight_exponent",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        from importlib import import_module

        value = getattr(import_module(f".{_LAZY[name]}", __name__), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
