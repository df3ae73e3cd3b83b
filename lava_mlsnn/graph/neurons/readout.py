"""The integrator at the end of a classifier."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

import numpy as np

from ...helpers.check import IntArray, finite, int_array, integer
from ..fixed import Ints, per_channel, wrap
from ..ranges import Inflow, Outflow, clip, hull
from ..spec import by
from .base import Neuron, State, check_rows
from .leak import LEAK_BITS, as_leak, check_leak, kept, leaked


@dataclass(frozen=True, eq=False)
class Readout(Neuron):
    r"""Integrator without spike: :math:`V \leftarrow L(V, dv) + 2^{shift} a + b`; a sample's output is its last V.

    Its trace holds V after each step, and so does what :meth:`step` returns in place of spikes. The leak is
    :math:`L(V, d) = V - \lfloor V d / 2^{bits} + 1/2 \rfloor`, by default none.

    Args:
        scale: turns the integer V into the logits of the trained network: logits = scale V / T.
        dv, dv_bits: leak, 24-bit mantissas over 2**dv_bits; int32 () or (C,).
        shift: binary places by which V and the bias are finer than the current.
    """

    kind: ClassVar[str] = "readout"
    state: ClassVar[tuple[str, ...]] = ("v",)
    spiking: ClassVar[bool] = False
    signed: ClassVar[bool] = True
    state_words: ClassVar[int | None] = 2
    scale: float = field(default=1.0, metadata=by(partial(finite, positive=True)))

    dv: IntArray = field(default=0, metadata=by(as_leak))  # type: ignore[arg-type]
    dv_bits: int = field(default=12, metadata=by(partial(integer, low=1, high=LEAK_BITS)))
    shift: int = field(default=0, metadata=by(partial(integer, low=0, high=23)))

    @classmethod
    def example(cls, channels: int = 3, timesteps: int = 1) -> Readout:
        return cls(0.5, int_array(410, "dv"), shift=2)

    def validate(self) -> None:
        check_leak("readout dv", self.dv, self.dv_bits)

    def check_population(self, channels: int) -> None:
        if self.dv.ndim:
            check_rows(self.kind, "leaks", len(self.dv), channels)

    def step(
        self, state: State, current: Any, bias: IntArray | None = None, channel_axis: int = -3, t: int = 0
    ) -> tuple[Ints, dict[str, Ints]]:
        incoming = (np.asarray(current, np.int64) << self.shift) + per_channel(bias, np.ndim(current), channel_axis)
        v = wrap(leaked(state["v"], self.dv, self.dv_bits, channel_axis) + incoming)
        return v, {"v": v}

    @property
    def leaky(self) -> bool:
        return bool(np.any(self.dv > 0))

    def ranges(self, inflow: Inflow) -> Outflow:
        if not self.leaky and not self.shift:
            v = inflow.current.with_zero().scale(inflow.steps)
            return Outflow(v, v)
        a, b, unit = inflow.accumulated, inflow.bias, 2.0**self.shift
        keep, v = kept(self.dv, self.dv_bits, len(a.low)), a.scale(0)
        reached = []
        for _ in range(inflow.steps):
            v = clip(keep * v.low + a.low * unit + b.low - 1, keep * v.high + a.high * unit + b.high + 1)
            reached.append(v)
        register = hull(reached).with_zero()
        return Outflow(register, register)
