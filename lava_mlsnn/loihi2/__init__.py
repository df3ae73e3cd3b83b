"""Loihi 2 without a chip at hand: will a NetGraph fit, on how many cores, where, and how long may a timestep take."""

from .fit import Fit, LayerFit, fit
from .limits import LOIHI2, SOURCES, Chip
from .measured import MEASURED, Measured
from .partition import Part, partition
from .placement import Placement, place, route
from .timing import ESTIMATE, LayerTime, StepTime, Timing, step_range, step_time
from .traffic import Affine, Traffic, Work, traffic

__all__ = [
    "ESTIMATE",
    "LOIHI2",
    "MEASURED",
    "SOURCES",
    "Affine",
    "Chip",
    "Fit",
    "LayerFit",
    "LayerTime",
    "Measured",
    "Part",
    "Placement",
    "StepTime",
    "Timing",
    "Traffic",
    "Work",
    "fit",
    "partition",
    "place",
    "route",
    "step_range",
    "step_time",
    "traffic",
]
