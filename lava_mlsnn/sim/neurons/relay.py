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


def _integrate_leakily(
    current: Lanes, v: Lanes, bias: Lanes, dv: Lanes, *, dv_bits: Lanes, shift: Lanes
) -> tuple[Lanes | None, ...]:
    return None, v - v.scaled(dv, dv_bits) + (current << shift) + bias


_readout, _leaky_readout = Kernel(_integrate, "v"), Kernel(_integrate_leakily, "v")


@compiles(Relay)
def _(neuron: Relay, bias: NDArray[np.int64]) -> Arranged:
    return _relay(bias=bias)


@compiles(Readout)
def _(neuron: Readout, bias: NDArray[np.int64]) -> Arranged:
    if neuron.leaky or neuron.shift:
        return _leaky_readout(bias=bias, dv=neuron.dv, dv_bits=neuron.dv_bits, shift=neuron.shift)
    return _readout(bias=bias)
