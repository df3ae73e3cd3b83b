"""Neurons for training: a functional core and SLAYER modules over it.

``functional`` holds the pure functions, ``surrogate`` the gradients by name.
"""

from __future__ import annotations

from . import functional, surrogate
from .atif import ATIF
from .barrier import Barrier
from .base import GradedNeuron
from .checks import GRADS
from .leaky import LIF, PLIF, Leak, SoftLIF
from .multilevel import MultiLevel

__all__ = [
    "ATIF",
    "GRADS",
    "LIF",
    "PLIF",
    "Barrier",
    "GradedNeuron",
    "Leak",
    "MultiLevel",
    "SoftLIF",
    "functional",
    "surrogate",
]
