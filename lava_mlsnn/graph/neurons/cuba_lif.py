"""Current-based leaky integrate-and-fire, with all in which simulators differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

import numpy as np

from ...helpers.check import IntArray, flag, int_array, integer
from ..fixed import Ints, Wide, per_channel, wrap
from ..ranges import Floats, Inflow, Outflow, Range, clip, hull
from ..spec import INT24_MAX, by
from .base import Neuron, State, as_levels, as_threshold, check_each, wide_thresholds
from .leak import LEAK_BITS, as_leak, check_leak, kept, leaked

RESETS = ("same", "next", "owed")
"""When a reset takes effect: see :class:`CubaLIF`."""

NO_FLOOR = -(2**31)
"""Below every 32-bit number but itself."""

as_value = partial(int_array, ndim=(0, 1))
as_bits = partial(integer, low=1, high=LEAK_BITS)


def _reset(value: Any, what: str) -> str:
    if value not in RESETS:
        raise ValueError(f"{what}: expected one of {RESETS}, got {value!r}")
    return str(value)


@dataclass(frozen=True, eq=False)
class CubaLIF(Neuron):
    r"""Current-based leaky integrate-and-fire neuron, with all in which simulators differ.

    .. math::
        u \leftarrow L(u, du) + gain\, a + b, \quad H = L(V, dv) + u + drive, \quad
        z = \mathrm{clip}(\lfloor (H - strict) / \theta \rfloor, 0, N)

    then V is H - theta z (soft reset) or, where z > 0, v_reset (``hard``), and not below ``floor``. The leak is
    :math:`L(x, d) = x - \lfloor x d / 2^{bits} + 1/2 \rfloor`. Arrays have one value, (), or one per channel, (C,).

    Args:
        threshold: theta >= 1: a neuron fires at H >= theta or, if ``strict``, at H > theta.
        du, du_bits: leak of the current, a mantissa of 24 bits over 2**du_bits; by default all of it: no filter.
        dv, dv_bits: leak of the membrane.
        gain: units of u and V per unit of current; bias, threshold and all other voltages are in these units.
        levels: N, the most spikes in one step.
        strict, hard: see above.
        reset: when a reset takes effect. "same": in the step of its spikes. "next": V keeps H, and in the next step,
            before H is compared, what V stands for is subtracted from it or v_reset replaces it. "owed", for soft
            resets: as "same", but a neuron that keeps more than theta must exceed one more theta to fire again
            (snnTorch's ``reset_delay=False``).
        v_reset: V after a hard reset.
        drive: added to H in every step; it does not pass the filter of the current.
        floor: V is never below.
        leaks_input: the current leaks after its input was added, :math:`u \leftarrow L(u + gain\, a + b, du)`.

    Example:
        >>> neuron = CubaLIF(threshold=10, dv=1, dv_bits=1, levels=9)
        >>> z, state = neuron.step(neuron.initial_state((1, 1, 3)), np.array([[[25, 9, -8]]]))
        >>> z.tolist(), neuron.step(state, np.zeros((1, 1, 3)))[1]["v"].tolist()
        ([[[2, 0, 0]]], [[[2, 4, -4]]])
    """

    kind: ClassVar[str] = "cuba_lif"
    state: ClassVar[tuple[str, ...]] = ("u", "v")
    state_words: ClassVar[int | None] = 2
    threshold: IntArray = field(metadata=by(as_threshold))
    du: IntArray = field(default=2, metadata=by(as_leak))  # type: ignore[arg-type]
    dv: IntArray = field(default=0, metadata=by(as_leak))  # type: ignore[arg-type]
    du_bits: int = field(default=1, metadata=by(as_bits))
    dv_bits: int = field(default=1, metadata=by(as_bits))
    gain: int = field(default=1, metadata=by(partial(integer, low=1, high=INT24_MAX)))
    levels: int = field(default=1, metadata=by(as_levels))
    strict: bool = field(default=False, metadata=by(flag))
    hard: bool = field(default=False, metadata=by(flag))
    reset: str = field(default="same", metadata=by(_reset))
    v_reset: IntArray = field(default=0, metadata=by(as_value))  # type: ignore[arg-type]
    drive: IntArray = field(default=0, metadata=by(as_value))  # type: ignore[arg-type]
    floor: IntArray = field(default=NO_FLOOR, metadata=by(as_value))  # type: ignore[arg-type]
    leaks_input: bool = field(default=False, metadata=by(flag))

    @classmethod
    def example(cls, channels: int = 3, timesteps: int = 1) -> CubaLIF:
        leak = int_array(np.arange(channels) * 100 + 205, "dv")
        return cls(
            int_array(19, "threshold"),
            int_array(1, "du"),
            leak,
            dv_bits=12,
            gain=2,
            levels=3,
            strict=True,
            drive=leak % 3,
        )

    def validate(self) -> None:
        check_leak(f"{self.kind} du", self.du, self.du_bits)
        check_leak(f"{self.kind} dv", self.dv, self.dv_bits)
        if self.hard and self.reset == "owed":
            raise ValueError(f"{self.kind}: a hard reset owes nothing, expected reset 'same' or 'next'")

    def step(
        self, state: State, current: Any, bias: IntArray | None = None, channel_axis: int = -3, t: int = 0
    ) -> tuple[Ints, dict[str, Ints]]:
        ndim = np.ndim(current)

        def of(values: IntArray | None) -> Wide:
            return per_channel(values, ndim, channel_axis)

        def fired(h: Ints) -> Wide:
            return np.clip(wrap(h - np.int64(self.strict)) // theta, 0, self.levels)

        theta, before = of(self.threshold), state["v"]
        incoming = np.asarray(current, np.int64) * self.gain + of(bias)
        u = wrap(state["u"] + incoming) if self.leaks_input else state["u"]
        u = wrap(leaked(u, self.du, self.du_bits, channel_axis) + (0 if self.leaks_input else incoming))
        h = wrap(leaked(before, self.dv, self.dv_bits, channel_axis) + u + of(self.drive))
        if self.reset == "next":
            owed = fired(before)
            h = np.where(owed > 0, of(self.v_reset), h) if self.hard else wrap(h - owed * theta)
        z = fired(wrap(h - (before > theta) * theta) if self.reset == "owed" else h)
        v = np.asarray(h, np.int64)
        if self.reset != "next":
            v = np.where(z > 0, of(self.v_reset), v) if self.hard else v - z * theta
        return z.astype(np.int32), {"u": u, "v": np.maximum(wrap(v), of(self.floor)).astype(np.int32)}

    def ranges(self, inflow: Inflow) -> Outflow:
        """Of H, in any step, before anything is subtracted; the current u is less or as much."""
        channels = len(inflow.current.low)
        keep_u, keep_v = kept(self.du, self.du_bits, channels), kept(self.dv, self.dv_bits, channels)
        theta, drive, reset, floor = (
            np.broadcast_to(values, (channels,)).astype(np.float64)
            for values in (self.threshold, self.drive, self.v_reset, self.floor)
        )
        a, b = inflow.accumulated.scale(self.gain), inflow.bias
        low, high = a.low + b.low, a.high + b.high
        u = v = Range(np.zeros(channels), np.zeros(channels))
        reached = []
        for _ in range(inflow.steps):
            u = clip(keep_u * u.low + low - 1, keep_u * u.high + high + 1)  # leaks_input gives less
            left = self._left(v, keep_v, theta, reset, floor)
            v = clip(left.low + u.low + drive - 1, left.high + u.high + drive + 1)
            if self.hard and self.reset == "next":
                v = hull([v, Range(reset, reset)])
            reached += [u, v]
        register = hull(reached)
        most = np.clip(np.floor_divide(register.high, theta), 0, self.levels)
        return Outflow(register.with_zero(), Range(np.zeros(channels), most).with_zero())

    def _left(self, h: Range, keep: Floats, theta: Floats, reset: Floats, floor: Floats) -> Range:
        """What is left of H in the next one, without what is added there."""
        most = self.levels * theta
        if self.reset == "next":
            low, high = np.maximum(h.low, floor), np.maximum(h.high, floor)
            owed = 0.0 if self.hard else np.clip(high, 0, most)
            rest = keep * np.minimum(high, theta)
            return Range(
                np.minimum(keep * low, (keep - 1) * owed), rest if self.hard else np.maximum(rest, keep * high - most)
            )
        if self.hard:
            low, high = np.minimum(h.low, reset), np.maximum(np.minimum(h.high, theta), reset)
        else:
            free = theta if self.reset == "same" else 2 * theta
            low, high = np.minimum(h.low, 0.0), np.maximum(np.minimum(h.high, free), h.high - most)
        return Range(keep * np.maximum(low, floor), keep * np.maximum(high, floor))

    @property
    def largest_spike(self) -> int:
        return self.levels

    @property
    def leaky(self) -> bool:
        return bool(np.any((self.dv > 0) & (self.dv < 1 << self.dv_bits)) or np.any(self.du < 1 << self.du_bits))

    @property
    def table_words(self) -> int:
        """Words of the parameters that differ between channels."""
        return sum(values.ndim for values in (self.du, self.dv, self.v_reset, self.drive, self.floor))

    def check_population(self, channels: int) -> None:
        check_each(self, channels, "threshold", "du", "dv", "v_reset", "drive", "floor")

    def unfit(self, bias: IntArray | None) -> Iterator[tuple[int | None, str]]:
        yield from wide_thresholds(self.threshold)
        if np.abs(self.v_reset.astype(np.int64)).max() > INT24_MAX:
            yield None, f"v_reset {self.v_reset.tolist()} exceeds 24 bits ({INT24_MAX})"
