"""Pooling and flattening: blocks without weights."""

from __future__ import annotations

from math import prod

from torch import Tensor, nn
from torch.nn import functional as F

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
            does in the next weights; "max" trains but has no integer counterpart.

    Shape:
        (N, C, H, W, T) -> (N, C, H', W', T).

    Raises:
        ValueError: unknown mode.

    Example:
        >>> import torch
        >>> Pool(2)(torch.ones(1, 3, 4, 4, 1)).unique()
        tensor([4.])
    """

    def __init__(
        self,
        kernel: int | tuple[int, int] | None = 2,
        stride: int | tuple[int, int] | None = None,
        mode: str = "sum",
    ) -> None:
        super().__init__()
        choice(mode, "pool mode", MODES)
        self.kernel = None if kernel is None else positive_ints(kernel, "pool kernel", 2)
        self.stride = self.kernel if stride is None else positive_ints(stride, "pool stride", 2)
        self.mode = mode
        self.quantization: Quantization | None = None

    def forward(self, x: Tensor) -> Tensor:
        y, steps = fold_time(x)
        kernel, stride = self.sizes((y.shape[1], y.shape[2], y.shape[3]))
        if self.mode == "max":
            pooled = F.max_pool2d(y, kernel, stride)
        else:
            whole = self.mode == "sum" or self.quantization is not None  # integers are summed, never divided
            pooled = F.avg_pool2d(y, kernel, stride, divisor_override=1 if whole else None)
        out = unfold_time(pooled, steps)
        return out if steps == x.shape[-1] else out.expand(*out.shape[:-1], x.shape[-1])

    def sizes(self, shape: Shape) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Kernel and stride for an input of ``shape``."""
        whole = (shape[1], shape[2])
        return self.kernel or whole, self.stride or whole

    def signal(self, *inputs: Signal) -> Signal:
        """Sums of spikes; an average only changes the unit. ValueError for max."""
        if self.mode == "max":
            raise ValueError(
                "max pooling has no integer layer: the maximum of graded spikes is not a sum, which is all that a "
                "dendrite computes; expected mode 'sum' or 'average', or a stride in the convolution before it"
            )
        (x,) = inputs
        kernel, stride = self.sizes(x.shape)
        height, width = ((n - k) // s + 1 for n, k, s in zip(x.shape[1:], kernel, stride, strict=True))
        if min(height, width) < 1:
            raise ValueError(f"pool kernel {kernel} is larger than its input {x.shape}")
        sites = prod(kernel)
        levels = x.levels * sites if self.mode == "average" else x.levels
        return Signal((x.shape[0], height, width), levels, x.bound * sites)

    def extra_repr(self) -> str:
        return f"kernel={self.kernel}, stride={self.stride}, mode={self.mode!r}"


class Flatten(nn.Module):
    """(N, C, H, W, T) -> (N, C H W, T), in (C, H, W) order; it disappears in the integer network."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1, -2)

    def signal(self, *inputs: Signal) -> Signal:
        """The same spikes, in one column."""
        (x,) = inputs
        return Signal((prod(x.shape), 1, 1), x.levels, x.bound)
