"""Leaky integrate-and-fire with soft reset behind a batch norm per timestep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

import numpy as np

from ...helpers.check import IntArray, int_array, integer
from ..fixed import Ints, decay, per_channel, wrap
from ..ranges import Inflow, Outflow, Range, clip, hull
from ..spec import by
from .base import MAX_LEVELS, State, as_threshold, check_rows, wide_thresholds
from .stepwise import Stepwise, stepwise_example


@dataclass(frozen=True, eq=False)
class SoftLIF(Stepwise):
    r"""Leaky integrate-and-fire with soft reset behind a batch norm per timestep ([VicenteSola2022], Eq 3 and 4, BNTT).

    .. math::
        H = D(V, dv) + x, \quad z = A\,[H > \theta], \quad V \leftarrow H - \theta\,[H > \theta]

    with x of :class:`~lava_mlsnn.graph.neurons.stepwise.Stepwise` and the 12-bit decay
    D(v, d) = sign(v) ((abs(v) (4096 - d)) >> 12) of Lava's LIF. The comparison is strict, as in the authors' code and
    in Lava, unless ``strict`` is 0: then it is >=, as Eq 4 prints it.

    Args:
        scale, shift, offset: see :class:`~lava_mlsnn.graph.neurons.stepwise.Stepwise`.
        threshold: theta >= 1, int32 () or (C,).
        dv: decay in 0 .. 4096; 0 is no leak, 4096 keeps nothing.
        amplitude: A >= 1, the value of a spike: more than one where graded spikes are added to it (S2S residuals).
        strict: 1, or 0 for neurons that fire at the threshold itself.
    """

    kind: ClassVar[str] = "soft_lif"
    state: ClassVar[tuple[str, ...]] = ("v",)
    state_words: ClassVar[int | None] = 2
    most_charged: ClassVar[float] = 1.0
    threshold: IntArray = field(metadata=by(as_threshold))
    dv: int = field(default=0, metadata=by(partial(integer, low=0, high=4096)))
    amplitude: int = field(default=1, metadata=by(partial(integer, low=1, high=MAX_LEVELS)))
    strict: int = field(default=1, metadata=by(partial(integer, low=0, high=1)))

    @classmethod
    def example(cls, channels: int = 3, timesteps: int = 1) -> SoftLIF:
        return cls(*stepwise_example(channels, timesteps), threshold=int_array(8, "threshold"), dv=516, amplitude=2)

    def step(
        self, state: State, current: Any, bias: IntArray | None = None, channel_axis: int = -3, t: int = 0
    ) -> tuple[Ints, dict[str, Ints]]:
        h = wrap(decay(state["v"], self.dv) + self.scaled(current, bias, channel_axis, t)).astype(np.int64)
        theta = per_channel(self.threshold, np.ndim(current), channel_axis)
        fired = h > theta if self.strict else h >= theta
        return wrap(fired * self.amplitude), {"v": wrap(h - fired * theta)}

    def ranges(self, inflow: Inflow) -> Outflow:
        """H in any step: V is below the threshold, or what one threshold less leaves of a larger H."""
        current, keep = inflow.current, 1 - self.dv / 4096
        theta = np.broadcast_to(self.threshold, current.high.shape).astype(np.float64)
        low, high = np.zeros_like(current.low), np.zeros_like(current.high)
        reached = []
        for t in range(inflow.steps):
            x = self.scaled_range(current, t)
            low, high = clip(keep * low + x.low, keep * high + x.high)
            reached.append(Range(low, high))
            low, high = np.minimum(low, 0.0), np.maximum(np.minimum(high, theta), high - theta)
            high = np.maximum(high, 0.0)
        spike = Range(np.zeros_like(current.low), np.full_like(current.high, self.amplitude))
        return Outflow(hull(reached), spike)

    @property
    def largest_spike(self) -> int:
        return self.amplitude

    @property
    def charged_as(self) -> float:
        """One: all its spikes have the same value, so each is an addition of a weight times that value."""
        return 1

    @property
    def leaky(self) -> bool:
        return 0 < self.dv < 4096

    def check_population(self, channels: int) -> None:
        super().check_population(channels)
        if self.threshold.ndim:
            check_rows(self.kind, "thresholds", len(self.threshold), channels)

    def unfit(self, bias: IntArray | None) -> Iterator[tuple[int | None, str]]:
        return wide_thresholds(self.threshold)
