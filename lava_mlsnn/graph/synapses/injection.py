"""The input put straight into neurons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...helpers.check import Shape
from ..fixed import Wide
from ..ranges import Range
from .base import WEIGHT_BITS, Synapse


@dataclass(frozen=True, eq=False)
class Injection(Synapse):
    """The network's input put straight into a neuron's dendrite: no synapse, so no delay (stock NetX ``input`` blocks).

    Shape:
        (C, H, W) -> (C, H, W). Reads "input" only.
    """

    kind: ClassVar[str] = "injection"
    delay: ClassVar[int] = 0

    @classmethod
    def example(cls, in_shape: Shape) -> Injection:
        return cls()

    def out_shape(self, in_shape: Shape) -> Shape:
        return in_shape

    def accumulate(self, spikes: Any) -> Wide:
        return np.asarray(spikes, np.int64)

    def spread(self, spikes: Range, in_shape: Shape) -> Range:
        return spikes

    def fan_out(self, in_shape: Shape) -> NDArray[np.int64]:
        return np.ones(in_shape, np.int64)

    def synaptic_words(self, channels: int, bits: int = WEIGHT_BITS) -> int:
        return 0
