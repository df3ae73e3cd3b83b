"""The readout, which integrates and never spikes, with or without a leak."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...graph.neurons import Readout
from ..simd import Lanes
from .kernel import Arranged, Kernel, compiles


def _step(current: Lanes, v: Lanes, bias: Lanes) -> tuple[Lanes | None, ...]:
    return None, v + current + bias


def _leaky(
    current: Lanes, v: Lanes, bias: Lanes, dv: Lanes, *, dv_bits: Lanes, shift: Lanes
) -> tuple[Lanes | None, ...]:
    return None, v - v.scaled(dv, dv_bits) + (current << shift) + bias


_kernel, _leaky_kernel = Kernel(_step, "v"), Kernel(_leaky, "v")


@compiles(Readout)
def _(neuron: Readout, bias: NDArray[np.int64]) -> Arranged:
    if neuron.leaky or neuron.shift:
        return _leaky_kernel(bias=bias, dv=neuron.dv, dv_bits=neuron.dv_bits, shift=neuron.shift)
    return _kernel(bias=bias)
