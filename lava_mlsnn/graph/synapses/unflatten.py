"""The sites of a vector put into a map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from math import prod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...helpers.check import Shape, integer
from ..fixed import Wide
from ..ranges import Range
from ..spec import by
from .base import WEIGHT_BITS, Keys, Synapse

_size = partial(integer, low=1)


@dataclass(frozen=True, eq=False)
class Unflatten(Synapse):
    """One to one, into maps of another size: the inverse of a flatten, both in (C, H, W) order.

    Args:
        height, width: rows and columns of the maps.

    Shape:
        (C, H, W), usually a column (features, 1, 1) -> (C H W / (height width), height, width).

    Example:
        >>> Unflatten(2, 3).accumulate(np.arange(12).reshape(12, 1, 1))[1].tolist()
        [[6, 7, 8], [9, 10, 11]]
    """

    kind: ClassVar[str] = "unflatten"
    flat: ClassVar[bool | None] = False
    height: int = field(metadata=by(_size))
    width: int = field(metadata=by(_size))

    @classmethod
    def example(cls, in_shape: Shape) -> Unflatten:
        return cls(1, in_shape[-1])

    def out_shape(self, in_shape: Shape) -> Shape:
        sites = self.height * self.width
        if prod(in_shape) % sites:
            raise ValueError(f"unflatten to maps of {self.height} x {self.width}: its input has the shape {in_shape}")
        return prod(in_shape) // sites, self.height, self.width

    def accumulate(self, spikes: Any) -> Wide:
        spikes = np.asarray(spikes, np.int64)
        return spikes.reshape(*spikes.shape[:-3], *self.out_shape(spikes.shape[-3:]))

    def spread(self, spikes: Range, in_shape: Shape) -> Range:
        low, high = (end.repeat(prod(in_shape[1:])).reshape(-1, self.height * self.width) for end in spikes)
        return Range(low.min(axis=1), high.max(axis=1))

    def fan_out(self, in_shape: Shape) -> NDArray[np.int64]:
        return np.ones(in_shape, np.int64)

    def synaptic_words(self, channels: int, bits: int = WEIGHT_BITS) -> int:
        """One word per site, as a dense synapse takes for one output."""
        return channels * self.height * self.width

    def to_keys(self) -> Mapping[str, Any]:
        return {"height": self.height, "width": self.width}

    @classmethod
    def from_keys(cls, keys: Keys) -> Unflatten:
        return cls(keys.integer("height", 1), keys.integer("width", 1))
