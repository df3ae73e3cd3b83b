"""The staircase neuron: as many levels as thresholds were reached."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...graph.neurons import Staircase
from ..simd import Lanes
from .kernel import Arranged, Kernel, Rows, compiles


def _step(current: Lanes, bias: Lanes, thresholds: Rows) -> tuple[Lanes, ...]:
    h = current + bias
    return (thresholds.total(lambda threshold: (h >= threshold).count()),)


_kernel = Kernel(_step)


@compiles(Staircase)
def _(neuron: Staircase, bias: NDArray[np.int64]) -> Arranged:
    return _kernel(bias=bias, thresholds=neuron.thresholds.T)
