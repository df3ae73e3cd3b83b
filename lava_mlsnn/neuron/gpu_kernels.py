"""The multi-level neuron in one Triton kernel forward and one backward, for all timesteps; imported where it is used.

The same operations in the same order as :mod:`lava_mlsnn.neuron.passes`, each rounded as IEEE 754 says (no fused
multiply-add, no approximate division), so the same bits. The tests hold them to that in Triton's interpreter, on a CPU;
they have not run on a GPU yet, which ``benchmarks/gpu.py`` does.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import torch
import triton
import triton.language as tl

from .memory import Runs
from .surrogate import Table

__all__ = ["backward", "forward"]

_BLOCK = 1024
_EXACT = {"enable_fp_fusion": False}


def forward(
    x: torch.Tensor,
    v: torch.Tensor | None,
    z: torch.Tensor,
    last: torch.Tensor | None,
    code: torch.Tensor | None,
    at: Runs,
    vth: float,
    rule: Any,
    table: Table | None,
) -> None:
    """As :func:`lava_mlsnn.neuron.cpu_kernels.forward`."""
    bins, low, high, offset = 1.0, 0.0, 0.0, 0
    if table is not None:
        bins, low, high = float(table.bins), table.low * table.bins, table.high * table.bins
        offset = -int(low) - table.wrap
    with _on(x):
        _forward[_grid(at)](
            x, v, z, last, code, *_shape(at), rule.gain, vth, float(rule.levels), rule.unit, bins, low, high, offset,
            whole=rule.whole, has_state=v is not None, keeps_state=last is not None, has_code=code is not None,
            block=_BLOCK, **_EXACT,
        )  # fmt: skip


def backward(
    code: torch.Tensor,
    grad_z: torch.Tensor,
    grad_v: torch.Tensor | None,
    grad_x: torch.Tensor,
    at: Runs,
    vth: float,
    rule: Any,
    table: Table,
    need_threshold: bool,
) -> torch.Tensor:
    """As :func:`lava_mlsnn.neuron.cpu_kernels.backward`."""
    (programs,) = _grid(at)
    sums = torch.zeros(programs if need_threshold else 1, dtype=torch.float32, device=code.device)
    with _on(code):
        _backward[(programs,)](
            code, grad_z, grad_v, grad_x, table.slope, table.threshold_slope, table.spikes, sums, *_shape(at)[:3],
            table.wrap, 1 / (rule.unit * vth), rule.gain,
            through_reset=rule.through_reset, has_state=grad_v is not None, need_threshold=need_threshold,
            block=_BLOCK, **_EXACT,
        )  # fmt: skip
    return sums.sum()


def _grid(at: Runs) -> tuple[int]:
    return (triton.cdiv(at.neurons, _BLOCK),)


def _shape(at: Runs) -> tuple[int, ...]:
    return at.neurons, at.length, at.steps, at.apart, at.step


def _on(t: torch.Tensor) -> Any:
    """Triton starts a kernel on the current device, which need not be that of ``t``."""
    return torch.cuda.device(t.device) if t.is_cuda else nullcontext()


@triton.jit
def _narrowed(value, dtype: tl.constexpr):
    """``value`` in ``dtype``, to the nearest, ties to even; done by hand for bfloat16, which the interpreter cuts."""
    if dtype == tl.bfloat16:
        bits = value.to(tl.uint32, bitcast=True)
        bits = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
        value = tl.where(value == value, bits.to(tl.float32, bitcast=True), value)
    return value.to(dtype)


@triton.jit
def _forward(
    x, v, z, last, code, neurons, length, steps, apart, step, gain, vth, levels, unit, bins, low, high, offset,
    whole: tl.constexpr, has_state: tl.constexpr, keeps_state: tl.constexpr, has_code: tl.constexpr,
    block: tl.constexpr,
):  # fmt: skip
    e = tl.program_id(0) * block + tl.arange(0, block)
    there = e < neurons
    run, i = (e // length).to(tl.int64), e % length
    state = tl.zeros([block], tl.float32)
    if has_state:
        state = tl.load(v + e, mask=there, other=0.0)
    for t in range(steps):
        h = tl.load(x + run * apart + t * step + i, mask=there, other=0.0).to(tl.float32) * gain
        if whole:  # to the nearest whole number, ties to even: adding 1.5 * 2^23 leaves no room for a fraction
            h = tl.where(tl.abs(h) < 4194304.0, (h + 12582912.0) - 12582912.0, h)
        h = h + state
        u = tl.div_rn(h, vth)
        s = tl.where(u < 0.0, 0.0, u)  # NaN stays NaN
        s = tl.floor(tl.where(s > levels, levels, s))
        to = (run * steps + t) * length + i
        tl.store(z + to, _narrowed(tl.div_rn(s, unit), z.dtype.element_ty), mask=there)
        if has_code:
            place = u * bins
            place = tl.where(place > low, place, low)  # NaN becomes low: a place that exists
            place = tl.where(place > high, high, place)
            tl.store(code + to, (place.to(tl.int32) + offset).to(code.dtype.element_ty), mask=there)
        state = h - s * vth
    if keeps_state:
        tl.store(last + e, state, mask=there)


@triton.jit
def _backward(
    code, grad_z, grad_v, grad_x, slope, threshold_slope, spikes, sums, neurons, length, steps, wrap, scale, gain,
    through_reset: tl.constexpr, has_state: tl.constexpr, need_threshold: tl.constexpr, block: tl.constexpr,
):  # fmt: skip
    e = tl.program_id(0) * block + tl.arange(0, block)
    there = e < neurons
    run, i = (e // length).to(tl.int64), e % length
    state = tl.zeros([block], tl.float32)
    total = tl.zeros([block], tl.float32)
    if has_state:
        state = tl.load(grad_v + e, mask=there, other=0.0)
    for back in range(steps):
        at = (run * steps + steps - 1 - back) * length + i
        gu = tl.load(grad_z + at, mask=there, other=0.0).to(tl.float32) * scale
        place = tl.load(code + at, mask=there, other=0).to(tl.int32) + wrap
        f = tl.load(slope + place, mask=there, other=0.0)
        if need_threshold:
            g = tl.load(threshold_slope + place, mask=there, other=0.0)
            moved = tl.load(spikes + place, mask=there, other=0.0)
            if through_reset:
                moved = moved + g
            total += gu * g - state * moved
        if through_reset:
            state = state + (gu - state) * f
        else:
            state = state + gu * f
        tl.store(grad_x + at, _narrowed(state * gain, grad_x.dtype.element_ty), mask=there)
    if has_state:
        tl.store(grad_v + e, state, mask=there)
    if need_threshold:
        tl.store(sums + tl.program_id(0), tl.sum(total, 0))
