"""Each neuron to one place in a map."""

from __future__ import annotations

from math import prod

import numpy as np

from ...graph.synapses import Unflatten
from ...helpers.check import Shape
from ..rows import rows
from ..scatter import each_tap
from .arrangement import Layout, Window, compiles, layout


@compiles(Unflatten)
def _(synapse: Unflatten, in_shape: Shape) -> Layout:
    channels, height, width = synapse.out_shape(in_shape)
    sites = height * width
    if in_shape[1:] == (1, 1):  # a map of one site, which the tap k from the last reaches at the k-th place
        weight = np.tile(np.eye(sites, dtype=np.int32)[::-1], (channels, 1)).reshape(-1, height, width, 1)
        windows = [Window(1, out, out, padding=out - 1) for out in (height, width)]
        return layout(each_tap, weight, *windows, groups=channels)
    place = np.arange(prod(in_shape)).reshape(in_shape).transpose(1, 2, 0).ravel()  # of the inputs as they lie
    weight = np.zeros((len(place), 1, sites, channels), np.int32)
    weight[np.arange(len(place)), 0, place % sites, place // sites] = 1
    return layout(rows, weight, Window(1, 1, 1), Window(1, sites, sites, padding=sites - 1), flat=True)
