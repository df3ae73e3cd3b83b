"""Every input to every output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from math import prod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...helpers.check import IntArray, Shape, int_array
from ..fixed import Wide
from ..ranges import Range
from ..spec import by
from .base import DENSE_BITS, WEIGHT_BITS, WORD, Keys, Synapse, expect, per_channel_range


@dataclass(frozen=True, eq=False)
class Matrix(Synapse):
    """Base of synapses whose weights are a matrix (O, I), sites of the input in (C, H, W) order."""

    flat: ClassVar[bool | None] = True
    priced_as: ClassVar[str] = "dense"
    weight: IntArray = field(metadata=by(partial(int_array, ndim=2)))

    def out_shape(self, in_shape: Shape) -> Shape:
        if prod(in_shape) != self.weight.shape[1]:
            raise ValueError(
                f"dense weight {self.weight.shape} reads {self.weight.shape[1]} sites, "
                f"its input {in_shape} has {prod(in_shape)}"
            )
        return self.weight.shape[0], 1, 1

    def spread(self, spikes: Range, in_shape: Shape) -> Range:
        return per_channel_range(self.weight, in_shape[0], 1, spikes)

    def fan_out(self, in_shape: Shape) -> NDArray[np.int64]:
        return np.full(in_shape, len(self.weight), np.int64)

    @property
    def weights(self) -> IntArray:
        return self.weight

    def synaptic_words(self, channels: int, bits: int = WEIGHT_BITS) -> int:
        """Per input with synapses floor(20 n / 64) + 1 words for its n non-zero synapses, for the fullest core."""
        fullest = 0
        for start in range(0, len(self.weight), channels):
            used = np.count_nonzero(self.weight[start : start + channels], axis=0)
            fullest = max(fullest, int((used * DENSE_BITS // WORD + (used > 0)).sum()))
        return fullest

    def to_keys(self) -> Mapping[str, Any]:
        return {"inFeatures": self.weight.shape[1], "outFeatures": self.weight.shape[0], "weight": self.weight}


@dataclass(frozen=True, eq=False)
class Dense(Matrix):
    r"""Every input site to every output feature: :math:`a_o = \sum_i w_{o,i} z_i`, sites in (C, H, W) order.

    Args:
        weight: int32 (O, I).

    Shape:
        spikes (C, H, W) with C H W = I -> current (O, 1, 1).

    Example:
        >>> Dense(np.ones((10, 48))).out_shape((3, 4, 4))
        (10, 1, 1)
    """

    kind: ClassVar[str] = "dense"

    @classmethod
    def example(cls, in_shape: Shape) -> Dense:
        return cls(int_array(np.arange(4 * prod(in_shape)).reshape(4, -1) % 13 - 5, "weight"))

    def accumulate(self, spikes: Any) -> Wide:
        spikes = np.asarray(spikes, np.int64)
        out, _, _ = self.out_shape(spikes.shape[-3:])
        flat = spikes.reshape(*spikes.shape[:-3], -1)
        return (flat @ self.weight.T.astype(np.int64)).reshape(*spikes.shape[:-3], out, 1, 1)

    @classmethod
    def from_keys(cls, keys: Keys) -> Synapse:
        """A dense synapse, with delays where the key ``delay`` stands."""
        from .delay_dense import DelayDense, stock_delays

        weight = keys.whole("weight")
        synapse: Matrix = cls(weight)
        if keys.has("delay"):
            synapse = DelayDense(weight, stock_delays(keys.whole("delay"), weight.shape))
        expect(keys, "inFeatures", weight.shape[1])
        expect(keys, "outFeatures", weight.shape[0])
        return synapse
