"""One to one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...helpers.check import IntArray, Shape, int_array
from ..fixed import Wide
from ..ranges import Range, clip
from ..spec import by
from .base import WEIGHT_BITS, Keys, Synapse


@dataclass(frozen=True, eq=False)
class Identity(Synapse):
    """One to one: a = weight * z. It carries residual connections.

    Args:
        weight: int32, () or one per channel (C,).

    Shape:
        (C, H, W) -> (C, H, W).
    """

    kind: ClassVar[str] = "identity"
    weight: IntArray = field(default=1, metadata=by(partial(int_array, ndim=(0, 1))))  # type: ignore[arg-type]

    @classmethod
    def example(cls, in_shape: Shape) -> Identity:
        return cls(int_array(np.arange(in_shape[0]) * 3 + 2, "weight"))

    def out_shape(self, in_shape: Shape) -> Shape:
        if self.weight.ndim and self.weight.shape[0] != in_shape[0]:
            raise ValueError(f"identity weight for {self.weight.shape[0]} channels, its input has shape {in_shape}")
        return in_shape

    def accumulate(self, spikes: Any) -> Wide:
        return np.asarray(spikes, np.int64) * self.weight.astype(np.int64).reshape(-1, 1, 1)

    def spread(self, spikes: Range, in_shape: Shape) -> Range:
        low, high = self.weight * spikes.low, self.weight * spikes.high
        return clip(np.minimum(low, high), np.maximum(low, high))

    def fan_out(self, in_shape: Shape) -> NDArray[np.int64]:
        return np.ones(in_shape, np.int64)

    @property
    def weights(self) -> IntArray:
        return self.weight

    def synaptic_words(self, channels: int, bits: int = WEIGHT_BITS) -> int:
        """One word per channel."""
        return channels

    def to_keys(self) -> Mapping[str, Any]:
        return {"weight": self.weight}

    @classmethod
    def from_keys(cls, keys: Keys) -> Identity:
        return cls(keys.whole("weight"))
