"""Spiking networks with graded spikes: train them, run them in Lava with the same spikes, count their energy.

The rooms load when they are first used, so ``import lava_mlsnn`` costs nothing and the half that runs networks
(``netx``, ``sim``, ``proc``, ``energy``, ``loihi2``) never loads torch.
"""

from __future__ import annotations

import importlib
import os
import sys
from types import ModuleType
from typing import TYPE_CHECKING

from .helpers import starting
from .helpers.version import __version__ as __version__

if os.path.basename(sys.argv[0] if getattr(sys, "argv", None) else "") == "mlsnn":
    starting.begin()

from .lava_compat import apply

if TYPE_CHECKING:
    from . import analysis, block, data, energy, loihi2, model, netx, neuron, papers, plot, proc, report, sim, train

__all__ = [
    "analysis",
    "block",
    "data",
    "energy",
    "loihi2",
    "model",
    "netx",
    "neuron",
    "papers",
    "plot",
    "proc",
    "report",
    "sim",
    "train",
]

apply()  # before anything imports Lava; loads nothing of it


def __getattr__(name: str) -> ModuleType:
    if name in __all__:
        with starting.interrupts_later():
            return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; its rooms are {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
