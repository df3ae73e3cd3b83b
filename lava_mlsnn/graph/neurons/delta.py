"""Lava's delta encoder, and the encoding that it shares with the sigma-delta neuron."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

import numpy as np

from ...helpers.check import IntArray, integer
from ..fixed import Ints, wrap
from ..ranges import Inflow, Outflow, Range
from ..spec import INT24_MAX, by
from .base import Neuron, State

SDN_MODELS = ("released", "corrected")
"""Fixed-point sigma-delta as released in lava-nc 0.10.0 (loses the truncated low bits) or as corrected upstream."""


def _model(value: Any, what: str) -> str:
    if value not in SDN_MODELS:
        raise ValueError(f"{what}: expected one of {SDN_MODELS}, got {value!r}")
    return str(value)


@dataclass(frozen=True, eq=False)
class Encoder(Neuron):
    """Base of neurons that send the change of an activation, as :class:`Delta` defines it.

    Energy, derived (no publication gives a formula): a synaptic operation on a change costs as many additions as the
    change is large, at most a multiply-accumulate. An update reads and writes the activation and the residue, and adds
    twice (x - x_prev + r); a change that is sent is subtracted from the residue, as a spike is from a membrane.
    """

    signed: ClassVar[bool] = True
    gated: ClassVar[bool] = False
    sends_changes: ClassVar[bool] = True
    derived: ClassVar[bool] = True
    updated_words: ClassVar[int] = 2
    update_adds: ClassVar[int] = 2
    sends_values: ClassVar[bool] = True
    vth: int = field(metadata=by(partial(integer, low=0, high=2**24)))
    spike_exp: int = field(default=6, metadata=by(partial(integer, low=0, high=7)))
    state_exp: int = field(default=6, metadata=by(partial(integer, low=0, high=7)))
    model: str = field(default="released", metadata=by(_model))

    @property
    def shift(self) -> int:
        """Bits by which integers of the graph are shifted into the state."""
        return self.spike_exp + self.state_exp

    @property
    def charged_as(self) -> float:
        return float(INT24_MAX)

    def encode(self, act: Ints, state: State) -> tuple[Ints, dict[str, Ints]]:
        """Send the change of ``act`` where it reaches the threshold."""
        threshold = int(wrap(self.vth << self.shift))
        delta = wrap(act.astype(np.int64) - state["act"] + state["residue"])
        sent = np.where(np.abs(delta) >= threshold, delta, 0)
        z = sent >> self.state_exp
        kept = z << self.state_exp if self.model == "corrected" else sent
        return z.astype(np.int32), {"act": act, "residue": wrap(delta.astype(np.int64) - kept)}

    def encoded_ranges(self, membrane: Range, act: Range, steps: int) -> Outflow:
        """Messages telescope: up to any step their sum is the activation, less what has not been sent."""
        step = 2.0**self.state_exp
        corrected = self.model == "corrected"
        kept = max(self.vth * 2.0**self.shift - 1, step - 1 if corrected else 0, 0)
        swing = act.high - act.low + kept
        message = Range(np.floor(-swing / step), np.floor(swing / step)).with_zero()
        lost = 0 if corrected else steps * (1 - 1 / step)
        total = Range(np.floor((act.low - kept) / step - lost), np.ceil((act.high + kept) / step)).with_zero()
        return Outflow(membrane, message, total)

    def stock_keys(self) -> dict[str, Any] | None:
        """Stock fixes state_exp (6) and the model, and takes spike_exp from its caller (default 6)."""
        if (self.spike_exp, self.state_exp, self.model) != (6, 6, "released"):
            return None
        return {"type": "SDNN", "activation": "relu", "vThMant": self.vth}


@dataclass(frozen=True, eq=False)
class Delta(Encoder):
    r"""Lava's fixed-point delta encoder (lava.proc.sdn, fixed_pt).

    .. math::
        x = a\,2^{spike\_exp + state\_exp}, \quad d = x - x_{prev} + r, \quad s = d\,[|d| \ge \theta], \quad
        r \leftarrow d - s, \quad z = s >> state\_exp

    with :math:`\theta = vth\,2^{spike\_exp + state\_exp}`. ``model="corrected"`` keeps what the shift drops:
    :math:`r \leftarrow d - z\,2^{state\_exp}`.
    """

    kind: ClassVar[str] = "delta"
    state: ClassVar[tuple[str, ...]] = ("act", "residue")
    has_bias: ClassVar[bool] = False
    state_words: ClassVar[int | None] = 3
    stock_blocks: ClassVar[tuple[str, ...]] = ("input",)

    @classmethod
    def example(cls, channels: int = 3, timesteps: int = 1) -> Delta:
        return cls(3)

    def step(
        self, state: State, current: Any, bias: IntArray | None = None, channel_axis: int = -3, t: int = 0
    ) -> tuple[Ints, dict[str, Ints]]:
        self._no_bias(bias)
        return self.encode(wrap(np.asarray(current, np.int64) << self.shift), state)

    def ranges(self, inflow: Inflow) -> Outflow:
        act = inflow.current.scale(2.0**self.shift).with_zero()
        return self.encoded_ranges(act, act, inflow.steps)
