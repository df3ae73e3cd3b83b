"""Neurons for training: a functional core and SLAYER modules over it.

``functional`` holds the pure functions, ``surrogate`` the gradients by name.
"""

from __future__ import annotations

from . import functional, surrogate
from .barrier import Barrier
from .checks import GRADS
from .multilevel import MultiLevel

__all__ = ["GRADS", "Barrier", "MultiLevel", "functional", "surrogate"]
