"""When the layers of a network reset and start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Timing:
    """When a layer resets and starts.

    Args:
        reset_interval: steps between resets, None for none.
        reset_offset: phase of the first layer's reset, as in NetX.
        depth: of the layer.
        period: T, for parameters that differ from step to step.
    """

    reset_interval: int | None
    reset_offset: int
    depth: int
    period: int = 1

    @property
    def reset(self) -> dict[str, Any]:
        """Arguments of a Process that can reset: Lava counts steps from 1."""
        return {"reset_interval": self.reset_interval, "reset_offset": self.reset_offset + 1 + self.depth}

    @property
    def gated(self) -> dict[str, Any]:
        """The same for a Process that waits for the first input to reach its depth."""
        return {**self.reset, "start": self.depth + 1}
