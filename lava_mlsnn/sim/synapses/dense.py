"""Dense synapses, with and without delays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...graph.synapses import DelayDense, Dense
from ...helpers.check import Shape
from ..rows import rows
from .arrangement import Layout, Window, compiles, layout


def _layout(weights: Sequence[NDArray[Any]], in_shape: Shape, delays: tuple[int, ...] = (0,)) -> Layout:
    """``weights`` (O, I) of every delay: a row for each of them and each input neuron."""
    features = len(weights[0])
    parts = [weight.reshape(features, *in_shape).transpose(2, 3, 1, 0) for weight in weights]
    stacked = np.stack(parts).reshape(-1, 1, 1, features)
    return layout(rows, stacked, Window(1, 1, 1), Window(1, 1, 1), flat=True, delays=delays)


@compiles(Dense)
def _(synapse: Dense, in_shape: Shape) -> Layout:
    return _layout([synapse.weight], in_shape)


@compiles(DelayDense)
def _(synapse: DelayDense, in_shape: Shape) -> Layout:
    delays = tuple(sorted({0, *synapse.ages}))
    return _layout([np.where(synapse.delays == d, synapse.weight, 0) for d in delays], in_shape, delays)
