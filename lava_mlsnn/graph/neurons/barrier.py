"""The barrier neuron behind a residual sum."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from ...helpers.check import IntArray
from ..fixed import Ints
from ..ranges import Inflow, Outflow
from ..spec import by
from .base import Neuron, State, as_levels, driven
from .multilevel import fire, fire_ranges


@dataclass(frozen=True, eq=False)
class Barrier(Neuron):
    r"""Barrier neuron behind a residual sum ([Castagnetti2025], sec. 4.4): a multi-level neuron whose threshold is one.

    .. math:: H = V + a, \quad z = \mathrm{clip}(H, 0, N), \quad V \leftarrow H - z

    Its input is the sum of integer spikes, so one unit of input is one unit of output. It has no bias.
    """

    kind: ClassVar[str] = "barrier"
    state: ClassVar[tuple[str, ...]] = ("v",)
    has_bias: ClassVar[bool] = False
    state_words: ClassVar[int | None] = 1
    updates_as: ClassVar[str] = "barrier"
    levels: int = field(metadata=by(as_levels))

    @classmethod
    def example(cls, channels: int = 3, timesteps: int = 1) -> Barrier:
        return cls(4)

    def step(
        self, state: State, current: Any, bias: IntArray | None = None, channel_axis: int = -3, t: int = 0
    ) -> tuple[Ints, dict[str, Ints]]:
        self._no_bias(bias)
        return fire(self.levels, 1, state["v"], driven(current, None, channel_axis))

    def ranges(self, inflow: Inflow) -> Outflow:
        one = np.ones_like(inflow.current.high)
        return fire_ranges(self.levels, one, one, inflow)

    @property
    def largest_spike(self) -> int:
        return self.levels
