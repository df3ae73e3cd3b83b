"""Neurons that pass on what they received a step ago."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...graph.neurons import Late
from ..simd import Lanes
from .kernel import Arranged, Kernel, compiles


def _step(current: Lanes, held: Lanes) -> tuple[Lanes, ...]:
    return held, current


_kernel = Kernel(_step, "held")


@compiles(Late)
def _(neuron: Late, bias: NDArray[np.int64]) -> Arranged:
    return _kernel()
