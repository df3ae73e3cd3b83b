"""Neuron kinds, one file each: parameters, equations, the reference step, and what chips, files and prices need."""

from __future__ import annotations

from .barrier import Barrier
from .base import MAX_LEVELS, NEURONS, Neuron, State
from .cuba_lif import CubaLIF
from .delta import SDN_MODELS, Delta
from .late import Late
from .lif import LIF
from .multilevel import MultiLevel
from .readout import Readout
from .relay import Relay
from .rescale import Rescale
from .resonator import Resonator
from .scheduled import Scheduled
from .sigma import Sigma
from .sigma_delta import SigmaDelta
from .soft_lif import SoftLIF
from .staircase import Staircase
from .stepwise import MAX_MANTISSA, MAX_SHIFT, Stepwise

__all__ = [
    "LIF",
    "MAX_LEVELS",
    "MAX_MANTISSA",
    "MAX_SHIFT",
    "NEURONS",
    "SDN_MODELS",
    "Barrier",
    "CubaLIF",
    "Delta",
    "Late",
    "MultiLevel",
    "Neuron",
    "Readout",
    "Relay",
    "Rescale",
    "Resonator",
    "Scheduled",
    "Sigma",
    "SigmaDelta",
    "SoftLIF",
    "Staircase",
    "State",
    "Stepwise",
]
