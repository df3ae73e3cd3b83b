"""Lava kept alive: mends for current Pythons and numpy, and a runtime that stops when one of its processes dies.

Knows nothing of networks; whoever is stuck on Lava can use it alone: call :func:`apply` before anything imports Lava.
"""

from __future__ import annotations

from .mends import apply

__all__ = ["apply"]
