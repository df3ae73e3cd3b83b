"""Dense synapses, with and without delays."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...graph.synapses import DelayDense, Dense
from ...helpers.check import Shape
from ..rows import rows
from .arrangement import Layout, Window, compiles, layout


def _rows(matrix: NDArray[Any], in_shape: Shape) -> NDArray[Any]:
    """A matrix (O, I) as the kernels read it, (I, 1, 1, O): a row for each input neuron, which lie (H, W, C)."""
    features = len(matrix)
    return matrix.reshape(features, *in_shape).transpose(2, 3, 1, 0).reshape(-1, 1, 1, features)


@compiles(Dense, DelayDense)
def _(synapse: Dense | DelayDense, in_shape: Shape) -> Layout:
    weight = _rows(synapse.weight, in_shape)
    found = layout(rows, weight, Window(1, 1, 1), Window(1, 1, 1), flat=True)
    if isinstance(synapse, Dense):
        return found
    late = _rows(np.broadcast_to(synapse.delays, synapse.weight.shape), in_shape)
    delays = tuple(sorted({0, *synapse.ages}))
    stacked = np.zeros((len(delays), *weight.shape), found.weight.dtype)  # a row for each delay and input neuron
    for part, d in zip(stacked, delays, strict=True):
        np.copyto(part, found.weight, where=late == d)
    return replace(found, weight=stacked.reshape(-1, *weight.shape[1:]), delays=delays)
