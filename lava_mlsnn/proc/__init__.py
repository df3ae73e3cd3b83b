"""Lava Processes: neurons and whole networks that run in Lava with the engine's integers, and probes to watch them."""

from __future__ import annotations

from ..lava_compat import fork as _fork  # noqa: F401  # before anything imports Lava
from ..lava_compat.guarded import Process
from ..lava_compat.runtime import GuardedRuntime, ProcessError
from .io.process import Delay, Sink, Source
from .network.build import NetworkLayer
from .network.process import Network
from .neurons.process import (
    Barrier,
    MultiLevel,
    Population,
    Readout,
    Relay,
    Rescale,
    ResetDelta,
    ResetSigma,
    ResetSigmaDelta,
    Scheduled,
    SoftLIF,
    Staircase,
)
from .probe import ActivityProbe, Monitor
from .simulate import SimCfg, run, simulate
from .synapses.process import GroupedConv, Identity, Pool, Projection, WideDense

__all__ = [
    "ActivityProbe",
    "Barrier",
    "Delay",
    "GroupedConv",
    "GuardedRuntime",
    "Identity",
    "Monitor",
    "MultiLevel",
    "Network",
    "NetworkLayer",
    "Pool",
    "Population",
    "Process",
    "ProcessError",
    "Projection",
    "Readout",
    "Relay",
    "Rescale",
    "ResetDelta",
    "ResetSigma",
    "ResetSigmaDelta",
    "Scheduled",
    "SimCfg",
    "Sink",
    "SoftLIF",
    "Source",
    "Staircase",
    "WideDense",
    "run",
    "simulate",
]
