"""The integer engine: runs a NetGraph, event by event, with exactly the spikes that Lava computes."""

from __future__ import annotations

from .difference import spikes_difference
from .resume import run_resumable
from .run import Run, run
from .stream import Stream

__all__ = ["Run", "Stream", "run", "run_resumable", "spikes_difference"]
