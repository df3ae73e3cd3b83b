"""Neurons without dynamics, and the readout that only integrates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...graph.neurons import Readout, Relay
from ..simd import Lanes
from .kernel import Arranged, Kernel, compiles

_relay = Kernel(lambda current, bias: (current + bias,))


def _integrate(current: Lanes, v: Lanes, bias: Lanes) -> tuple[Lanes | None, ...]:
    return None, v + current + bias


_readout = Kernel(_integrate, "v")


@compiles(Relay)
def _(neuron: Relay, bias: NDArray[np.int64]) -> Arranged:
    return _relay(bias=bias)


@compiles(Readout)
def _(neuron: Readout, bias: NDArray[np.int64]) -> Arranged:
    return _readout(bias=bias)
