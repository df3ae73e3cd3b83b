"""The current-based LIF in its variants: one kernel per variant, without what that variant does not need."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
from numpy.typing import NDArray

from ...graph.neurons import CubaLIF
from ..simd import Lanes
from .fire import INT32_MAX
from .kernel import Arranged, Kernel, compiles


def _variant(hard: bool, reset: str) -> Callable[..., tuple[Lanes, ...]]:
    def step(
        current: Lanes,
        u: Lanes,
        v: Lanes,
        bias: Lanes,
        drive: Lanes,
        du: Lanes,
        dv: Lanes,
        threshold: Lanes,
        ceiling: Lanes,
        inverse: Lanes,
        v_reset: Lanes,
        floor: Lanes,
        *,
        du_bits: Lanes,
        dv_bits: Lanes,
        gain: Lanes,
        strict: Lanes,
        leaks_input: Lanes,
    ) -> tuple[Lanes, ...]:
        def fired(h: Lanes) -> Lanes:
            return (h - strict).clip(0, ceiling).divided(threshold, inverse)

        incoming = current * gain + bias
        u = u + incoming - (u + (incoming & leaks_input)).scaled(du, du_bits)
        h = v - v.scaled(dv, dv_bits) + u + drive
        if reset == "next":
            owed = fired(v)
            h = (owed > 0).where(v_reset, h) if hard else h - owed * threshold
            return fired(h), u, h.clip(floor, INT32_MAX)
        z = fired(h - (v > threshold).where(threshold, 0) if reset == "owed" else h)
        left = (z > 0).where(v_reset, h) if hard else h - z * threshold
        return z, u, left.clip(floor, INT32_MAX)

    return step


_KERNELS = {
    (hard, reset): Kernel(_variant(hard, reset), "u", "v")
    for hard, reset in product((False, True), ("same", "next", "owed"))
    if not (hard and reset == "owed")
}


@compiles(CubaLIF)
def _(neuron: CubaLIF, bias: NDArray[np.int64]) -> Arranged:
    threshold = neuron.threshold.astype(np.int64)
    return _KERNELS[neuron.hard, neuron.reset](
        bias=bias,
        drive=neuron.drive,
        du=neuron.du,
        dv=neuron.dv,
        threshold=threshold,
        ceiling=np.minimum(neuron.levels * threshold, INT32_MAX),
        inverse=(1.0 / threshold).astype(np.float32).view(np.int32),
        v_reset=neuron.v_reset,
        floor=neuron.floor,
        du_bits=neuron.du_bits,
        dv_bits=neuron.dv_bits,
        gain=neuron.gain,
        strict=int(neuron.strict),
        leaks_input=-int(neuron.leaks_input),
    )
