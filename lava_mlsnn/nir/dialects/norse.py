"""norse 1.1: ``norse.torch.utils.export_nir``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .base import Dialect


@dataclass(frozen=True)
class Norse(Dialect):
    """Time constants are written as dt / tau_inv, which is dt times what NIR wants; norse's importer reads seconds."""

    def for_graph(self, nodes: dict[str, Any], given: dict[str, Any]) -> Dialect:
        if "tau_unit" in given:
            return self
        taus = [getattr(node, key) for node in nodes.values() for key in ("tau", "tau_mem") if hasattr(node, key)]
        seconds = bool(taus) and min(float(np.min(tau)) for tau in taus) >= self.dt
        return self if seconds else replace(self, tau_unit=1 / self.dt)


NORSE = Norse("norse", dt=1e-3, start="leak", synapse_gain="one", if_gain="one", open=("dt", "tau_unit"))
"""``IAFCell`` adds its input whole; ``LIFCell`` its input to the current, for which the file's w_in stands."""
