"""Loihi 2 without a chip at hand: will a NetGraph fit, on how many cores, and how long may a timestep take."""

from .fit import Fit, LayerFit, fit
from .limits import LOIHI2, SOURCES, Chip
from .partition import Part, partition
from .timing import ESTIMATE, LayerTime, StepTime, Timing, step_range, step_time

__all__ = [
    "ESTIMATE",
    "LOIHI2",
    "SOURCES",
    "Chip",
    "Fit",
    "LayerFit",
    "LayerTime",
    "Part",
    "StepTime",
    "Timing",
    "fit",
    "partition",
    "step_range",
    "step_time",
]
