"""NIR as its specification has it, stepped by forward Euler."""

from .base import Dialect

NIR = Dialect("nir")
