"""A population that passes on what it receives, one timestep later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ...helpers.check import IntArray
from ..fixed import Ints, wrap
from ..ranges import Inflow, Outflow
from .base import Neuron, State


@dataclass(frozen=True, eq=False)
class Late(Neuron):
    """z(t) = a(t - 1), zero in the first step of a sample: what SLAYER's ``delay_shift`` does to spikes.

    It is a delay that the network computes with, not the time that a layer takes: what is sent in the last step of a
    sample is lost. Energy, derived: that of a relay, and a read and a write of what is held.
    """

    kind: ClassVar[str] = "late"
    state: ClassVar[tuple[str, ...]] = ("held",)
    signed: ClassVar[bool] = True
    has_bias: ClassVar[bool] = False
    state_words: ClassVar[int | None] = 1
    derived: ClassVar[bool] = True
    sends_values: ClassVar[bool] = True

    @classmethod
    def example(cls, channels: int = 3, timesteps: int = 1) -> Late:
        return cls()

    def step(
        self, state: State, current: Any, bias: IntArray | None = None, channel_axis: int = -3, t: int = 0
    ) -> tuple[Ints, dict[str, Ints]]:
        self._no_bias(bias)
        return np.array(state["held"]), {"held": wrap(np.asarray(current, np.int64))}

    def ranges(self, inflow: Inflow) -> Outflow:
        current = inflow.current.with_zero()
        return Outflow(current, current, inflow.total.with_zero())

    @property
    def charged_as(self) -> float | None:
        return None
