"""Lava's sigma-delta neuron."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ...helpers.check import IntArray
from ..fixed import Ints, per_channel, wrap
from ..ranges import Inflow, Outflow, Range
from .base import State
from .delta import Encoder


@dataclass(frozen=True, eq=False)
class SigmaDelta(Encoder):
    r"""Lava's fixed-point sigma-delta neuron with ReLU (lava.proc.sdn, fixed_pt).

    .. math:: \sigma \leftarrow \sigma + a, \quad x = \max(\sigma + b\,2^{spike\_exp + state\_exp}, 0)

    then the delta encoding of :class:`~lava_mlsnn.graph.neurons.delta.Delta` (x is not shifted again). Its energy is
    that of the encoder and one more word of state, sigma, to which the events of the synapses add.
    """

    kind: ClassVar[str] = "sigma_delta"
    state: ClassVar[tuple[str, ...]] = ("sigma", "act", "residue")
    state_words: ClassVar[int | None] = 6
    updated_words: ClassVar[int] = 3
    stock_blocks: ClassVar[tuple[str, ...]] = ("conv", "dense")

    @classmethod
    def example(cls, channels: int = 3, timesteps: int = 1) -> SigmaDelta:
        return cls(1, 3, 2)

    def step(
        self, state: State, current: Any, bias: IntArray | None = None, channel_axis: int = -3, t: int = 0
    ) -> tuple[Ints, dict[str, Ints]]:
        sigma = wrap(state["sigma"] + np.asarray(current, np.int64))
        scaled_bias = wrap(per_channel(bias, np.ndim(current), channel_axis) << self.shift).astype(np.int64)
        z, rest = self.encode(np.maximum(wrap(sigma + scaled_bias), 0), state)
        return z, {"sigma": sigma, **rest}

    def ranges(self, inflow: Inflow) -> Outflow:
        total = inflow.total
        act = Range(np.zeros_like(total.low), total.high + inflow.bias.high * 2.0**self.shift).with_zero()
        return self.encoded_ranges(total, act, inflow.steps)
