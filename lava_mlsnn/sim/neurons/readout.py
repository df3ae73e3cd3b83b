"""The readout, which integrates and never spikes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...graph.neurons import Readout
from ..simd import Lanes
from .kernel import Arranged, Kernel, compiles


def _step(current: Lanes, v: Lanes, bias: Lanes) -> tuple[Lanes | None, ...]:
    return None, v + current + bias


_kernel = Kernel(_step, "v")


@compiles(Readout)
def _(neuron: Readout, bias: NDArray[np.int64]) -> Arranged:
    return _kernel(bias=bias)
