"""2-D convolution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from math import prod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...helpers.check import IntArray, Shape, int_array, positive_ints
from ..fixed import Wide
from ..ranges import Range
from ..spec import by
from .base import ACCUMULATOR_BITS, WEIGHT_BITS, Keys, Synapse, Window, expect, kernel_words, per_channel_range

_pair = partial(positive_ints, length=2)


def _one(value: Any, what: str) -> int:
    return positive_ints(value, what, 1)[0]


@dataclass(frozen=True, eq=False)
class Conv(Synapse):
    r"""2-D correlation, as torch.nn.Conv2d computes it.

    .. math:: a_{o,y,x} = \sum_{i,k,l} w_{o,i,k,l} z_{i, s y + d k - p, s x + d l - p}

    Args:
        weight: int32 (O, I / groups, Kh, Kw).
        stride, padding, dilation: (rows, columns), or one int for both.
        groups: number of channel groups.

    Shape:
        spikes (I, H, W) -> current (O, H', W') with H' = (H + 2 p - d (Kh - 1) - 1) // s + 1.

    Example:
        >>> Conv(np.ones((8, 3, 3, 3)), padding=1, stride=2).out_shape((3, 8, 8))
        (8, 4, 4)
    """

    kind: ClassVar[str] = "conv"
    current_bits: ClassVar[int] = ACCUMULATOR_BITS
    flat: ClassVar[bool | None] = False
    priced_as: ClassVar[str] = "conv"
    weight: IntArray = field(metadata=by(partial(int_array, ndim=4)))
    stride: tuple[int, int] = field(default=(1, 1), metadata=by(_pair))
    padding: tuple[int, int] = field(default=(0, 0), metadata=by(partial(_pair, minimum=0)))
    dilation: tuple[int, int] = field(default=(1, 1), metadata=by(_pair))
    groups: int = field(default=1, metadata=by(_one))

    @classmethod
    def example(cls, in_shape: Shape) -> Conv:
        return cls(int_array(np.arange(-9, 9).repeat(in_shape[0]).reshape(2, -1, 3, 3), "weight"), (2, 2), (1, 1))

    def validate(self) -> None:
        if 0 in self.weight.shape or self.weight.shape[0] % self.groups:
            raise ValueError(
                f"conv weight {self.weight.shape}: output channels must be a positive multiple of groups={self.groups}"
            )

    def out_shape(self, in_shape: Shape) -> Shape:
        out_channels, per_group, *kernel = self.weight.shape
        if in_shape[0] != per_group * self.groups:
            raise ValueError(
                f"conv weight {self.weight.shape} with groups={self.groups} reads {per_group * self.groups} channels, "
                f"its input has shape {in_shape}"
            )
        size = [
            (n + 2 * p - d * (k - 1) - 1) // s + 1
            for n, k, s, p, d in zip(in_shape[1:], kernel, self.stride, self.padding, self.dilation, strict=True)
        ]
        if min(size) < 1:
            raise ValueError(
                f"conv kernel {tuple(kernel)}, dilation {self.dilation} is larger than its input {in_shape}"
            )
        return out_channels, size[0], size[1]

    def accumulate(self, spikes: Any) -> Wide:
        spikes = np.asarray(spikes, np.int64)
        *batch, channels, height, width = spikes.shape
        out_channels, rows, columns = self.out_shape((channels, height, width))
        (ph, pw), (sh, sw), (dh, dw) = self.padding, self.stride, self.dilation
        padded = np.pad(spikes, [(0, 0)] * (spikes.ndim - 2) + [(ph, ph), (pw, pw)])
        groups = self.groups
        weight = self.weight.astype(np.int64).reshape(groups, out_channels // groups, *self.weight.shape[1:])
        out = np.zeros((*batch, groups, out_channels // groups, rows, columns), np.int64)
        for k in range(weight.shape[-2]):
            for m in range(weight.shape[-1]):
                y, x = k * dh, m * dw
                tap = padded[..., y : y + sh * (rows - 1) + 1 : sh, x : x + sw * (columns - 1) + 1 : sw]
                tap = tap.reshape(*batch, groups, channels // groups, rows, columns)
                out += np.einsum("...gihw,goi->...gohw", tap, weight[..., k, m], optimize=True)
        return out.reshape(*batch, out_channels, rows, columns)

    def spread(self, spikes: Range, in_shape: Shape) -> Range:
        return per_channel_range(self.weight, in_shape[0], self.groups, spikes)

    def fan_out(self, in_shape: Shape) -> NDArray[np.int64]:
        return np.broadcast_to(len(self.weight) // self.groups * self.window.hits(in_shape), in_shape)

    @property
    def weights(self) -> IntArray:
        return self.weight

    @property
    def window(self) -> Window:
        kernel = (self.weight.shape[2], self.weight.shape[3])
        return Window(kernel, self.stride, self.padding, self.dilation, self.groups)

    def synaptic_words(self, channels: int, bits: int = WEIGHT_BITS) -> int:
        return kernel_words(prod(self.weight.shape[1:]), channels, bits)

    def to_keys(self) -> Mapping[str, Any]:
        out_channels, per_group, *kernel = self.weight.shape
        return {
            "inChannels": per_group * self.groups,
            "outChannels": out_channels,
            "kernelSize": tuple(kernel),
            "stride": self.stride,
            "padding": self.padding,
            "dilation": self.dilation,
            "groups": self.groups,
            "weight": self.weight,
        }

    @classmethod
    def from_keys(cls, keys: Keys) -> Conv:
        weight = keys.whole("weight")
        pairs: dict[str, Any] = {key: keys.integers(key, (2,)) for key in ("stride", "padding", "dilation")}
        conv = cls(weight, groups=keys.integer("groups", 1), **pairs)
        expect(keys, "kernelSize", *conv.weight.shape[2:])
        expect(keys, "inChannels", conv.weight.shape[1] * conv.groups)
        expect(keys, "outChannels", conv.weight.shape[0])
        return conv
