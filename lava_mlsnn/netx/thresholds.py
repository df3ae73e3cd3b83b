"""Neurons whose quantisation is not uniform (paper 003): thresholds that change over time, and many at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .neuron import MAX_LEVELS, NEURONS, Neuron
from .spec import IntArray, int_array, positive_ints


@dataclass(frozen=True, eq=False)
class Scheduled(Neuron):
    r"""Multi-level integrate-and-fire whose threshold changes from step to step (ATIF-nu, paper 003, section 3.4).

    .. math::
        H = V + a + b, \quad z = \mathrm{clip}(\lfloor H / \theta_t \rfloor, 0, N), \quad V \leftarrow H - \theta_t z

    Steps t count from the one at which the state of the layer was last zeroed, from 0 to T - 1, then from 0 again;
    without resets, from the first step that is meant for the layer.

    Args:
        levels: N >= 1, the largest value of a spike.
        thresholds: theta >= 1, int32 (C, T), or (1, T) for the same in all channels.
    """

    kind: ClassVar[str] = "scheduled"
    levels: int
    thresholds: IntArray

    def __post_init__(self) -> None:
        (levels,) = positive_ints(self.levels, "levels", 1)
        if levels > MAX_LEVELS:
            raise ValueError(f"levels: expected at most {MAX_LEVELS}, got {levels}")
        object.__setattr__(self, "levels", levels)
        object.__setattr__(self, "thresholds", _table(self.thresholds, self.kind, "T"))

    def message_bound(self, input_bound: int) -> int:
        return self.levels

    def check_population(self, channels: int) -> None:
        _check_channels(self.kind, self.thresholds, channels)

    def check_steps(self, timesteps: int) -> None:
        if self.thresholds.shape[1] != timesteps:
            raise ValueError(f"thresholds of {self.thresholds.shape[1]} steps: expected T = {timesteps}")


@dataclass(frozen=True, eq=False)
class Staircase(Neuron):
    r"""Any quantisation in one step, without memory: the exact form of ATIF-nu that graded spikes make possible.

    .. math:: H = a + b, \quad z = \sum_{n = 1}^{N} [H \ge c_n]

    Args:
        thresholds: 1 <= c_1 <= ... <= c_N, int32 (C, N), or (1, N) for the same in all channels.
    """

    kind: ClassVar[str] = "staircase"
    thresholds: IntArray

    def __post_init__(self) -> None:
        table = _table(self.thresholds, self.kind, "N")
        if table.shape[1] > MAX_LEVELS:
            raise ValueError(f"staircase thresholds: expected at most {MAX_LEVELS} levels, got {table.shape[1]}")
        if (np.diff(table.astype(np.int64), axis=1) < 0).any():
            raise ValueError(f"staircase thresholds: expected ascending rows, got {table.tolist()}")
        object.__setattr__(self, "thresholds", table)

    @property
    def levels(self) -> int:
        """N, the largest value of a spike."""
        return int(self.thresholds.shape[1])

    def message_bound(self, input_bound: int) -> int:
        return self.levels

    def check_population(self, channels: int) -> None:
        _check_channels(self.kind, self.thresholds, channels)


NEURONS.update({c.kind: c for c in (Scheduled, Staircase)})


def _table(value: IntArray, kind: str, columns: str) -> IntArray:
    """(C, columns), or (1, columns) where all channels are the same: one form for one meaning."""
    table = int_array(value, f"{kind} thresholds", 2)
    if table.size == 0 or table.min() < 1:
        raise ValueError(f"{kind} thresholds: expected integers >= 1, int32 (C, {columns}), got {table.tolist()}")
    return int_array(table[:1], "thresholds") if (table == table[:1]).all() else table


def _check_channels(kind: str, table: IntArray, channels: int) -> None:
    if len(table) not in (1, channels):
        raise ValueError(f"a {kind} neuron with thresholds of {len(table)} channels: expected 1 or {channels}")
