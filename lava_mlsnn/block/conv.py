"""Convolution block."""

from __future__ import annotations

from torch import nn

from ..helpers.check import integer, positive_ints
from .core import Block, Connection

Size = int | tuple[int, int]


class Conv(Block):
    """conv2d, batch norm, neuron.

    Args:
        in_features, out_features: channels.
        kernel: (rows, columns), or one int for both; stride, padding and dilation alike.
        stride, padding, dilation: of the convolution.
        neuron: module of (N, C, H, W, T); None returns the current.
        norm: batch norm before the neuron; the convolution has a bias only without it.
        groups: of the convolution.

    Shape:
        (N, C, H, W, T) -> (N, C', H', W', T).

    Example:
        >>> import torch
        >>> from lava_mlsnn.neuron import MultiLevel
        >>> Conv(3, 8, 3, stride=2, padding=1, neuron=MultiLevel(levels=4))(torch.rand(2, 3, 8, 8, 1)).shape
        torch.Size([2, 8, 4, 4, 1])
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        kernel: Size,
        stride: Size = 1,
        padding: Size = 0,
        *,
        neuron: nn.Module | None = None,
        norm: bool = True,
        dilation: Size = 1,
        groups: int = 1,
    ) -> None:
        super().__init__([conv(in_features, out_features, kernel, stride, padding, dilation, groups, norm)], neuron)


def conv(
    in_features: int,
    out_features: int,
    kernel: Size,
    stride: Size = 1,
    padding: Size = 0,
    dilation: Size = 1,
    groups: int = 1,
    norm: bool = True,
) -> Connection:
    """A convolution with its batch norm, to be summed with others in one :class:`Block`."""
    inputs, outputs = integer(in_features, "in_features", 1), integer(out_features, "out_features", 1)
    synapse = nn.Conv2d(
        inputs,
        outputs,
        _pair(kernel, "kernel"),
        _pair(stride, "stride"),
        _pair(padding, "padding", 0),
        _pair(dilation, "dilation"),
        groups,
        bias=not norm,
    )
    return Connection(synapse, nn.BatchNorm2d(outputs) if norm else None)


def identity() -> Connection:
    """Residual spikes put into a dendrite as they are (Spiking ResNet)."""
    return Connection(nn.Identity())


def _pair(size: Size, what: str, least: int = 1) -> tuple[int, int]:
    rows, columns = positive_ints(size, what, 2, least)
    return rows, columns
