"""The multi-level neuron in one compiled pass over memory on a CPU, forward and backward, on torch's threads.

The same operations in the same order as :mod:`lava_mlsnn.neuron.passes`, so the same bits. Neurons are treated in
blocks that stay in the first-level cache through all timesteps; what a block computes does not depend on which thread
has it. Imported only where it is used, as numba takes a while.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
import torch
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic as _intrinsic

from ..helpers import compiling
from .memory import Runs
from .surrogate import Table
from .team import NOBODY, openmp

__all__ = ["backward", "forward"]

_BLOCK = 1 << 11
_SHARE = 1 << 15
"""Fewer values than this are not worth waking other threads, as for torch."""
_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "boundscheck": False}
intrinsic: Any = _intrinsic
jit: Any = numba.njit


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
    _share_out(_run_forward, at, *arrays, *numbers, *inverses, f(bins), f(low), f(high), np.int32(offset))


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
    _share_out(_run_backward, at, *arrays, *numbers)
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


def _share_out(run: Any, at: Runs, *arguments: Any) -> None:
    """Call a kernel for all blocks, on torch's threads where there is enough to do."""
    compiled = hasattr(run, "py_func")  # not so where NUMBA_DISABLE_JIT is set
    addresses = openmp() if compiled and at.neurons * at.steps >= _SHARE else NOBODY
    shape = (at.neurons, at.length, at.steps, at.apart, at.step)
    run(addresses, torch.get_num_threads(), -(-at.neurons // _BLOCK), *shape, *arguments)


@intrinsic
def _in_team(context: Any, kernel: Any, addresses: Any, threads: Any, blocks: Any, arguments: Any) -> Any:
    """Call ``kernel(first, stop, *arguments)`` on each thread of a team for its part of the blocks; whether one failed.

    In the same file as its callers: numba's cache looks at no other one.
    """
    given = (types.int64, types.int64, *arguments.types)
    kernel.get_call_type(context, given, {})  # compiles it

    def generate(context: Any, builder: Any, _: Any, values: Any) -> Any:
        compiled = kernel.dispatcher.overloads[given]
        context.active_code_library.add_linking_library(compiled.library)
        void, bit, i32, i64 = ir.VoidType(), ir.IntType(1), ir.IntType(32), ir.IntType(64)
        pointer, number = ir.IntType(8).as_pointer(), ir.FunctionType(i32, []).as_pointer()
        failed = cgutils.alloca_once_value(builder, bit(0))
        shared = cgutils.alloca_once_value(builder, cgutils.pack_struct(builder, (values[1], *values[3:], failed)))

        part = ir.Function(builder.module, ir.FunctionType(void, [pointer]), builder.module.get_unique_name("part"))
        part.linkage = "internal"
        inner = ir.IRBuilder(part.append_basic_block())
        found = inner.load(inner.bitcast(part.args[0], shared.type))
        functions, count, packed, failure = (inner.extract_value(found, k) for k in range(4))
        asked = (inner.inttoptr(inner.extract_value(functions, k), number) for k in (1, 2))
        mine, team = (inner.sext(inner.call(function, []), i64) for function in asked)
        edges = [inner.sdiv(inner.mul(count, n), team) for n in (mine, inner.add(mine, i64(1)))]
        rest = [inner.extract_value(packed, k) for k in range(len(arguments.types))]
        status, _ = context.call_internal_no_propagate(inner, compiled.fndesc, types.none(*given), (*edges, *rest))
        with inner.if_then(status.is_error):
            inner.store(bit(1), failure)
        inner.ret_void()

        enter = ir.FunctionType(void, [part.type, pointer, i32, i32]).as_pointer()
        enter = builder.inttoptr(builder.extract_value(values[1], 0), enter)
        builder.call(enter, (part, builder.bitcast(shared, pointer), builder.trunc(values[2], i32), i32(0)))
        return builder.load(failed)

    return types.boolean(kernel, addresses, threads, blocks, arguments), generate


def _entry(function: Any) -> Any:
    """Compile what Python calls, and keep it on the disk."""
    compiling.watch()
    try:
        return jit(cache=True, **_OPTIONS)(function)
    except RuntimeError:  # nowhere to write a cache: a read-only installation and no home
        return jit(**_OPTIONS)(function)


@jit(no_cpython_wrapper=True, no_cfunc_wrapper=True, **_OPTIONS)
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


@jit(no_cpython_wrapper=True, no_cfunc_wrapper=True, **_OPTIONS)
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


@_entry
def _run_forward(addresses: Any, threads: Any, blocks: Any, *rest: Any) -> None:
    if addresses[0] == 0:
        _forward(0, blocks, *rest)
    elif _in_team(_forward, addresses, threads, blocks, rest):
        raise MemoryError


@_entry
def _run_backward(addresses: Any, threads: Any, blocks: Any, *rest: Any) -> None:
    if addresses[0] == 0:
        _backward(0, blocks, *rest)
    elif _in_team(_backward, addresses, threads, blocks, rest):
        raise MemoryError
