"""The autograd functions of the neurons: looked up (training), exact (float64, any threshold), barrier, staircase.

All compute, for t = 1..T, with u = H / Vth and the staircase z(u) of :func:`lava_mlsnn.neuron.surrogate.spikes`,

    H(t) = V(t-1) + gain x(t)        z(t) = clip(floor(H(t) / Vth), 0, N)        V(t) = H(t) - Vth z(t)

and return z(t) / unit and V(T). Backward, with f = slope and g = threshold_slope of the surrogate at u(t), from t = T
to 1, where the terms in braces vanish if the reset is detached:

    dL/dH(t)  = dL/dz(t) f / Vth + dL/dV(t) (1 - {f})          dL/dV(t-1) = dL/dH(t)       dL/dx(t) = gain dL/dH(t)
    dL/dVth  += dL/dz(t) g / Vth - dL/dV(t) (z + {g})

Only the exact one has thresholds that change from step to step, Vth(t).
"""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd.function import once_differentiable

from . import surrogate
from .memory import as_matrix, as_vector, laid_out, matched, state_strides
from .passes import Rule, fire_backward, fire_forward, look_up
from .surrogate import Table

__all__ = ["BarrierFire", "ExactFire", "Staircase", "TableFire"]


class ExactFire(torch.autograd.Function):
    """The surrogate evaluated at every potential. Saves u (and Vth).

    Vth (..., T), or (..., 1) for all timesteps, broadcasts against x.
    """

    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, v: torch.Tensor | None, threshold: torch.Tensor, rule: Rule
    ) -> tuple[torch.Tensor, torch.Tensor]:
        h = torch.zeros_like(x[..., 0]) if v is None else v
        potentials = []
        for current, vth in zip(x.unbind(-1), _each_step(threshold, x), strict=True):
            charge = rule.gain * current
            h = h + (charge.round() if rule.whole else charge)
            potentials.append(h / vth)
            h = h - vth * surrogate.spikes(potentials[-1], rule.levels)
        u = torch.stack(potentials, dim=-1)
        ctx.save_for_backward(u, threshold)
        ctx.rule = rule
        ctx.has_state = v is not None
        return surrogate.spikes(u, rule.levels) / rule.unit, h

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_z: torch.Tensor, grad_v: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        u, threshold = ctx.saved_tensors
        rule: Rule = ctx.rule
        coupled = 1.0 if rule.through_reset else 0.0
        thresholds = _each_step(threshold, u)
        grad_thresholds = []
        grad_x = torch.empty_like(u)
        for t in reversed(range(u.shape[-1])):
            vth = thresholds[t]
            f, g = surrogate.slopes(u[..., t], rule.levels, rule.alpha * vth, rule.grad)
            grad_u = grad_z[..., t] / (rule.unit * vth)
            moved = grad_u * g - grad_v * (surrogate.spikes(u[..., t], rule.levels) + coupled * g)
            grad_thresholds.append(moved.sum_to_size(vth.shape))
            grad_v = grad_u * f + grad_v * (1 - coupled * f)
            grad_x[..., t] = rule.gain * grad_v
        grad_threshold = torch.stack(grad_thresholds[::-1], dim=-1)
        if threshold.shape[-1] == 1:
            grad_threshold = grad_threshold.sum(-1, keepdim=True)
        return grad_x, grad_v if ctx.has_state else None, grad_threshold, None


def _each_step(threshold: torch.Tensor, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Vth of each timestep of ``x``, as views."""
    return threshold.expand(*threshold.shape[:-1], x.shape[-1]).unbind(-1)


class TableFire(torch.autograd.Function):
    """The surrogate looked up; one Vth for all neurons. Saves one tensor, a code of u, usually of 16 bits."""

    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        v: torch.Tensor | None,
        threshold: torch.Tensor | None,
        vth: float,
        rule: Rule,
        table: Table,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        ctx.set_materialize_grads(False)
        x = laid_out(x)
        code = torch.empty((x.shape[-1], x.numel() // x.shape[-1]), dtype=table.dtype, device=x.device)
        z, last = fire_forward(x, v, vth, rule, table, code)
        ctx.save_for_backward(code)
        ctx.vth, ctx.rule, ctx.table = vth, rule, table
        ctx.shape, ctx.strides, ctx.state_strides = x.shape, x.stride(), state_strides(x)
        ctx.dtype, ctx.threshold = x.dtype, None if threshold is None else threshold.detach()
        return z, last

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_z: torch.Tensor | None, grad_v: torch.Tensor | None) -> tuple[torch.Tensor | None, ...]:
        (code,) = ctx.saved_tensors
        need_v, need_threshold = ctx.needs_input_grad[1], ctx.needs_input_grad[2]
        if grad_z is None:
            grad_z = torch.zeros((), dtype=ctx.dtype, device=code.device).expand(ctx.shape)
        grad_z = matched(grad_z, ctx.strides)
        grad_x = torch.empty_strided(ctx.shape, ctx.strides, dtype=ctx.dtype, device=code.device)
        if grad_v is None and not need_v and not need_threshold and ctx.shape[-1] == 1:
            look_up(code[0], as_matrix(grad_z)[:, 0], as_matrix(grad_x)[:, 0], ctx.vth, ctx.rule, ctx.table)
            return grad_x, None, None, None, None, None
        state = torch.empty_strided(ctx.shape[:-1], ctx.state_strides, dtype=ctx.dtype, device=code.device)
        state.zero_() if grad_v is None else state.copy_(grad_v)
        matrices = as_matrix(grad_z), as_vector(state), as_matrix(grad_x)
        total = fire_backward(code, *matrices, ctx.vth, ctx.rule, ctx.table, need_threshold)
        grad_threshold = total.to(ctx.threshold.dtype).reshape(ctx.threshold.shape) if need_threshold else None
        return grad_x, state if need_v else None, grad_threshold, None, None, None


class BarrierFire(torch.autograd.Function):
    """Straight-through, dz/d(gain x) = 1 everywhere, so dV(t)/dV(t-1) = 0 ([Castagnetti2025], Eq 10). Saves nothing."""

    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, v: torch.Tensor | None, rule: Rule
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        ctx.set_materialize_grads(False)
        ctx.scale, ctx.unit = rule.gain / rule.unit, rule.unit
        return fire_forward(laid_out(x), v, 1.0, rule)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_z: torch.Tensor | None, grad_v: torch.Tensor | None) -> tuple[torch.Tensor | None, ...]:
        if grad_z is None:
            return None, None, None
        return (
            grad_z if ctx.scale == 1 else grad_z * ctx.scale,
            grad_z[..., 0] / ctx.unit if ctx.needs_input_grad[1] else None,
            None,
        )


class Staircase(torch.autograd.Function):
    """z = sum_n [x >= c_n] without memory, one sigmoid per threshold backward. Saves x (and c).

    Thresholds c (N, ...) broadcast against x without their first axis.
    """

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, thresholds: torch.Tensor, alpha: float) -> torch.Tensor:
        ctx.save_for_backward(x, thresholds)
        ctx.alpha = alpha
        z = torch.zeros_like(x)
        for c in thresholds.unbind(0):
            z += x >= c
        return z

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None]:
        x, thresholds = ctx.saved_tensors
        grad_x, grad_thresholds = torch.zeros_like(x), []
        for c in thresholds.unbind(0):
            q = ctx.alpha * (x - c)
            part = grad * (ctx.alpha * torch.sigmoid(q) * torch.sigmoid(-q))
            grad_x += part
            grad_thresholds.append(-part.sum_to_size(c.shape))
        return grad_x, torch.stack(grad_thresholds), None
