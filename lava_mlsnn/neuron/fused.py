"""Where the multi-level neuron is computed: by one kernel for all timesteps, or by the passes that define it.

===============================================  ========================================================
:mod:`lava_mlsnn.neuron.cpu_kernels` (numba)     a CPU, float32 and bfloat16
:mod:`lava_mlsnn.neuron.gpu_kernels` (Triton 3)  CUDA, float32, bfloat16 and float16
:mod:`lava_mlsnn.neuron.passes` (torch)          the reference, the same bits: all else, as float64, few neurons,
                                                 layouts with gaps and, on a CPU, with time the fastest axis
===============================================  ========================================================

That is every neuron with one threshold for all, fixed or trained: MultiLevel, Barrier, ATIF "uniform", and their
functions; with a threshold per timestep, as ATIF "nonuniform" has it, they are called for each. Thresholds per neuron,
the exact quantizer and the leaky neurons are plain torch.
"""

from __future__ import annotations

import importlib
from functools import cache
from types import ModuleType

import torch

from .memory import Runs, as_matrix, as_vector, laid_out, matched, overwritten, runs, widened
from .passes import Rule, fire_backward, fire_forward
from .surrogate import Table

__all__ = ["backward", "forward", "has_triton"]

_LEAST = 1 << 12
"""Fewer neurons are not worth the call of a compiled function."""
_SHORTEST = 64
"""With shorter runs of neighbours, as where time is the fastest axis, a CPU's kernel has no use of its vectors."""


def forward(
    x: torch.Tensor, v: torch.Tensor | None, vth: float, rule: Rule, table: Table | None
) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None]:
    """z / unit, V(T) where the rule wants it, and the entries of ``table``, laid out as z, where there is one.

    Shape:
        x: (..., T); v: (...). z and the entries (..., T), V (...), at least float32.
    """
    at = runs(x)
    kernels = _kernels(x, at)
    if kernels is None or at is None:
        wide = laid_out(widened(x))
        code = None if table is None else _empty(wide, wide.stride(), table.dtype)
        z, last = fire_forward(wide, v, vth, rule, table, code)
        return z.to(x.dtype), last, code
    z = overwritten(x) if rule.inplace and not at.repeated else _empty(x, at.strides)
    last = _empty(x[..., 0], at.state_strides, torch.float32) if rule.state else None
    code = None if table is None else _empty(x, at.strides, table.dtype)
    first = None if v is None else matched(v.to(torch.float32), at.state_strides)
    flat = x.as_strided((at.neurons * (1 if at.repeated else at.steps),), (1,))
    kernels.forward(flat, *(t if t is None else as_vector(t) for t in (first, z, last, code)), at, vth, rule, table)
    return z, last, code


def backward(
    code: torch.Tensor,
    grad_z: torch.Tensor | None,
    grad_v: torch.Tensor | None,
    dtype: torch.dtype,
    vth: float,
    rule: Rule,
    table: Table,
    need_v: bool,
    need_threshold: bool,
) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None]:
    """dL/dx in ``dtype``, dL/dV(0) and dL/dVth, the last two where they are needed.

    Shape:
        code: as :func:`forward` gives it; grad_z (..., T) and grad_v (...), or None for zeros.
    """
    if grad_z is None:
        grad_z = torch.zeros((), dtype=dtype, device=code.device).expand(code.shape)
    at = runs(code)
    kernels = _kernels(grad_z, at)
    if kernels is None:
        code, grad_z = laid_out(code), widened(grad_z)
        at = runs(code)
    assert at is not None  # forward left no gaps
    grad_z = matched(grad_z, code.stride())
    grad_x = _empty(grad_z, code.stride())
    state = None
    if kernels is None or need_v or grad_v is not None:
        state = _empty(grad_z[..., 0], at.state_strides, widened(grad_z[:0]).dtype)
        state.zero_() if grad_v is None else state.copy_(grad_v)
    flat_state = None if state is None else as_vector(state)
    if kernels is None:
        assert flat_state is not None
        matrices = as_matrix(code), as_matrix(grad_z), flat_state, as_matrix(grad_x)
        total = fire_backward(*matrices, vth, rule, table, need_threshold)
    else:
        vectors = as_vector(code), as_vector(grad_z), flat_state, as_vector(grad_x)
        total = kernels.backward(*vectors, at, vth, rule, table, need_threshold)
    return grad_x.to(dtype), state if need_v else None, total if need_threshold else None


def _empty(like: torch.Tensor, strides: tuple[int, ...], dtype: torch.dtype | None = None) -> torch.Tensor:
    return torch.empty_strided(like.shape, strides, dtype=dtype or like.dtype, device=like.device)


def _kernels(x: torch.Tensor, at: Runs | None) -> ModuleType | None:
    """The module of kernels for ``x``; None for the passes."""
    if at is None or at.neurons < _LEAST:
        return None
    if x.device.type == "cpu" and x.dtype in (torch.float32, torch.bfloat16) and at.length >= _SHORTEST:
        return importlib.import_module(".cpu_kernels", __package__)
    if x.device.type == "cuda" and x.dtype in (torch.float32, torch.bfloat16, torch.float16) and has_triton():
        return importlib.import_module(".gpu_kernels", __package__)
    return None


@cache
def has_triton() -> bool:
    """Whether there is a Triton with the divisions of IEEE 754."""
    try:
        return hasattr(importlib.import_module("triton.language"), "div_rn")
    except ImportError:
        return False
