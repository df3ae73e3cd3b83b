"""Lava Processes: neurons and whole networks that run in Lava with the engine's integers, and probes to watch them."""

from __future__ import annotations

from ..lava_compat.runtime import GuardedRuntime, Process, ProcessError
from .barrier.process import Barrier
from .build import NetworkLayer
from .conv.process import GroupedConv, Identity, Pool
from .delay.process import Delay
from .dense.process import WideDense
from .multilevel.process import MultiLevel
from .network.process import Network
from .probe.process import ActivityProbe, Monitor
from .readout.process import Readout
from .relay.process import Relay
from .scheduled.process import Scheduled, Staircase
from .sdn.process import ResetDelta, ResetSigma, ResetSigmaDelta
from .simulate import SimCfg, run, simulate
from .sink.process import Sink
from .soft_lif.process import Rescale, SoftLIF
from .source.process import Source

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
    "Process",
    "ProcessError",
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
