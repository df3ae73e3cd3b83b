"""The input of a network: the value of an integer pixel, and how an image is presented."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..graph.graph import Input as NetxInput
from ..helpers.check import Shape, integer
from .integer import Quantization, round_through
from .signal import Signal


class Input(nn.Module):
    """First block of a network: converts integer messages to training's units and presents them T times.

    Args:
        shape: (C, H, W).
        scale: value of one integer step: 1 / 255 for 8-bit pixels in 0 .. 1, 1 for spikes.
        bits: width of a message; with ``signed`` its range is -2^(bits-1) .. 2^(bits-1) - 1, else 0 .. 2^bits - 1.
        steps: T, how often an image without time axis is presented.
        signed: whether messages have a sign.

    Shape:
        (N, C, H, W, T), or images (N, C, H, W), which are presented at each of ``steps`` steps -> (N, C, H, W, T).
        Floating-point tensors are in training's units; integer tensors hold messages and are multiplied by ``scale``.
        In quantized mode the output holds messages: numbers are rounded to the nearest one and clipped to its range.

    Raises:
        ValueError: another shape.

    Example:
        >>> Input((1, 8, 8), scale=1 / 16, bits=5, steps=2)(torch.full((3, 1, 8, 8), 0.5)).shape
        torch.Size([3, 1, 8, 8, 2])
    """

    def __init__(
        self, shape: Shape, scale: float = 1 / 255, bits: int = 8, steps: int = 1, signed: bool = False
    ) -> None:
        super().__init__()
        self.netx = NetxInput(shape, scale, bits, signed)
        self.steps = integer(steps, "steps", 1)
        self.quantization: Quantization | None = None
        self.anchor: Tensor
        self.register_buffer("anchor", torch.zeros(()), persistent=False)  # follows the network's dtype

    @property
    def pixel_scale(self) -> float:
        """Value of one integer step of the images that training shows."""
        return self.netx.scale

    @property
    def pixel_bits(self) -> int:
        """Width of their pixels."""
        return self.netx.bits

    @property
    def shape(self) -> Shape:
        """(C, H, W)."""
        return self.netx.shape

    def forward(self, x: Tensor) -> Tensor:
        x = self.presented(x)
        if self.quantization is not None:
            return self.messages(x)
        return x if x.is_floating_point() else x.to(self.anchor.dtype) * self.netx.scale

    def messages(self, x: Tensor) -> Tensor:
        """The integers that the integer network receives for ``x``, as floating point numbers.

        >>> Input((1, 1, 1), scale=1 / 4, bits=2).messages(torch.tensor([0.26, 9.0]))
        tensor([1., 3.])
        """
        low, high = (-self.netx.bound, self.netx.bound - 1) if self.netx.signed else (0, self.netx.bound)
        if not x.is_floating_point():
            return x.to(self.anchor.dtype).clamp(low, high)
        return round_through(x / self.netx.scale).clamp(low, high)

    def presented(self, x: Tensor) -> Tensor:
        """``x`` with its time axis; an image is repeated without being copied."""
        if x.ndim not in (4, 5) or tuple(x.shape[1:4]) != self.shape:
            sizes = ", ".join(map(str, self.shape))
            raise ValueError(f"network input: expected shape (N, {sizes}) or (N, {sizes}, T), got {tuple(x.shape)}")
        if self.quantization is not None and x.ndim == 5 and x.shape[-1] > self.steps:
            raise ValueError(
                f"network input: expected at most steps={self.steps} timesteps in quantized mode, got {x.shape[-1]}"
            )
        return x if x.ndim == 5 else x.unsqueeze(-1).expand(*x.shape, self.steps)

    def signal(self) -> Signal:
        """What the first layer receives."""
        return Signal(self.shape, 1 / self.netx.scale, self.netx.bound, signed=self.netx.signed)

    def extra_repr(self) -> str:
        n = self.netx
        return f"{n.shape}, scale={n.scale:.6g}, bits={n.bits}, steps={self.steps}" + (", signed" if n.signed else "")
