"""A population without dynamics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ...helpers.check import IntArray
from ..fixed import Ints, wrap
from ..ranges import Inflow, Outflow
from .base import Neuron, State, driven


@dataclass(frozen=True, eq=False)
class Relay(Neuron):
    """No dynamics: z = a + b. It carries the result of a synapse that no neuron follows, such as sum pooling."""

    kind: ClassVar[str] = "relay"
    signed: ClassVar[bool] = True
    state_words: ClassVar[int | None] = 1
    sends_values: ClassVar[bool] = True

    @classmethod
    def example(cls, channels: int = 3, timesteps: int = 1) -> Relay:
        return cls()

    def step(
        self, state: State, current: Any, bias: IntArray | None = None, channel_axis: int = -3, t: int = 0
    ) -> tuple[Ints, dict[str, Ints]]:
        return wrap(driven(current, bias, channel_axis)), {}

    def ranges(self, inflow: Inflow) -> Outflow:
        return Outflow(inflow.current, inflow.current.with_zero())

    @property
    def charged_as(self) -> float | None:
        return None
