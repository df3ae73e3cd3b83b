"""Synapses from each neuron to the one at its own place."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...graph.synapses import Identity, Injection
from ...helpers.check import Shape
from ..scatter import one_to_one
from .arrangement import Layout, Window, compiles, layout


def _layout(weight: Any, in_shape: Shape) -> Layout:
    channels, height, width = in_shape
    weights = np.broadcast_to(np.asarray(weight, np.int32), (channels,)).reshape(-1, 1, 1, 1)
    return layout(one_to_one, weights, Window(height, height, 1), Window(width, width, 1), groups=channels)


@compiles(Identity)
def _(synapse: Identity, in_shape: Shape) -> Layout:
    return _layout(synapse.weight, in_shape)


@compiles(Injection)
def _(synapse: Injection, in_shape: Shape) -> Layout:
    return _layout(1, in_shape)
