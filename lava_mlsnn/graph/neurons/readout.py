"""The integrator at the end of a classifier."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

from ...helpers.check import IntArray, finite
from ..fixed import Ints, wrap
from ..ranges import Inflow, Outflow
from ..spec import by
from .base import Neuron, State, driven


@dataclass(frozen=True, eq=False)
class Readout(Neuron):
    """Integrator without spike: V <- V + a + b, and the output of a sample is V after its last step.

    Its trace holds V after each step, and so does what :meth:`step` returns in place of spikes. ``scale`` turns the
    integer V into the logits of the trained network: logits = scale V / T.
    """

    kind: ClassVar[str] = "readout"
    state: ClassVar[tuple[str, ...]] = ("v",)
    spiking: ClassVar[bool] = False
    signed: ClassVar[bool] = True
    state_words: ClassVar[int | None] = 2
    scale: float = field(default=1.0, metadata=by(partial(finite, positive=True)))

    @classmethod
    def example(cls, channels: int = 3, timesteps: int = 1) -> Readout:
        return cls(0.5)

    def step(
        self, state: State, current: Any, bias: IntArray | None = None, channel_axis: int = -3, t: int = 0
    ) -> tuple[Ints, dict[str, Ints]]:
        v = wrap(state["v"] + driven(current, bias, channel_axis))
        return v, {"v": v}

    def ranges(self, inflow: Inflow) -> Outflow:
        v = inflow.current.with_zero().scale(inflow.steps)
        return Outflow(v, v)
