"""Lava's resonate-and-fire neurons: a damped oscillator that two currents drive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...helpers.check import IntArray, flag, int_array, integer
from ..fixed import Ints, Wide, per_channel, wrap
from ..ranges import Inflow, Outflow, Range
from ..spec import INT24_MAX, by
from .base import Neuron, State, as_each, check_each
from .lif import VTH_MAX

MAX_FACTOR = 2**15 - 1
"""Largest sine or cosine: 12 places behind the point, so 8 times what keeps the amplitude."""

as_factor = partial(as_each, low=-MAX_FACTOR, high=MAX_FACTOR)


@dataclass(frozen=True, eq=False)
class Resonator(Neuron):
    r"""Lava's fixed-point resonate-and-fire neurons (lava.proc.rf and rf_iz, fixed_pt), binary.

    .. math::
        x' = \mathrm{clip}(M(x, \cos) - M(y, \sin) + 64 a), \quad
        y' = \mathrm{clip}(M(x, \sin) + M(y, \cos) + 64 a')

    with M(x, f) = sign(x f) (abs(x f) >> 12), clip to +-(2**23 - 1), and the two currents a and a' of each neuron. It
    fires when its phase passes zero, :math:`z = [x' \ge 64\, vth][y' \ge 0][y < 0]`, and is not reset; the neuron of
    Izhikevich fires at :math:`y' \ge 64\, vth`, then x is 0 and y is 64 vth - 1.

    Args:
        vth: threshold mantissa, 17 bits on hardware.
        sin_decay, cos_decay: sine and cosine of the angle per step, times the amplitude that a step leaves, in units of
            2**-12; one integer, or one per channel, (C,).
        izhikevich: whether it is the neuron of Izhikevich.
    """

    kind: ClassVar[str] = "resonator"
    state: ClassVar[tuple[str, ...]] = ("real", "imag")
    gated: ClassVar[bool] = False
    has_bias: ClassVar[bool] = False
    currents: ClassVar[int] = 2
    state_words: ClassVar[int | None] = 2
    priced: ClassVar[bool] = False
    stock_blocks: ClassVar[tuple[str, ...]] = ("dense",)
    vth: int = field(metadata=by(partial(integer, low=0, high=2**24)))
    sin_decay: int | IntArray = field(metadata=by(as_factor))
    cos_decay: int | IntArray = field(metadata=by(as_factor))
    izhikevich: bool = field(default=False, metadata=by(flag))

    @classmethod
    def example(cls, channels: int = 3, timesteps: int = 1) -> Resonator:
        return cls(10, int_array(np.arange(channels) * 300 + 2500, "sin_decay"), -2000, True)

    def step(
        self, state: State, current: Any, bias: IntArray | None = None, channel_axis: int = -3, t: int = 0
    ) -> tuple[Ints, dict[str, Ints]]:
        self._no_bias(bias)
        for_real, for_imag = np.split(wrap(np.asarray(current, np.int64) << 6).astype(np.int64), 2, axis=channel_axis)
        sin, cos = (per_channel(f, for_real.ndim, channel_axis) for f in (self.sin_decay, self.cos_decay))
        before, vth = state["imag"], self.vth << 6
        real = _saturated(_scaled(state["real"], cos) - _scaled(before, sin) + for_real)
        imag = _saturated(_scaled(state["real"], sin) + _scaled(before, cos) + for_imag)
        if self.izhikevich:
            z = imag >= vth
            real, imag = np.where(z, 0, real), np.where(z, vth - 1, imag)
        else:
            z = (real >= vth) & (imag >= 0) & (before < 0)
        return z.astype(np.int32), {"real": real.astype(np.int32), "imag": imag.astype(np.int32)}

    def ranges(self, inflow: Inflow) -> Outflow:
        """The membrane is what a step adds: the state saturates."""
        low = np.minimum(*np.split(inflow.current.low, 2))
        high = np.maximum(*np.split(inflow.current.high, 2))
        return Outflow(Range(low, high).scale(64), Range(np.zeros_like(low), np.ones_like(high)))

    @property
    def largest_spike(self) -> int:
        return 1

    @property
    def leaky(self) -> bool:
        return True

    @property
    def table_words(self) -> int:
        """Words of the parameters that differ between channels."""
        return np.ndim(self.sin_decay) + np.ndim(self.cos_decay)

    def check_population(self, channels: int) -> None:
        check_each(self, channels, "sin_decay", "cos_decay")

    def unfit(self, bias: IntArray | None) -> Iterator[tuple[int | None, str]]:
        if self.vth > VTH_MAX:
            yield None, f"threshold {self.vth} exceeds 17 bits ({VTH_MAX})"

    def stock_keys(self) -> dict[str, Any] | None:
        decays = stock_decays(self.sin_decay, self.cos_decay)
        if decays is None:
            return None
        kind = "RF_IZHIKEVICH" if self.izhikevich else "RF_PHASE"
        keys = {"type": kind, "sinDecay": decays[0], "cosDecay": decays[1], "vThMant": self.vth, "gradedSpike": False}
        return {**keys, "sin_decay": np.asarray(self.sin_decay), "cos_decay": np.asarray(self.cos_decay)}


def _scaled(x: Ints, factor: Wide) -> Wide:
    product = x.astype(np.int64) * factor
    return np.sign(product) * (np.abs(product) >> 12)


def _saturated(x: Wide) -> Wide:
    return np.clip(x, -INT24_MAX, INT24_MAX)


def computed_decays(sin_decay: Any, cos_decay: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """What stock NetX computes with for the sine and cosine of a file: it turns them into a period and a decay, and
    those back into integers, which can come out smaller by one.

    Source: ``neuron_params`` of lava.lib.dl.slayer.neuron.rf, then lava.proc.rf.process.RF, in the same float steps.

    Example:
        >>> [3000 - int(x) in (0, 1) for x in computed_decays(3000, 3000)]
        [True, True]
    """
    sin, cos = np.asarray(sin_decay) / (1 << 12), np.asarray(cos_decay) / (1 << 12)
    with np.errstate(divide="ignore", over="ignore"):  # no frequency, an infinite period
        alpha = 1 - np.sqrt(sin**2 + cos**2)
        period = 1 / (np.arctan2(sin, cos) / 2 / np.pi)
        sin, cos = (1 - alpha) * np.sin(np.pi * 2 * 1 / period), (1 - alpha) * np.cos(np.pi * 2 * 1 / period)
    return np.trunc(sin * (1 << 12)).astype(np.int64), np.trunc(cos * (1 << 12)).astype(np.int64)


def stock_decays(sin_decay: Any, cos_decay: Any) -> tuple[Any, Any] | None:
    """Sine and cosine for a file, of which stock NetX makes these; None if there are none.

    Example:
        >>> [int(x) for x in computed_decays(*stock_decays(1499, 3700))]
        [1499, 3700]
    """
    sin, cos = np.broadcast_arrays(sin_decay, cos_decay)
    found, chosen = np.zeros(sin.shape, bool), [sin.astype(np.int64), cos.astype(np.int64)]
    for more in ((0, 0), (1, 0), (0, 1), (1, 1)):
        tried = [x + np.sign(x) * k for x, k in zip((sin, cos), more, strict=True)]
        made = computed_decays(*tried)
        fits = (made[0] == sin) & (made[1] == cos) & ~found
        chosen = [np.where(fits, new, old) for new, old in zip(tried, chosen, strict=True)]
        found |= fits
    return (chosen[0], chosen[1]) if found.all() else None
