"""Lava's sigma decoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ...helpers.check import IntArray
from ..fixed import Ints, wrap
from ..ranges import Inflow, Outflow
from ..spec import INT24_MAX
from .base import Neuron, State


@dataclass(frozen=True, eq=False)
class Sigma(Neuron):
    """Lava's sigma decoder: sigma <- sigma + a, z = sigma, sent at every step.

    Energy, derived: that of an integrator without a reset; a synaptic operation costs at most a multiply-accumulate.
    """

    kind: ClassVar[str] = "sigma"
    state: ClassVar[tuple[str, ...]] = ("sigma",)
    gated: ClassVar[bool] = False
    signed: ClassVar[bool] = True
    has_bias: ClassVar[bool] = False
    state_words: ClassVar[int | None] = 1
    derived: ClassVar[bool] = True
    sends_values: ClassVar[bool] = True
    stock_blocks: ClassVar[tuple[str, ...]] = ("conv", "dense")

    @classmethod
    def example(cls, channels: int = 3, timesteps: int = 1) -> Sigma:
        return cls()

    def step(
        self, state: State, current: Any, bias: IntArray | None = None, channel_axis: int = -3, t: int = 0
    ) -> tuple[Ints, dict[str, Ints]]:
        self._no_bias(bias)
        sigma = wrap(state["sigma"] + np.asarray(current, np.int64))
        return sigma, {"sigma": sigma}

    @property
    def charged_as(self) -> float:
        return float(INT24_MAX)

    def ranges(self, inflow: Inflow) -> Outflow:
        return Outflow(inflow.total, inflow.total)

    def stock_keys(self) -> dict[str, Any] | None:
        return {"type": "SDNN", "activation": "relu", "vThMant": 0, "sigma_output": True}
