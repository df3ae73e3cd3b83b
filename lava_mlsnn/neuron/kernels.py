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

from . import fused, surrogate
from .passes import Rule
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
        z, last, code = fused.forward(x, v, vth, rule, table)
        ctx.save_for_backward(code)
        ctx.vth, ctx.rule, ctx.table, ctx.dtype = vth, rule, table, x.dtype
        ctx.threshold = None if threshold is None else threshold.detach()
        return z, last

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_z: torch.Tensor | None, grad_v: torch.Tensor | None) -> tuple[torch.Tensor | None, ...]:
        (code,) = ctx.saved_tensors
        _, need_v, need_threshold, *_ = ctx.needs_input_grad
        grad_x, grad_v, total = fused.backward(
            code, grad_z, grad_v, ctx.dtype, ctx.vth, ctx.rule, ctx.table, need_v, need_threshold
        )
        if total is not None:
            total = total.to(ctx.threshold).reshape(ctx.threshold.shape)
        return grad_x, grad_v, total, None, None, None


class BarrierFire(torch.autograd.Function):
    """Straight-through, dz/d(gain x) = 1 everywhere, so dV(t)/dV(t-1) = 0 ([Castagnetti2025], Eq 10). Saves nothing."""

    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, v: torch.Tensor | None, rule: Rule
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        ctx.set_materialize_grads(False)
        ctx.scale, ctx.unit = rule.gain / rule.unit, rule.unit
        return fused.forward(x, v, 1.0, rule, None)[:2]

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
