"""Neurons behind a batch norm per timestep: SoftLIF and Rescale."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...graph.neurons import Rescale, SoftLIF
from ..simd import Lanes
from .kernel import Arranged, Kernel, compiles
from .lif import decay


def _soft_lif_step(
    current: Lanes,
    v: Lanes,
    scale: Lanes,
    shift: Lanes,
    offset: Lanes,
    threshold: Lanes,
    *,
    keep: Lanes,
    amplitude: Lanes,
    reached: Lanes,
) -> tuple[Lanes, ...]:
    h = decay(v, keep) + current.scaled(scale, shift) + offset
    fired = h > threshold - reached
    return fired.where(amplitude, 0), h - fired.where(threshold, 0)


_soft_lif = Kernel(_soft_lif_step, "v")


@compiles(SoftLIF)
def _(neuron: SoftLIF, bias: NDArray[np.int64]) -> Arranged:
    return _soft_lif(
        scale=neuron.scale.T,
        shift=neuron.shift,
        offset=neuron.offset.T,
        threshold=neuron.threshold,
        keep=4096 - neuron.dv,
        amplitude=neuron.amplitude,
        reached=1 - neuron.strict,
    )


def _rescale_step(current: Lanes, scale: Lanes, shift: Lanes, offset: Lanes, *, limit: Lanes) -> tuple[Lanes, ...]:
    return ((current.scaled(scale, shift) + offset).clip(-limit, limit),)


_rescale = Kernel(_rescale_step)


@compiles(Rescale)
def _(neuron: Rescale, bias: NDArray[np.int64]) -> Arranged:
    return _rescale(scale=neuron.scale.T, shift=neuron.shift, offset=neuron.offset.T, limit=neuron.limit)
