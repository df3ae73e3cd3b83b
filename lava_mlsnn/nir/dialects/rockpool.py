"""Rockpool 3: ``rockpool.nn.modules.torch.nir``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .base import Dialect


@dataclass(frozen=True)
class Rockpool(Dialect):
    """r is written as tau exp(-dt / tau) / dt, which says dt."""

    def for_graph(self, nodes: dict[str, Any], given: dict[str, Any]) -> Dialect:
        if "dt" in given:
            return self
        for node in nodes.values():
            tau = getattr(node, "tau_mem", getattr(node, "tau", None))
            if tau is not None and hasattr(node, "r") and np.size(tau) and np.size(node.r) == np.size(tau):
                found = _steps_per_tau(float(np.ravel(node.r)[0]))
                return replace(self, dt=float(f"{float(np.ravel(tau)[0]) / found:.5g}")) if found else self
        return self


def _steps_per_tau(r: float) -> float | None:
    """x = tau / dt of x exp(-1 / x) = r, by Newton's method.

    Example:
        >>> round(_steps_per_tau(19.024587631), 4)
        20.0
    """
    if not np.isfinite(r) or r <= 0:
        return None
    x = r + 1
    for _ in range(50):
        e = np.exp(-1 / x)
        x -= (x * e - r) / (e * (1 + 1 / x))
        if x <= 0:
            return None
    return float(x)


ROCKPOOL = Rockpool(
    "rockpool",
    dt=1e-3,
    fires=">=",
    reset="soft",
    max_spikes=2**16,
    leak="exp",
    gain="one",
    synapse_gain="keep",
    readout_gain="keep",
    open=("dt", "max_spikes"),
)
"""The current decays after the input was added to it. A bias of the neurons is not in the file."""
