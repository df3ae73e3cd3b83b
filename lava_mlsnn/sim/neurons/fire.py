"""Multi-level firing with soft reset: multi-level, barrier and scheduled neurons."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...graph.neurons import Barrier, MultiLevel, Scheduled
from ..simd import Lanes
from .kernel import Arranged, Kernel, compiles

INT32_MAX = 2**31 - 1


def _step(current: Lanes, v: Lanes, bias: Lanes, threshold: Lanes, ceiling: Lanes, inverse: Lanes) -> tuple[Lanes, ...]:
    h = v + current + bias
    spikes = h.clip(0, ceiling).divided(threshold, inverse)
    return spikes, h - spikes * threshold


def _step_of_one_level(current: Lanes, v: Lanes, bias: Lanes, threshold: Lanes) -> tuple[Lanes, ...]:
    """The same without a quotient."""
    h = v + current + bias
    fired = h >= threshold
    return fired.count(), h - fired.where(threshold, 0)


def _step_of_offset(
    current: Lanes, v: Lanes, bias: Lanes, offset: Lanes, threshold: Lanes, ceiling: Lanes, inverse: Lanes
) -> tuple[Lanes, ...]:
    """The same with another bias in each step."""
    return _step(current, v, bias + offset, threshold, ceiling, inverse)


_with_offset = Kernel(_step_of_offset, "v")
_kernel, _one_level = Kernel(_step, "v", from_zero=True), Kernel(_step_of_one_level, "v", from_zero=True)


def _arranged(levels: int, threshold: Any, bias: NDArray[np.int64]) -> Arranged:
    if levels == 1:
        return _one_level(bias=bias, threshold=np.asarray(threshold, np.int64))
    return _kernel(bias=bias, **_divisor(levels, threshold))


def _divisor(levels: int, threshold: Any) -> dict[str, NDArray[Any]]:
    threshold = np.asarray(threshold, np.int64)
    ceiling = np.minimum(levels * threshold, INT32_MAX)
    return {"threshold": threshold, "ceiling": ceiling, "inverse": (1.0 / threshold).astype(np.float32).view(np.int32)}


@compiles(MultiLevel)
def _(neuron: MultiLevel, bias: NDArray[np.int64]) -> Arranged:
    return _arranged(neuron.levels, neuron.threshold, bias)


@compiles(Barrier)
def _(neuron: Barrier, bias: NDArray[np.int64]) -> Arranged:
    return _arranged(neuron.levels, 1, bias)


@compiles(Scheduled)
def _(neuron: Scheduled, bias: NDArray[np.int64]) -> Arranged:
    if neuron.offsets.ndim:
        return _with_offset(bias=bias, offset=neuron.offsets.T, **_divisor(neuron.levels, neuron.thresholds.T))
    return _arranged(neuron.levels, neuron.thresholds.T, bias)
