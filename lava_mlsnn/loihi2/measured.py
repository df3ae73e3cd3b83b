"""Totals that were measured on Loihi 2 silicon and are public: to compare with, not to fit prices of operations to.

Each is one point of a whole network with its input and output; no price per operation follows from it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

_PLACE = "output kept in lava-dl, tutorials/lava/lib/dl/netx/{}/benchmark.ipynb"


@dataclass(frozen=True)
class Measured:
    """One public benchmark.

    Args:
        network: what ran.
        cores: neuro cores.
        steps: timesteps of a sample.
        samples_per_second: throughput.
        power: watts in all.
        static: watts of an idle chip, measured beside it.
        energy: joules of a sample, static power included.
        source: where it was read.
        note: what to know of it.
    """

    network: str
    cores: int
    steps: int
    samples_per_second: float
    power: float
    static: float
    energy: float
    source: str
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready content."""
        return {**asdict(self), "step": self.step}

    @property
    def step(self) -> float:
        """Seconds of a timestep."""
        return 1.0 / (self.samples_per_second * self.steps)


MEASURED = (
    Measured(
        "PilotNet, LIF",
        74,
        16,
        408.91,
        0.679,
        0.232,
        1.661e-3,
        _PLACE.format("pilotnet_snn"),
        "0.447 W dynamic: 1.094 mJ of a frame",
    ),
    Measured(
        "PilotNet, sigma-delta",
        61,
        1,
        16.87,
        0.276,
        0.282,
        16.3e-3,
        _PLACE.format("pilotnet_sdnn"),
        "waits for its input (another version of the output says 11.18 per second); dynamic power below the noise",
    ),
)
"""Every public benchmark with power and time that this project knows."""
