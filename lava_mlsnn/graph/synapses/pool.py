"""Sum pooling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...helpers.check import Shape, positive_ints
from ..fixed import Wide
from ..ranges import Range
from ..spec import by
from .base import WEIGHT_BITS, Keys, Synapse, Window, expect

_pair = partial(positive_ints, length=2)


@dataclass(frozen=True, eq=False)
class Pool(Synapse):
    """Sum pooling: a depthwise convolution of ones (an average's 1 / (Kh Kw) goes into the next scale).

    Shape:
        spikes (C, H, W) -> current (C, (H - Kh) // Sh + 1, (W - Kw) // Sw + 1).

    Example:
        >>> Pool((2, 2), (2, 2)).out_shape((8, 8, 8))
        (8, 4, 4)
    """

    kind: ClassVar[str] = "pool"
    flat: ClassVar[bool | None] = False
    priced_as: ClassVar[str] = "pool"
    kernel: tuple[int, int] = field(default=(2, 2), metadata=by(_pair))
    stride: tuple[int, int] = field(default=(2, 2), metadata=by(_pair))

    @classmethod
    def example(cls, in_shape: Shape) -> Pool:
        return cls((2, 2), (1, 2))

    def out_shape(self, in_shape: Shape) -> Shape:
        size = [(n - k) // s + 1 for n, k, s in zip(in_shape[1:], self.kernel, self.stride, strict=True)]
        if min(size) < 1:
            raise ValueError(f"pool kernel {self.kernel} is larger than its input {in_shape}")
        return in_shape[0], size[0], size[1]

    def accumulate(self, spikes: Any) -> Wide:
        windows = np.lib.stride_tricks.sliding_window_view(np.asarray(spikes, np.int64), self.kernel, axis=(-2, -1))
        return windows[..., :: self.stride[0], :: self.stride[1], :, :].sum(axis=(-2, -1))

    def spread(self, spikes: Range, in_shape: Shape) -> Range:
        return spikes.scale(self.gain)

    def fan_out(self, in_shape: Shape) -> NDArray[np.int64]:
        return np.broadcast_to(self.window.hits(in_shape), in_shape)

    @property
    def gain(self) -> float:
        return float(self.kernel[0] * self.kernel[1])

    @property
    def window(self) -> Window:
        return Window(self.kernel, self.stride)

    def synaptic_words(self, channels: int, bits: int = WEIGHT_BITS) -> int:
        """As a depthwise kernel of ones."""
        return channels * self.kernel[0] * self.kernel[1]

    def to_keys(self) -> Mapping[str, Any]:
        return {"kernelSize": self.kernel, "stride": self.stride, "padding": (0, 0), "dilation": (1, 1)}

    @classmethod
    def from_keys(cls, keys: Keys) -> Pool:
        kernel, stride = keys.integers("kernelSize", (2,)), keys.integers("stride", (2,))
        pool = cls((kernel[0], kernel[1]), (stride[0], stride[1]))
        expect(keys, "padding", 0, 0)
        expect(keys, "dilation", 1, 1)
        return pool
