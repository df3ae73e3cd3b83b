"""The multi-level neuron in one compiled pass over memory on a CPU, forward and backward, any number of threads.

The same operations in the same order as :mod:`lava_mlsnn.neuron.passes`, so the same bits. Neurons are treated in
blocks that stay in the first-level cache through all timesteps; what a block computes does not depend on which thread
has it. Imported only where it is used, as numba takes a while.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numba
import numpy as np
import torch

from ..helpers import compiling
from .memory import Runs
from .surrogate import Table

__all__ = ["backward", "forward"]

_BLOCK = 1 << 11
_SHARE = 1 << 15
"""Fewer values than this are not worth a thread of their own."""


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
    """Write the neuron's output to ``z``, which may be ``x`` itself, V to ``last`` and the table's entries to ``code``.

    Shape:
        all in one axis, as :class:`lava_mlsnn.neuron.memory.Runs` says.
    """
    f = np.float32
    code_array = np.empty(0, np.int16) if code is None else code.numpy()
    bins, low, high, offset = 1, 0.0, 0.0, 0
    if table is not None:
        bins, low, high = table.bins, table.low * table.bins, table.high * table.bins
        offset = -int(low) - table.wrap
    arrays = (*_pair(x), *_pair(z), code_array, _float(v), _float(last))
    numbers = (rule.whole, f(rule.gain), f(vth), f(rule.levels), f(rule.unit))
    shift = _is_power_of_two(vth) and _is_power_of_two(rule.unit)
    inverses = (shift, f(1 / vth), f(1 / rule.unit)) if shift else (shift, f(0), f(0))
    _share_out(_forward, at, *arrays, *numbers, *inverses, f(bins), f(low), f(high), code_array.dtype.type(offset))


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
    """Turn ``grad_v`` from dL/dV(T) into dL/dV(0), fill ``grad_x``, return dL/dVth, 0 if it is not needed."""
    f = np.float32
    sums = np.zeros(-(-at.neurons // _BLOCK), f)
    values = (table.slope.numpy(), table.threshold_slope.numpy(), table.spikes.numpy())
    arrays = (code.numpy(), *_pair(grad_z), *_pair(grad_x), _float(grad_v), *values, sums)
    numbers = (table.wrap, f(1 / (rule.unit * vth)), f(rule.gain), rule.through_reset, need_threshold)
    _share_out(_backward, at, *arrays, *numbers)
    return torch.tensor(sums.sum(dtype=np.float64), dtype=torch.float32)


def _is_power_of_two(x: float) -> bool:
    """Whether a product with 1/x, which takes a fraction of the time, has the bits of the quotient in float32."""
    return math.frexp(x)[0] == 0.5 and 2**-64 <= x <= 2**64


def _pair(t: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """``t`` as float32, or as the 16 bits of each bfloat16; the other one is empty."""
    if t.dtype == torch.bfloat16:
        return np.empty(0, np.float32), t.detach().view(torch.int16).numpy().view(np.uint16)
    return t.detach().numpy(), np.empty(0, np.uint16)


def _float(t: torch.Tensor | None) -> np.ndarray:
    return np.empty(0, np.float32) if t is None else t.detach().numpy()


def _share_out(function: Callable[..., None], at: Runs, *arguments: Any) -> None:
    """Call a kernel for all blocks, on as many threads as torch uses."""
    if function not in _COMPILED:
        _COMPILED[function] = _compile(function)
    kernel, blocks = _COMPILED[function], -(-at.neurons // _BLOCK)
    threads = min(torch.get_num_threads(), blocks, max(1, at.neurons * at.steps // _SHARE))
    shape = (at.neurons, at.length, at.steps, at.apart, at.step)
    parts = list(pairwise(blocks * i // threads for i in range(threads + 1)))
    others = [_pool(threads - 1).submit(kernel, *part, *shape, *arguments) for part in parts[1:]]
    kernel(*parts[0], *shape, *arguments)
    for other in others:
        other.result()


_COMPILED: dict[Callable[..., None], Any] = {}
_POOLS: dict[int, ThreadPoolExecutor] = {}


def _pool(threads: int) -> ThreadPoolExecutor:
    if threads not in _POOLS:
        _POOLS[threads] = ThreadPoolExecutor(threads, thread_name_prefix="lava_mlsnn neurons")
    return _POOLS[threads]


os.register_at_fork(after_in_child=_POOLS.clear)  # a forked process has none of its parent's threads


def _compile(function: Callable[..., None]) -> Any:
    compiling.watch()
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "boundscheck": False}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # nowhere to write a cache: a read-only installation and no home
        return numba.njit(**options)(function)


def _forward(
    first: Any, stop: Any, neurons: Any, length: Any, steps: Any, apart: Any, step: Any,
    x: Any, x16: Any, z: Any, z16: Any, code: Any, v: Any, last: Any,
    whole: Any, gain: Any, vth: Any, levels: Any, unit: Any,
    shift: Any, per_vth: Any, per_unit: Any, bins: Any, low: Any, high: Any, offset: Any,
) -> None:  # fmt: skip
    bits = np.empty(_BLOCK, np.uint32)
    wide = bits.view(np.float32)
    h, out, state = np.empty(_BLOCK, np.float32), np.empty(_BLOCK, np.float32), np.empty(_BLOCK, np.float32)
    zero = np.float32(0)
    begin, end = first * _BLOCK, min(stop * _BLOCK, neurons)
    while begin < end:
        run = begin // length
        i = begin - run * length
        m = min(_BLOCK - begin % _BLOCK, length - i, end - begin)
        if len(v):
            state[:m] = v[begin : begin + m]
        for t in range(steps):
            a, b = run * apart + t * step + i, (run * steps + t) * length + i
            if len(x16):
                source = x16[a : a + m]
                for e in range(m):
                    bits[e] = np.uint32(source[e]) << np.uint32(16)
                current = wide[:m]
            else:
                current = x[a : a + m]
            if whole:
                for e in range(m):
                    h[e] = np.rint(current[e] * gain)
            else:
                for e in range(m):
                    h[e] = current[e] * gain
            if t > 0 or len(v):
                for e in range(m):
                    h[e] += state[e]
            spiking = out[:m] if len(z16) else z[b : b + m]
            for e in range(m):
                u = h[e] * per_vth if shift else h[e] / vth
                s = zero if u < zero else u  # NaN stays NaN
                s = np.floor(levels if s > levels else s)
                spiking[e] = s * per_unit if shift else s / unit
                state[e] = h[e] - s * vth
                h[e] = u
            if len(z16):
                _narrow(out.view(np.uint32), z16[b : b + m])
            if len(code):
                places = code[b : b + m]
                for e in range(m):
                    place = h[e] * bins
                    place = place if place > low else low  # NaN becomes low: a place that exists
                    place = high if place > high else place
                    places[e] = np.int32(place) + offset
        if len(last):
            last[begin : begin + m] = state[:m]
        begin += m


def _backward(
    first: Any, stop: Any, neurons: Any, length: Any, steps: Any, apart: Any, step: Any,
    code: Any, grad_z: Any, grad_z16: Any, grad_x: Any, grad_x16: Any, grad_v: Any,
    slope: Any, threshold_slope: Any, spikes: Any, sums: Any,
    wrap: Any, scale: Any, gain: Any, through_reset: Any, need_threshold: Any,
) -> None:  # fmt: skip
    bits = np.empty(_BLOCK, np.uint32)
    wide = bits.view(np.float32)
    gu, out, state = np.empty(_BLOCK, np.float32), np.empty(_BLOCK, np.float32), np.empty(_BLOCK, np.float32)
    begin, end = first * _BLOCK, min(stop * _BLOCK, neurons)
    while begin < end:
        run = begin // length
        i = begin - run * length
        m = min(_BLOCK - begin % _BLOCK, length - i, end - begin)
        if len(grad_v):
            state[:m] = grad_v[begin : begin + m]
        else:
            state[:m] = np.float32(0)
        for back in range(steps):
            b = (run * steps + steps - 1 - back) * length + i
            if len(grad_z16):
                source = grad_z16[b : b + m]
                for e in range(m):
                    bits[e] = np.uint32(source[e]) << np.uint32(16)
                current = wide[:m]
            else:
                current = grad_z[b : b + m]
            for e in range(m):
                gu[e] = current[e] * scale
            places = code[b : b + m]
            if need_threshold:
                for e in range(m):
                    place = np.int64(places[e]) + wrap
                    moved = spikes[place] + threshold_slope[place] if through_reset else spikes[place]
                    out[e] = gu[e] * threshold_slope[place] - state[e] * moved
                sums[begin // _BLOCK] += _total(out, m)
            target = out[:m] if len(grad_x16) else grad_x[b : b + m]
            if back == 0 and not len(grad_v):  # the state is 0
                for e in range(m):
                    state[e] = gu[e] * slope[np.int64(places[e]) + wrap]
                    target[e] = state[e] * gain
            elif through_reset:
                for e in range(m):
                    state[e] += (gu[e] - state[e]) * slope[np.int64(places[e]) + wrap]
                    target[e] = state[e] * gain
            else:
                for e in range(m):
                    state[e] += gu[e] * slope[np.int64(places[e]) + wrap]
                    target[e] = state[e] * gain
            if len(grad_x16):
                _narrow(out.view(np.uint32), grad_x16[b : b + m])
        if len(grad_v):
            grad_v[begin : begin + m] = state[:m]
        begin += m


@numba.njit(inline="always")
def _narrow(bits: Any, target: Any) -> None:
    """The bits of float32 to those of bfloat16, rounded to the nearest, ties to even."""
    for e in range(len(target)):
        b = np.uint32(bits[e])
        odd = (b >> np.uint32(16)) & np.uint32(1)
        rounded = (b + np.uint32(0x7FFF) + odd) >> np.uint32(16)
        target[e] = np.uint16(0x7FC0) if (b & np.uint32(0x7FFFFFFF)) > np.uint32(0x7F800000) else np.uint16(rounded)


@numba.njit(inline="always")
def _total(values: Any, m: Any) -> Any:
    """Their sum in pairs, which is overwritten: short chains of additions, and always the same ones."""
    while m > 1:
        half = m // 2
        for e in range(half):
            values[e] += values[m - half + e]
        m -= half
    return values[0]
