"""Synapse kinds, one file each: weights, the exact linear map, and what chips, files and prices need."""

from __future__ import annotations

from .base import SYNAPSES, Synapse, Window, fits_8_bits, weight_exponent
from .conv import Conv
from .delay_dense import MAX_DELAY, DelayDense
from .dense import Dense
from .identity import Identity
from .injection import Injection
from .pool import Pool
from .unflatten import Unflatten

__all__ = [
    "MAX_DELAY",
    "SYNAPSES",
    "Conv",
    "DelayDense",
    "Dense",
    "Identity",
    "Injection",
    "Pool",
    "Synapse",
    "Unflatten",
    "Window",
    "fits_8_bits",
    "weight_exponent",
]
