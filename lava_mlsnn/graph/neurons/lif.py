"""Lava's leaky integrate-and-fire neuron (CUBA)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

import numpy as np

from ...helpers.check import IntArray, integer
from ..fixed import Ints, decay, per_channel, wrap
from ..ranges import Inflow, Outflow, Range, geometric
from ..spec import by
from .base import Neuron, State, as_each, check_each

VTH_MAX = 2**17 - 1
"""Largest threshold mantissa on the chip: 17 bits."""

BIAS_LIMITS = (-(2**12), 2**12 - 1)
"""Biases on the chip: 13 signed bits."""


@dataclass(frozen=True, eq=False)
class LIF(Neuron):
    r"""Lava's fixed-point leaky integrate-and-fire neuron (lava.proc.lif, fixed_pt), binary, hard reset.

    .. math::
        u \leftarrow \mathrm{wrap}_{24}(D(u, du + 1) + 64 a), \quad
        v \leftarrow \mathrm{clip}(D(v, dv) + u + b\,2^{bias\_exp}), \quad
        z = [v > 64\, vth], \quad v \leftarrow 0 \text{ where } z

    with the decay D(x, d) = sign(x) ((|x| (4096 - d)) >> 12), clip to +-(2**23 - 1), and the single asymmetric wrap of
    Lava for u above 2**23 or at or below -2**23. Threshold and decays are one integer, or one per channel, (C,).

    Args:
        vth: threshold mantissa, 17 bits on hardware.
        du, dv: decays, 12 bits: du in -1 .. 4095 (Lava adds one), dv in 0 .. 4096. NetX: du = iDecay - 1, dv = vDecay.
        bias_exp: the layer's bias is multiplied by 2**bias_exp.
    """

    kind: ClassVar[str] = "lif"
    state: ClassVar[tuple[str, ...]] = ("u", "v")
    gated: ClassVar[bool] = False
    state_words: ClassVar[int | None] = 2
    stock_blocks: ClassVar[tuple[str, ...]] = ("input", "conv", "dense", "dense_rec")
    vth: int | IntArray = field(metadata=by(partial(as_each, low=0, high=2**24)))
    du: int | IntArray = field(default=4095, metadata=by(partial(as_each, low=-1, high=4095)))
    dv: int | IntArray = field(default=4096, metadata=by(partial(as_each, low=0, high=4096)))
    bias_exp: int = field(default=6, metadata=by(partial(integer, low=0, high=7)))

    @classmethod
    def example(cls, channels: int = 3, timesteps: int = 1) -> LIF:
        return cls(40, 1024, 128)

    def step(
        self, state: State, current: Any, bias: IntArray | None = None, channel_axis: int = -3, t: int = 0
    ) -> tuple[Ints, dict[str, Ints]]:
        limit, ndim = 1 << 23, np.ndim(current)
        vth, du, dv = (per_channel(x, ndim, channel_axis) for x in (self.vth, self.du, self.dv))
        activation = wrap(np.asarray(current, np.int64) << 6)
        u = wrap(decay(state["u"], du + 1) + activation).astype(np.int64)
        u = np.where(u > limit, u - 2 * limit, np.where(u <= -limit, u + 2 * limit, u))
        scaled_bias = wrap(per_channel(bias, ndim, channel_axis) << self.bias_exp)
        v = wrap(decay(state["v"], dv) + u + scaled_bias)
        v = np.clip(v, -limit + 1, limit - 1)
        z = v > vth << 6
        return z.astype(np.int32), {"u": wrap(u), "v": np.where(z, 0, v).astype(np.int32)}

    def ranges(self, inflow: Inflow) -> Outflow:
        """The membrane is the current u: v saturates."""
        current = inflow.current
        u = inflow.accumulated.scale(64 * geometric(1 - (np.asarray(self.du) + 1) / 4096, inflow.steps))
        return Outflow(u, Range(np.zeros_like(current.low), np.ones_like(current.high)))

    @property
    def largest_spike(self) -> int:
        return 1

    @property
    def leaky(self) -> bool:
        dv, du = np.asarray(self.dv), np.asarray(self.du)
        return bool(np.any((dv > 0) & (dv < 4096)) or np.any(du < 4095))

    @property
    def uniform(self) -> bool:
        """Whether all channels have the same threshold and decays."""
        return not any(np.ndim(values) for values in (self.vth, self.du, self.dv))

    @property
    def table_words(self) -> int:
        """Words of the parameters that differ between channels."""
        return sum(np.ndim(values) for values in (self.vth, self.du, self.dv))

    def check_population(self, channels: int) -> None:
        check_each(self, channels, "vth", "du", "dv")

    def unfit(self, bias: IntArray | None) -> Iterator[tuple[int | None, str]]:
        if (highest := np.max(self.vth)) > VTH_MAX:
            yield None, f"threshold {highest} exceeds 17 bits ({VTH_MAX})"
        if bias is not None:
            low, high = BIAS_LIMITS
            excess = np.maximum(bias.astype(np.int64) - high, low - bias.astype(np.int64))
            if excess.max() > 0:
                worst = np.unravel_index(int(excess.argmax()), excess.shape)
                yield int(worst[0]), f"bias {bias[worst]} exceeds 13 bits ({low} .. {high})"

    def stock_keys(self) -> dict[str, Any] | None:
        if self.bias_exp != 6:
            return None
        keys = {"type": "CUBA", "iDecay": self.du + 1, "vDecay": self.dv, "vThMant": self.vth}
        return {**keys, "refDelay": 1, "gradedSpike": False}
