"""Linear nodes of NIR read as maps of (C, H, W)."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..graph.size import LARGEST
from ..helpers.check import Shape, positive_ints
from .map import Floats, Map, identity, pool, require_values
from .neuron import spread, to_float

Pair = tuple[int, int]


def linear(name: str, node: Any, in_shape: Shape, flat: bool, largest: int = LARGEST) -> tuple[Map, Floats]:
    """The map of a linear node and its bias, a scalar or one per output channel.

    Args:
        name: of the node.
        node: Conv1d, Conv2d, Affine, Linear, SumPool2d, AvgPool2d or Scale.
        in_shape: (C, H, W) of what it reads.
        flat: whether a Flatten has made that a vector.
        largest: most weights of a pool, which the file need not hold.

    Raises:
        ValueError: parameters that do not fit; names node and value.
    """
    kind = type(node).__name__
    if flat and kind not in ("Affine", "Linear", "Scale"):
        raise ValueError(f"NIR node {name!r}: a {kind} cannot follow a Flatten")
    if kind in ("Affine", "Linear"):
        return _dense(name, node, in_shape, flat)
    if kind == "Scale":
        scale = spread(f"NIR node {name!r}: scale", node.scale, in_shape)
        if np.any(scale != scale[:, :1, :1]):
            raise ValueError(f"NIR node {name!r}: scale differs within a channel, expected one number per channel")
        return identity(in_shape[0], scale[:, 0, 0]), np.zeros(())
    if kind in ("Conv1d", "Conv2d"):
        return _conv(name, node)
    kernel, stride = (_pair(name, key, getattr(node, key), 1) for key in ("kernel_size", "stride"))
    padding = _pair(name, "padding", node.padding, 0)
    require_values(in_shape[0] * prod(kernel), 1, largest, f"NIR node {name!r}")
    return pool(in_shape[0], kernel, stride, padding, kind == "AvgPool2d"), np.zeros(())


def _dense(name: str, node: Any, in_shape: Shape, flat: bool) -> tuple[Map, Floats]:
    weight = to_float(f"NIR node {name!r}: weight", node.weight)
    if weight.ndim != 2:
        raise ValueError(f"NIR node {name!r}: weight of shape {weight.shape}: expected (outputs, inputs)")
    if not flat and in_shape[1:] != (1, 1):
        raise ValueError(f"NIR node {name!r} reads {in_shape}: expected a Flatten before a {type(node).__name__}")
    bias = to_float(f"NIR node {name!r}: bias", node.bias) if hasattr(node, "bias") else np.zeros(())
    return Map("dense", weight), bias


def _conv(name: str, node: Any) -> tuple[Map, Floats]:
    weight = to_float(f"NIR node {name!r}: weight", node.weight)
    line = type(node).__name__ == "Conv1d"
    if weight.ndim != (3 if line else 4):
        raise ValueError(
            f"NIR node {name!r}: weight of shape {weight.shape}: expected {'(O, I, K)' if line else '(O, I, Kh, Kw)'}"
        )
    stride, dilation = (_pair(name, key, getattr(node, key), 1) for key in ("stride", "dilation"))
    if line:  # along the width of maps of height one
        weight, stride, dilation = weight[:, :, None], (1, stride[1]), (1, dilation[1])
    kernel = (weight.shape[2], weight.shape[3])
    padding = _conv_padding(name, node.padding, kernel, stride, dilation)
    padding = (0, padding[1]) if line else padding
    (groups,) = positive_ints(node.groups, f"NIR node {name!r}: groups", 1)
    bias = to_float(f"NIR node {name!r}: bias", node.bias)
    return Map("conv", weight, stride, padding, dilation, groups), bias


def _conv_padding(name: str, value: Any, kernel: Pair, stride: Pair, dilation: Pair) -> Pair:
    text = value.decode() if isinstance(value, bytes) else value
    if not isinstance(text, str):
        return _pair(name, "padding", text, 0)
    if text == "valid":
        return 0, 0
    total = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    if text != "same" or stride != (1, 1) or any(t % 2 for t in total):
        raise ValueError(
            f"NIR node {name!r}: padding {text!r} with kernel {kernel}, stride {stride}: "
            "expected numbers, 'valid', or 'same' that is the same on both sides"
        )
    return total[0] // 2, total[1] // 2


def _pair(name: str, key: str, value: Any, low: int) -> Pair:
    sizes = np.atleast_1d(np.asarray(value))
    first, second = positive_ints(sizes if sizes.size > 1 else sizes[0], f"NIR node {name!r}: {key}", 2, low)
    return first, second


def flattens(node: Any, shape: Shape) -> bool:
    """Whether a Flatten node makes one vector of (C, H, W); axes of size one need not take part."""
    start, end = int(node.start_dim), int(node.end_dim)
    declared = node.input_type.get("input") if isinstance(node.input_type, dict) else None
    sizes = shape if declared is None else tuple(int(n) for n in np.atleast_1d(declared))
    start, end = (axis + len(sizes) if axis < 0 else axis for axis in (start, end))
    outside = (*sizes[: max(start, 0)], *sizes[end + 1 :])
    return int(np.prod(outside)) == 1
