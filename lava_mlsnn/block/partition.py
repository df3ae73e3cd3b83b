"""Windows of a feature map as tensors: partition, condensation and the region threshold ([Yao2023], section 3.1)."""

from __future__ import annotations

import torch
from torch import Tensor

from ..graph.windows import Windows
from ..neuron.straight import straight_through


def partition(x: Tensor, windows: Windows) -> Tensor:
    """Cut feature maps into their windows, in the order in which the groups fire.

    Shape:
        x: (N, C, H, W) -> (groups, N, C, h, w), a copy.

    Raises:
        ValueError: a map of another size.

    Example:
        >>> x = torch.arange(16.0).reshape(1, 1, 4, 4)
        >>> partition(x, Windows(4, 4, 4, dilated=True))[3, 0, 0]
        tensor([[ 5.,  6.,  7.],
                [ 9., 10., 11.],
                [13., 14., 15.]])
    """
    if x.ndim != 4 or tuple(x.shape[2:]) != (windows.height, windows.width):
        raise ValueError(f"window partition: expected (N, C, {windows.height}, {windows.width}), got {tuple(x.shape)}")
    rows, columns = windows.size
    return torch.stack([x[:, :, i : i + rows, j : j + columns] for i, j in windows.offsets])


def condense(groups: Tensor, windows: Windows) -> Tensor:
    r"""Merge windows into a map; where c of them overlap, their sum is divided by c (weighted condense).

    This is Algorithm 1 of [Yao2023]: G_1 with G_2 and G_3 with G_4 along columns, then both along rows. With
    :math:`w_o = 2M - L` (or 0 for normal windows), two windows A and B of size M become

    .. math:: [A_{0 : M - w_o},\ (A_{M - w_o : M} + B_{0 : w_o}) / 2,\ B_{w_o : M}] ,

    so that a site under four windows is divided by 2 twice. Division by 2 and 4 is exact in floating point.

    Shape:
        groups: (groups, N, C, h, w) -> (N, C, H, W).

    Raises:
        ValueError: windows of another number or size.

    Source:
        [Yao2023], Algorithm 1.

    Example:
        >>> ones = torch.ones(4, 1, 1, 3, 3)
        >>> condense(ones, Windows(4, 4, 4, dilated=True)).unique()
        tensor([1.])
    """
    if groups.ndim != 5 or len(groups) != windows.groups or tuple(groups.shape[3:]) != windows.size:
        expected = ", ".join(map(str, windows.size))
        raise ValueError(f"condense: expected ({windows.groups}, N, C, {expected}), got {tuple(groups.shape)}")
    rows, columns = windows.grid
    bands = []
    for i in range(rows):
        band = groups[i * columns]
        for j in range(1, columns):
            band = _joined(band, groups[i * columns + j], 3, windows.width)
        bands.append(band)
    whole = bands[0]
    for band in bands[1:]:
        whole = _joined(whole, band, 2, windows.height)
    return whole


def _joined(first: Tensor, second: Tensor, axis: int, length: int) -> Tensor:
    size = first.shape[axis]
    overlap = 2 * size - length
    alone, shared = first.split((size - overlap, overlap), axis)
    other, rest = second.split((overlap, size - overlap), axis)
    return torch.cat((alone, (shared + other) / 2, rest), axis)


def region_threshold(median: Tensor, levels: int = 1, threshold: float = 0.1) -> Tensor:
    r"""Turn median spikes into spikes.

    [Yao2023] has binary spikes: a median spike Ms (0.25, 0.5 ..) above the region threshold 0.1 becomes 1. With N
    levels each level is such a step, from the whole spike below it:

    .. math:: z = \#\{k : 0 \le k < N,\ Ms - k > Th_R\} = \mathrm{clip}(\lceil Ms - Th_R \rceil, 0, N) .

    The gradient passes straight through.

    Args:
        median: condensed whole numbers, 0 .. N.
        levels: N; 1 is the paper's.
        threshold: Th_R.

    Source:
        [Yao2023], section 3.1; N > 1 is an extension.

    Example:
        >>> region_threshold(torch.tensor([0.0, 0.25, 0.5, 1.0])), region_threshold(torch.tensor([1.0, 1.25]), 4)
        (tensor([0., 1., 1., 1.]), tensor([1., 2.]))
    """
    whole = straight_through(lambda x: (x - threshold).ceil() + 0.0, median)  # + 0.0: no minus zero
    return whole.clamp(0, levels)
