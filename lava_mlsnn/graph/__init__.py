"""The NetGraph, the integer network that every engine computes, and everything that is known of its parts."""

from __future__ import annotations

from .activity import Activity
from .bounds import Bounds, bounds
from .digest import digest
from .errors import NetFileError, StockWarning, WeightWarning
from .graph import INPUT, Connection, Input, Layer, NetGraph, require_graph
from .hardware import check_hardware, problems
from .neurons import (
    LIF,
    NEURONS,
    Barrier,
    CubaLIF,
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
from .part import part
from .shorten import shorten
from .synapses import (
    SYNAPSES,
    Conv,
    DelayDense,
    Dense,
    Identity,
    Injection,
    Pool,
    Synapse,
    fits_8_bits,
    weight_exponent,
)

__all__ = [
    "INPUT",
    "LIF",
    "NEURONS",
    "SYNAPSES",
    "Activity",
    "Barrier",
    "Bounds",
    "Connection",
    "Conv",
    "CubaLIF",
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
    "StockWarning",
    "Synapse",
    "WeightWarning",
    "bounds",
    "check_hardware",
    "digest",
    "fits_8_bits",
    "part",
    "problems",
    "require_graph",
    "shorten",
    "weight_exponent",
]
