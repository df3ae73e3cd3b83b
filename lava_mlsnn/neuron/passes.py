"""The passes over memory of :mod:`lava_mlsnn.neuron.kernels`, in chunks that fit the cache of a core."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ..helpers.check import choice, finite
from .checks import BARRIER_GRADS, GRADS
from .memory import as_matrix, as_vector, matched, overwritten, runs
from .surrogate import Table

__all__ = ["Rule", "fire_backward", "fire_forward"]

_CHUNK = 1 << 16
"""Neurons treated at once on a CPU core: the passes over them then stay in its second-level cache."""


@dataclass(frozen=True)
class Rule:
    """The parameters of a neuron that do not depend on the data.

    Attributes:
        levels: N.
        gain: factor on x.
        unit: divisor of z.
        alpha, grad: the surrogate.
        state: whether the last membrane potential is returned.
        whole: whether gain x is rounded to whole numbers (inputs in units of z/N, which float32 cannot always hold).
        inplace: whether z may be written over x.
    """

    levels: int
    gain: float
    unit: float
    alpha: float
    grad: str
    state: bool = True
    whole: bool = False
    inplace: bool = False

    def __post_init__(self) -> None:
        finite(self.alpha, "alpha", positive=True)
        choice(self.grad, "grad", BARRIER_GRADS if self.whole else GRADS)

    @property
    def through_reset(self) -> bool:
        """Whether the reset V = H - Vth z passes the gradient of z on."""
        return self.grad != "detached"


def fire_forward(
    x: torch.Tensor,
    v: torch.Tensor | None,
    vth: float,
    rule: Rule,
    table: Table | None = None,
    code: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """The neuron forward, chunk by chunk; fills ``code`` with the entries of ``table`` where the potentials lie.

    Shape:
        x, code: (..., T), laid out; v: (...). Returns z / unit (..., T) and V (...) or None.
    """
    if rule.inplace:
        z = overwritten(x)
    else:
        z = torch.empty_strided(x.shape, x.stride(), dtype=x.dtype, device=x.device)
    chunk = _chunk(x)
    inputs, outputs = ([column.split(chunk) for column in as_matrix(m).unbind(1)] for m in (x, z))
    codes = None if code is None else [column.split(chunk) for column in as_matrix(code).unbind(1)]
    at = runs(x)
    assert at is not None  # laid out
    first = last = scratch = None
    if v is not None:
        first = as_vector(matched(v.to(x.dtype), at.state_strides)).split(chunk)
    if rule.state:
        last = torch.empty_strided(x.shape[:-1], at.state_strides, dtype=x.dtype, device=x.device)
        scratch = as_vector(last).split(chunk)
    elif x.shape[-1] > 1:
        scratch = [torch.empty_like(part) for part in inputs[0][:1]] * len(inputs[0])
    step = _Step(chunk, vth, rule, table, x)
    for i, part in enumerate(inputs[0]):
        v_now = None if first is None else first[i]
        for t in range(len(inputs)):
            v_next = scratch[i][: len(part)] if scratch is not None and (rule.state or t + 1 < len(inputs)) else None
            step(inputs[t][i], v_now, outputs[t][i], v_next, None if codes is None else codes[t][i])
            v_now = v_next
    return z, last


class _Step:
    """One timestep of one chunk, in as few passes as torch's own operations allow.

    Scalars are kept as tensors without axes: a Python number costs an operation several microseconds of wrapping.
    """

    def __init__(self, chunk: int, vth: float, rule: Rule, table: Table | None, like: torch.Tensor) -> None:
        def scalar(value: float, dtype: torch.dtype = like.dtype) -> torch.Tensor:
            return torch.tensor(value, dtype=dtype)

        self.levels, self.whole, self.chunk = rule.levels, rule.whole, chunk
        self.gain = scalar(rule.gain)
        self.unit = None if rule.unit == 1 else scalar(rule.unit)
        self.threshold = None if vth == 1 else scalar(vth)
        self.buffers = [torch.empty(chunk, dtype=like.dtype, device=like.device) for _ in range(3)]
        if table is not None:
            self.low, self.high = table.low * table.bins, table.high * table.bins
            self.bins = scalar(table.bins)
            offset, fits = -int(self.low) - table.wrap, torch.iinfo(table.dtype)
            self.first_moved = not all(fits.min <= n <= fits.max for n in (self.low, self.high, offset))
            self.offset = scalar(offset, like.dtype if self.first_moved else table.dtype)

    def __call__(
        self,
        x: torch.Tensor,
        v: torch.Tensor | None,
        out: torch.Tensor,
        v_next: torch.Tensor | None,
        code: torch.Tensor | None,
    ) -> None:
        h, u, z = self.buffers if len(x) == self.chunk else [buffer[: len(x)] for buffer in self.buffers]
        torch.mul(x, self.gain, out=h)
        if self.whole:
            h.round_()
        if v is not None:
            h.add_(v)
        if self.threshold is None:
            u = h
        else:
            torch.div(h, self.threshold, out=u)
        if out.is_contiguous():  # a buffer then; a strided output (time fastest, T > 1) is written once
            z = out
        torch.clamp(u, 0, self.levels, out=z)
        if not self.whole or v is not None:
            z.floor_()
        if v_next is not None:  # Vth z is rounded before it is subtracted, as everywhere: no fused multiply-add
            torch.sub(h, z if self.threshold is None else torch.mul(z, self.threshold, out=v_next), out=v_next)
        if self.unit is not None:
            torch.div(z, self.unit, out=out)
        elif z is not out:
            out.copy_(z)
        if code is None:
            return
        place = u.mul_(self.bins).clamp_(self.low, self.high)
        if self.first_moved:  # no place as such is a number of the code's few bits; in floats they are all exact
            code.copy_(place.trunc_().add_(self.offset))
        else:
            code.copy_(place).add_(self.offset)


class _LookUp:
    """Fetches table values for a chunk of codes."""

    def __init__(self, chunk: int, table: Table, like: torch.Tensor) -> None:
        self.wrap = table.wrap
        self.index = torch.empty(chunk, dtype=torch.int64, device=like.device)
        # On a CPU index_select is the fastest look-up on one core, but it runs on one core only.
        self.select = like.device.type != "cpu" or torch.get_num_threads() == 1

    def locate(self, code: torch.Tensor) -> torch.Tensor:
        index = self.index if len(code) == len(self.index) else self.index[: len(code)]
        index.copy_(code)
        return index.add_(self.wrap) if self.wrap else index

    def fetch(self, values: torch.Tensor, index: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
        if self.select:
            return torch.index_select(values, 0, index, out=out)
        return torch.take(values, index, out=out)


def fire_backward(
    code: torch.Tensor,
    grad_z: torch.Tensor,
    grad_v: torch.Tensor,
    grad_x: torch.Tensor,
    vth: float,
    rule: Rule,
    table: Table,
    need_threshold: bool,
) -> torch.Tensor:
    """Backward through time. Turns ``grad_v`` from dL/dV(T) into dL/dV(0), fills ``grad_x``, returns dL/dVth.

    Shape:
        code, grad_z, grad_x (neurons, T); grad_v (neurons,).
    """
    total = torch.zeros((), dtype=grad_v.dtype, device=grad_v.device)
    slope, threshold_slope, spikes = (t.to(grad_v.dtype) for t in (table.slope, table.threshold_slope, table.spikes))
    chunk = _chunk(grad_v)
    look = _LookUp(chunk, table, grad_v)
    buffers = [torch.empty(chunk, dtype=grad_v.dtype, device=grad_v.device) for _ in range(3)]
    for start in range(0, len(grad_v), chunk):
        part = slice(start, start + chunk)
        gv = grad_v[part]
        f, g, gu = (buffer[: len(gv)] for buffer in buffers)
        for t in reversed(range(code.shape[1])):
            torch.mul(grad_z[part, t], 1 / (rule.unit * vth), out=gu)
            index = look.locate(code[part, t])
            if need_threshold:
                look.fetch(threshold_slope, index, g)
                look.fetch(spikes, index, f)
                total += torch.dot(gu, g) - torch.dot(gv, f.add_(g) if rule.through_reset else f)
            look.fetch(slope, index, f)
            if rule.through_reset:
                gv.add_(gu.sub_(gv).mul_(f))
            else:
                gv.add_(gu.mul_(f))
            torch.mul(gv, rule.gain, out=grad_x[part, t])
    return total


def _chunk(x: torch.Tensor) -> int:
    return _CHUNK * torch.get_num_threads() if x.device.type == "cpu" else max(1, x.numel())
