"""Simulation or Loihi 2, by one switch: run configurations, adapters, loggers, and a profiler with the chip's names.

Everything for the chip is guarded by the import of Intel's private extension of Lava and **untested on silicon**.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...helpers.lazy import lazy
from .extension import microcode, use_microcode

if TYPE_CHECKING:
    from ..io.process import InputAdapter, OutputAdapter
    from ..profiler import ActivityProfiler
    from .switch import HwCfg, RunLogger, SimCfg, is_available, run, run_config

_LAZY = {
    "ActivityProfiler": "..profiler",
    "HwCfg": ".switch",
    "InputAdapter": "..io.process",
    "OutputAdapter": "..io.process",
    "RunLogger": ".switch",
    "SimCfg": ".switch",
    "is_available": ".switch",
    "run": ".switch",
    "run_config": ".switch",
}
"""Homes of names that are loaded on first use: the neurons' models for the chip import this package."""

__all__ = [
    "ActivityProfiler",
    "HwCfg",
    "InputAdapter",
    "OutputAdapter",
    "RunLogger",
    "SimCfg",
    "is_available",
    "microcode",
    "run",
    "run_config",
    "use_microcode",
]


__getattr__ = lazy(__name__, _LAZY)
