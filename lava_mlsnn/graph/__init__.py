"""The NetGraph, the integer network that every engine computes, and everything that is known of its parts."""

from __future__ import annotations

from . import neurons as _neurons
from . import synapses as _synapses
from .activity import Activity
from .bounds import Bounds, bounds
from .digest import digest
from .errors import NetFileError, StockWarning, WeightWarning
from .graph import INPUT, Connection, Input, Layer, NetGraph, require_graph
from .hardware import check_hardware, problems, unproven
from .neurons import *  # noqa: F403
from .part import part
from .shorten import shorten
from .synapses import *  # noqa: F403

__all__ = [
    *_neurons.__all__,
    *_synapses.__all__,
    "INPUT",
    "Activity",
    "Bounds",
    "Connection",
    "Input",
    "Layer",
    "NetFileError",
    "NetGraph",
    "StockWarning",
    "WeightWarning",
    "bounds",
    "check_hardware",
    "digest",
    "part",
    "problems",
    "require_graph",
    "shorten",
    "unproven",
]
