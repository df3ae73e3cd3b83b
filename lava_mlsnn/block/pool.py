"""Pooling and flattening: blocks without weights."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np
from torch import Tensor, nn
from torch.nn import functional as F

from ..graph.neurons import LIF, Neuron, Relay
from ..graph.synapses import Conv, Synapse
from ..graph.synapses import Pool as PoolSynapse
from ..helpers.check import Shape, choice, positive_ints
from .core import fold_time, unfold_time
from .integer import Quantization
from .signal import Signal

MODES = ("sum", "average", "max")


class Pool(nn.Module):
    """Pooling of spikes over space.

    Args:
        kernel: (rows, columns), one int for both, or None for the whole map.
        stride: the same; default is the kernel.
        mode: "sum" adds spikes, as a dendrite does; "average" divides by the number of sites, which an exported network
            does in the next weights; "max" exports behind binary spikes (levels=1), whose maximum is [sum > 0]: neurons
            that fire at any spike, each step anew. They are one layer more, as those of a sum are, but send binary
            spikes.
        padding: zeros around the map, at most half of the kernel, which count as sites of an average.

    Shape:
        (N, C, H, W, T) -> (N, C, H', W', T) with H' = (H + 2 padding - kernel) // stride + 1.

    Raises:
        ValueError: unknown mode, or a padding of more than half of the kernel.

    Example:
        >>> import torch
        >>> Pool(2)(torch.ones(1, 3, 4, 4, 1)).unique()
        tensor([4.])
        >>> Pool(3, 2, "max", padding=1)(torch.ones(1, 3, 8, 8, 1)).shape
        torch.Size([1, 3, 4, 4, 1])
    """

    def __init__(
        self,
        kernel: int | tuple[int, int] | None = 2,
        stride: int | tuple[int, int] | None = None,
        mode: str = "sum",
        padding: int | tuple[int, int] = 0,
    ) -> None:
        super().__init__()
        choice(mode, "pool mode", MODES)
        self.kernel = None if kernel is None else positive_ints(kernel, "pool kernel", 2)
        self.stride = self.kernel if stride is None else positive_ints(stride, "pool stride", 2)
        self.padding = positive_ints(padding, "pool padding", 2, 0)
        if any(p > k // 2 for p, k in zip(self.padding, self.kernel or (0, 0), strict=True)):
            raise ValueError(f"pool padding {self.padding}: expected at most half of the kernel, {self.kernel}")
        self.mode = mode
        self.quantization: Quantization | None = None

    def forward(self, x: Tensor) -> Tensor:
        y, steps = fold_time(x)
        kernel, stride = self.sizes((y.shape[1], y.shape[2], y.shape[3]))
        if self.mode == "max":
            pooled = F.max_pool2d(y, kernel, stride, self.padding)
        else:
            whole = self.mode == "sum" or self.quantization is not None  # integers are summed, never divided
            pooled = F.avg_pool2d(y, kernel, stride, self.padding, divisor_override=1 if whole else None)
        out = unfold_time(pooled, steps)
        return out if steps == x.shape[-1] else out.expand(*out.shape[:-1], x.shape[-1])

    def sizes(self, shape: Shape) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Kernel and stride for an input of ``shape``."""
        whole = (shape[1], shape[2])
        return self.kernel or whole, self.stride or whole

    def signal(self, *inputs: Signal) -> Signal:
        """Sums of spikes, binary spikes for max; an average only changes the unit. ValueError for max of others."""
        (x,) = inputs
        if self.mode == "max" and (x.bound > 1 or x.signed):
            raise ValueError(
                f"max pooling of {'signed values' if x.signed else f'values up to {x.bound}'} has no integer layer: "
                "their maximum is not a sum, which is all that a dendrite computes; the maximum of binary spikes is "
                "[sum > 0]: expected levels=1 in the one layer before it, mode 'sum' or 'average', or a stride in the "
                "convolution before it; model.convert makes layers of differences of nn.MaxPool2d in a ReLU network"
            )
        kernel, stride = self.sizes(x.shape)
        sides = zip(x.shape[1:], self.padding, kernel, stride, strict=True)
        height, width = ((n + 2 * p - k) // s + 1 for n, p, k, s in sides)
        if min(height, width) < 1:
            raise ValueError(f"pool kernel {kernel} is larger than its input {x.shape}")
        sites = prod(kernel)
        levels = x.levels * sites if self.mode == "average" else x.levels
        bound = 1 if self.mode == "max" else x.bound * sites
        return replace(x, shape=(x.shape[0], height, width), levels=levels, bound=bound)

    def layer(self, source: Signal) -> tuple[Synapse, Neuron]:
        """Synapse and neuron of the integer layer: sums, and neurons that pass them on or fire at any spike."""
        kernel, stride = self.sizes(source.shape)
        synapse: Synapse = PoolSynapse((kernel[0], kernel[1]), (stride[0], stride[1]))
        if any(self.padding):
            ones = np.ones((source.shape[0], 1, *kernel), np.int32)
            synapse = Conv(ones, (stride[0], stride[1]), (self.padding[0], self.padding[1]), groups=source.shape[0])
        return synapse, LIF(vth=0) if self.mode == "max" else Relay()  # full decay: this LIF keeps nothing

    def extra_repr(self) -> str:
        return f"kernel={self.kernel}, stride={self.stride}, mode={self.mode!r}, padding={self.padding}"


class Flatten(nn.Module):
    """(N, C, H, W, T) -> (N, C H W, T), in (C, H, W) order; it disappears in the integer network."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1, -2)

    def signal(self, *inputs: Signal) -> Signal:
        """The same spikes, in one column."""
        (x,) = inputs
        return replace(x, shape=(prod(x.shape), 1, 1))
