"""A current behind a batch norm per timestep, sent as a graded message."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

import numpy as np

from ...helpers.check import IntArray, integer
from ..fixed import Ints, wrap
from ..ranges import Inflow, Outflow, Range, hull
from ..spec import INT24_MAX, by
from .base import State
from .stepwise import Stepwise, stepwise_example


@dataclass(frozen=True, eq=False)
class Rescale(Stepwise):
    r"""No dynamics: a current behind a batch norm per timestep, sent as a graded message.

    .. math:: z = \mathrm{clip}(x, -L, L)

    with x of :class:`~lava_mlsnn.graph.neurons.stepwise.Stepwise`. It carries what is no spike: the 1x1 convolution of
    a residual path ([VicenteSola2022], Eq 13) and the postsynaptic potentials of V2V residuals (Eq 15).

    Args:
        scale, shift, offset: see :class:`~lava_mlsnn.graph.neurons.stepwise.Stepwise`.
        limit: L >= 1, the largest message.
    """

    kind: ClassVar[str] = "rescale"
    signed: ClassVar[bool] = True
    state_words: ClassVar[int | None] = 1
    sends_values: ClassVar[bool] = True
    limit: int = field(default=127, metadata=by(partial(integer, low=1, high=INT24_MAX)))

    @classmethod
    def example(cls, channels: int = 3, timesteps: int = 1) -> Rescale:
        return cls(*stepwise_example(channels, timesteps), limit=9)

    def step(
        self, state: State, current: Any, bias: IntArray | None = None, channel_axis: int = -3, t: int = 0
    ) -> tuple[Ints, dict[str, Ints]]:
        return wrap(np.clip(self.scaled(current, bias, channel_axis, t), -self.limit, self.limit)), {}

    def ranges(self, inflow: Inflow) -> Outflow:
        x = hull([self.scaled_range(inflow.current, t) for t in range(self.columns)])
        sent = Range(np.maximum(x.low, -self.limit), np.minimum(x.high, self.limit))
        return Outflow(x, sent.with_zero())

    @property
    def largest_spike(self) -> int:
        return self.limit
