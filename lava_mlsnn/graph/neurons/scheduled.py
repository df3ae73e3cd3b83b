"""Multi-level integrate-and-fire whose threshold changes over time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from ...helpers.check import IntArray, int_array
from ..fixed import Ints, per_channel
from ..ranges import Inflow, Outflow
from ..spec import by
from .base import Neuron, State, as_levels, as_threshold_table, check_rows, driven, wide_thresholds
from .multilevel import fire, fire_ranges


@dataclass(frozen=True, eq=False)
class Scheduled(Neuron):
    r"""Multi-level integrate-and-fire whose threshold changes from step to step (ATIF-nu, [Castagnetti2023], sec. 3.4).

    .. math::
        H = V + a + b, \quad z = \mathrm{clip}(\lfloor H / \theta_t \rfloor, 0, N), \quad V \leftarrow H - \theta_t z

    Steps t count from the one at which the state of the layer was last zeroed, from 0 to T - 1, then from 0 again;
    without resets, from the first step that is meant for the layer.

    Args:
        levels: N >= 1, the largest value of a spike.
        thresholds: theta >= 1, int32 (C, T), or (1, T) for the same in all channels.
    """

    kind: ClassVar[str] = "scheduled"
    state: ClassVar[tuple[str, ...]] = ("v",)
    state_words: ClassVar[int | None] = 2
    levels: int = field(metadata=by(as_levels))
    thresholds: IntArray = field(metadata=by(as_threshold_table))

    @classmethod
    def example(cls, channels: int = 3, timesteps: int = 1) -> Scheduled:
        return cls(3, int_array(np.arange(channels * timesteps).reshape(channels, -1) * 5 + 9, "thresholds"))

    def step(
        self, state: State, current: Any, bias: IntArray | None = None, channel_axis: int = -3, t: int = 0
    ) -> tuple[Ints, dict[str, Ints]]:
        theta = per_channel(self.thresholds[:, t % self.table_words], np.ndim(current), channel_axis)
        return fire(self.levels, theta, state["v"], driven(current, bias, channel_axis))

    def ranges(self, inflow: Inflow) -> Outflow:
        smallest, largest = (
            np.broadcast_to(theta, inflow.current.high.shape).astype(np.float64)
            for theta in (self.thresholds.min(axis=1), self.thresholds.max(axis=1))
        )
        return fire_ranges(self.levels, smallest, largest, inflow)

    @property
    def largest_spike(self) -> int:
        return self.levels

    @property
    def table_words(self) -> int:
        return int(self.thresholds.shape[1])

    def check_population(self, channels: int) -> None:
        check_rows(self.kind, "thresholds", len(self.thresholds), channels)

    def check_steps(self, timesteps: int) -> None:
        if self.table_words != timesteps:
            raise ValueError(f"thresholds of {self.table_words} steps: expected T = {timesteps}")

    def shorten(self, timesteps: int) -> Scheduled:
        return replace(self, thresholds=self.thresholds[:, :timesteps])

    def unfit(self, bias: IntArray | None) -> Iterator[tuple[int | None, str]]:
        return wide_thresholds(self.thresholds)
