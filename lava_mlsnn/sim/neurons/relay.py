"""The relay, which has no dynamics."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...graph.neurons import Relay
from ..simd import Lanes
from .kernel import Arranged, Kernel, compiles


def _step(current: Lanes, bias: Lanes) -> tuple[Lanes, ...]:
    return (current + bias,)


_kernel = Kernel(_step)


@compiles(Relay)
def _(neuron: Relay, bias: NDArray[np.int64]) -> Arranged:
    return _kernel(bias=bias)
