"""Multi-level integrate-and-fire: the neuron that this library is named for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from ...helpers.check import IntArray, int_array
from ..fixed import Ints, Wide, per_channel, wrap
from ..ranges import Floats, Inflow, Outflow, Range, clip
from ..spec import by
from .base import Neuron, State, as_levels, as_threshold, check_rows, driven, wide_thresholds


@dataclass(frozen=True, eq=False)
class MultiLevel(Neuron):
    r"""Multi-level integrate-and-fire, soft reset, binary for ``levels = 1`` ([Castagnetti2025], section 4.1, Eq 6).

    .. math:: H = V + a + b, \quad z = \mathrm{clip}(\lfloor H / \theta \rfloor, 0, N), \quad V \leftarrow H - \theta z

    Args:
        levels: N >= 1, the largest value of a spike.
        threshold: theta >= 1, int32 () or one per channel (C,).

    Example:
        >>> neuron = MultiLevel(levels=4, threshold=10)
        >>> z, state = neuron.step(neuron.initial_state((1, 1, 3)), np.array([[[25, 99, -5]]]))
        >>> z.tolist(), state["v"].tolist()
        ([[[2, 4, 0]]], [[[5, 59, -5]]])
    """

    kind: ClassVar[str] = "multilevel"
    state: ClassVar[tuple[str, ...]] = ("v",)
    state_words: ClassVar[int | None] = 2
    levels: int = field(metadata=by(as_levels))
    threshold: IntArray = field(metadata=by(as_threshold))

    @classmethod
    def example(cls, channels: int = 3, timesteps: int = 1) -> MultiLevel:
        return cls(4, int_array(np.arange(channels) * 7 + 20, "threshold"))

    def step(
        self, state: State, current: Any, bias: IntArray | None = None, channel_axis: int = -3, t: int = 0
    ) -> tuple[Ints, dict[str, Ints]]:
        theta = per_channel(self.threshold, np.ndim(current), channel_axis)
        return fire(self.levels, theta, state["v"], driven(current, bias, channel_axis))

    def ranges(self, inflow: Inflow) -> Outflow:
        theta = np.broadcast_to(self.threshold, inflow.current.high.shape).astype(np.float64)
        return fire_ranges(self.levels, theta, theta, inflow)

    @property
    def largest_spike(self) -> int:
        return self.levels

    def check_population(self, channels: int) -> None:
        if self.threshold.ndim:
            check_rows(self.kind, "thresholds", len(self.threshold), channels)

    def unfit(self, bias: IntArray | None) -> Iterator[tuple[int | None, str]]:
        return wide_thresholds(self.threshold)


def fire(levels: int, theta: Wide | int, v: Ints, a: Wide) -> tuple[Ints, dict[str, Ints]]:
    """Integrate ``a``, send up to N spikes' worth, keep the rest."""
    h = wrap(v.astype(np.int64) + a).astype(np.int64)
    z = np.clip(h // theta, 0, levels)
    return z.astype(np.int32), {"v": wrap(h - theta * z)}


def fire_ranges(levels: int, smallest: Floats, largest: Floats, inflow: Inflow) -> Outflow:
    """H and z of a soft reset, for thresholds between two per channel.

    What is left over is below one threshold, unless the input exceeds N thresholds per step.
    """
    current, before = inflow.current, inflow.steps - 1
    excess = np.maximum(current.high - levels * smallest, 0)
    left = np.maximum(largest - 1 + (before - 1) * excess, before * excess) if before else np.zeros_like(smallest)
    high = current.high + np.minimum(left, before * np.maximum(current.high, 0))
    low = current.low + before * np.minimum(current.low, 0)
    fired = np.clip(np.floor_divide(high, smallest), 0, levels)
    return Outflow(clip(low, high), Range(np.zeros_like(high), fired).with_zero())
