"""Any quantization in one step, by a list of thresholds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from ...helpers.check import IntArray, int_array
from ..fixed import Ints, per_channel, wrap
from ..ranges import Inflow, Outflow, Range
from ..spec import by
from .base import MAX_LEVELS, Neuron, State, as_threshold_table, check_rows, driven, wide_thresholds


def _ascending(value: Any, what: str) -> IntArray:
    table = as_threshold_table(value, what)
    if table.shape[1] > MAX_LEVELS:
        raise ValueError(f"{what}: expected at most {MAX_LEVELS} levels, got {table.shape[1]}")
    if (np.diff(table.astype(np.int64), axis=1) < 0).any():
        raise ValueError(f"{what}: expected ascending rows, got {table.tolist()}")
    return table


@dataclass(frozen=True, eq=False)
class Staircase(Neuron):
    r"""Any quantization in one step, without memory: the exact form of ATIF-nu that graded spikes make possible.

    .. math:: H = a + b, \quad z = \sum_{n = 1}^{N} [H \ge c_n]

    Args:
        thresholds: 1 <= c_1 <= ... <= c_N, int32 (C, N), or (1, N) for the same in all channels.
    """

    kind: ClassVar[str] = "staircase"
    state_words: ClassVar[int | None] = 1
    thresholds: IntArray = field(metadata=by(_ascending))

    @classmethod
    def example(cls, channels: int = 3, timesteps: int = 1) -> Staircase:
        return cls(int_array([[5, 12, 30, 31]], "thresholds"))

    def step(
        self, state: State, current: Any, bias: IntArray | None = None, channel_axis: int = -3, t: int = 0
    ) -> tuple[Ints, dict[str, Ints]]:
        h = wrap(driven(current, bias, channel_axis))
        steps = [h >= per_channel(column, np.ndim(current), channel_axis) for column in self.thresholds.T]
        return np.sum(steps, axis=0, dtype=np.int32), {}

    def ranges(self, inflow: Inflow) -> Outflow:
        current = inflow.current
        passed = (current.high[:, None] >= self.thresholds).sum(axis=1)
        return Outflow(current.with_zero(), Range(np.zeros_like(current.low), passed.astype(np.float64)).with_zero())

    @property
    def levels(self) -> int:
        """N, the largest value of a spike."""
        return int(self.thresholds.shape[1])

    @property
    def largest_spike(self) -> int:
        return self.levels

    @property
    def table_words(self) -> int:
        return self.levels

    def check_population(self, channels: int) -> None:
        check_rows(self.kind, "thresholds", len(self.thresholds), channels)

    def unfit(self, bias: IntArray | None) -> Iterator[tuple[int | None, str]]:
        return wide_thresholds(self.thresholds)
