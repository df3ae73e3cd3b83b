"""Multi-level integrate-and-fire whose threshold, or drive, changes over time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from ...helpers.check import IntArray, int_array
from ..fixed import Ints, per_channel
from ..ranges import Inflow, Outflow, Range, add
from ..spec import by
from .base import Neuron, State, as_levels, as_threshold_table, check_rows, driven, one_row, wide_thresholds
from .multilevel import fire, fire_ranges


def _offsets(value: Any, what: str) -> IntArray:
    """0, or one row per channel, or one row where all channels are the same."""
    table = int_array(value, what, (0, 2))
    if not table.any():
        return int_array(0, what)
    if not table.ndim:
        raise ValueError(f"{what}: expected 0, or one row of offsets per channel, got {table}")
    return one_row(table, what)


@dataclass(frozen=True, eq=False)
class Scheduled(Neuron):
    r"""Multi-level integrate-and-fire whose threshold changes from step to step (ATIF-nu, [Castagnetti2023], sec. 3.4).

    .. math::
        H = V + a + b + o_t, \quad z = \mathrm{clip}(\lfloor H / \theta_t \rfloor, 0, N), \quad
        V \leftarrow H - \theta_t z

    Steps t count from the one at which the state of the layer was last zeroed, from 0 to T - 1, then from 0 again;
    without resets, from the first step that is meant for the layer.

    Args:
        levels: N >= 1, the largest value of a spike.
        thresholds: theta >= 1, int32 (C, T), or (1, T) for the same in all channels.
        offsets: o, int32 (C, T), or (1, T), or 0 for none. A membrane that starts at half a threshold has it in its
            first step.
    """

    kind: ClassVar[str] = "scheduled"
    state: ClassVar[tuple[str, ...]] = ("v",)
    state_words: ClassVar[int | None] = 2
    levels: int = field(metadata=by(as_levels))
    thresholds: IntArray = field(metadata=by(as_threshold_table))
    offsets: IntArray = field(default=0, metadata=by(_offsets))  # type: ignore[arg-type]

    def validate(self) -> None:
        steps = self.thresholds.shape[1]
        if self.offsets.ndim and self.offsets.shape[1] != steps:
            raise ValueError(
                f"scheduled offsets of {self.offsets.shape[1]} steps: expected those of thresholds, {steps}"
            )

    @classmethod
    def example(cls, channels: int = 3, timesteps: int = 1) -> Scheduled:
        table = np.arange(channels * timesteps).reshape(channels, -1)
        return cls(3, int_array(table * 5 + 9, "thresholds"), int_array(table % 4 * 3, "offsets"))

    def step(
        self, state: State, current: Any, bias: IntArray | None = None, channel_axis: int = -3, t: int = 0
    ) -> tuple[Ints, dict[str, Ints]]:
        column, ndim = t % self.thresholds.shape[1], np.ndim(current)
        theta = per_channel(self.thresholds[:, column], ndim, channel_axis)
        drive = driven(current, bias, channel_axis)
        if self.offsets.ndim:
            drive = drive + per_channel(self.offsets[:, column], ndim, channel_axis)
        return fire(self.levels, theta, state["v"], drive)

    def ranges(self, inflow: Inflow) -> Outflow:
        smallest, largest = (
            np.broadcast_to(theta, inflow.current.high.shape).astype(np.float64)
            for theta in (self.thresholds.min(axis=1), self.thresholds.max(axis=1))
        )
        if self.offsets.ndim:
            ends = [np.broadcast_to(end(self.offsets, axis=1), smallest.shape) for end in (np.min, np.max)]
            inflow = inflow._replace(current=add((inflow.current, Range(*(end.astype(np.float64) for end in ends)))))
        return fire_ranges(self.levels, smallest, largest, inflow)

    @property
    def largest_spike(self) -> int:
        return self.levels

    @property
    def table_words(self) -> int:
        return int(self.thresholds.shape[1]) * (2 if self.offsets.ndim else 1)

    def check_population(self, channels: int) -> None:
        check_rows(self.kind, "thresholds", len(self.thresholds), channels)
        if self.offsets.ndim:
            check_rows(self.kind, "offsets", len(self.offsets), channels)

    def check_steps(self, timesteps: int) -> None:
        if (steps := self.thresholds.shape[1]) != timesteps:
            raise ValueError(f"thresholds of {steps} steps: expected T = {timesteps}")

    def shorten(self, timesteps: int) -> Scheduled:
        offsets = self.offsets[:, :timesteps] if self.offsets.ndim else self.offsets
        return replace(self, thresholds=self.thresholds[:, :timesteps], offsets=offsets)

    def unfit(self, bias: IntArray | None) -> Iterator[tuple[int | None, str]]:
        return wide_thresholds(self.thresholds)
