"""Convolutions and sum pooling."""

from __future__ import annotations

import numpy as np

from ...graph.synapses import Conv, Pool
from ...helpers.check import Shape
from ..rows import rows
from ..scatter import each_tap
from .arrangement import Layout, Window, compiles, layout


@compiles(Conv)
def _(synapse: Conv, in_shape: Shape) -> Layout:
    channels, *size = in_shape
    _, *out = synapse.out_shape(in_shape)
    kernel, groups = synapse.weight.shape[2:], synapse.groups
    windows = [
        Window(*axis) for axis in zip(size, out, kernel, synapse.stride, synapse.padding, synapse.dilation, strict=True)
    ]
    weight = synapse.weight.reshape(groups, -1, *synapse.weight.shape[1:]).transpose(0, 2, 3, 4, 1)
    weight = weight.reshape(channels, *kernel, -1)
    if groups > 1:
        return layout(each_tap, weight, *windows, groups=groups)
    return layout(rows, weight[:, :, windows[1].order()], *windows)


@compiles(Pool)
def _(synapse: Pool, in_shape: Shape) -> Layout:
    channels, *size = in_shape
    _, *out = synapse.out_shape(in_shape)
    windows = [Window(*axis) for axis in zip(size, out, synapse.kernel, synapse.stride, strict=True)]
    return layout(each_tap, np.ones((channels, *synapse.kernel, 1), np.int32), *windows, groups=channels)
