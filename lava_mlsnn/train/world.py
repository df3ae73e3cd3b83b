"""The processes that train together: who they are, and batch norm over all of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from .folder import is_first_started


def size() -> int:
    """Number of processes that train together; 1 where there is one."""
    return dist.get_world_size() if _is_there() else 1


def rank() -> int:
    """Which of them this one is, from 0."""
    return dist.get_rank() if _is_there() else 0


def is_first() -> bool:
    """Whether this is the process that writes, also before they have found one another: torchrun, Slurm and Lightning
    say it by environment variables."""
    return rank() == 0 and is_first_started()


def _is_there() -> bool:
    return dist.is_available() and dist.is_initialized()


@contextmanager
def synchronized(net: nn.Module) -> Iterator[None]:
    """Batch norms of ``net`` use mean and variance of the whole batch, of all processes together, on any device.

    torch.nn.SyncBatchNorm does the same on GPUs only, and takes the place of the modules.

    Example:
        >>> norm = nn.BatchNorm1d(3)
        >>> with synchronized(norm):
        ...     norm(torch.ones(4, 3)).abs().max() < 1e-3
        tensor(True)
    """
    norms = [m for m in net.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)] if size() > 1 else []
    for norm in norms:
        setattr(norm, "forward", partial(_norm, norm))  # noqa: B010 (of this object, not of its class)
    try:
        yield
    finally:
        for norm in norms:
            del norm.forward


def _norm(norm: Any, x: Tensor) -> Tensor:
    if not norm.training:
        evaluated: Tensor = type(norm).forward(norm, x)
        return evaluated
    wide = x if x.dtype == torch.float64 else x.float()
    y, mean, variance, count = _SharedNorm.apply(wide, norm.weight, norm.bias, norm.eps)
    if norm.track_running_stats:
        norm.num_batches_tracked.add_(1)
        momentum = 1 / float(norm.num_batches_tracked) if norm.momentum is None else norm.momentum
        norm.running_mean.lerp_(mean.to(norm.running_mean.dtype), momentum)
        norm.running_var.lerp_((variance * count / (count - 1)).to(norm.running_var.dtype), momentum)
    return torch.as_tensor(y, dtype=x.dtype)


class _SharedNorm(torch.autograd.Function):
    """Batch norm over processes: one exchange of (mean, variance, count) forward, one of two sums backward.

    Gradients of weight and bias are those of this process's images; whoever reduces gradients adds the others'.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float) -> tuple[Tensor, ...]:
        axes = [0, *range(2, x.ndim)]
        variance, mean = torch.var_mean(x, axes, correction=0)
        mine = torch.cat([mean, variance, mean.new_tensor([x.numel() // x.shape[1]])])
        parts = [torch.empty_like(mine) for _ in range(size())]
        dist.all_gather(parts, mine)
        together = torch.stack(parts)
        channels = x.shape[1]
        means, variances, counts = together[:, :channels], together[:, channels:-1], together[:, -1:]
        count = counts.sum()
        mean = (counts * means).sum(0) / count
        variance = (counts * (variances + (means - mean) ** 2)).sum(0) / count
        ctx.save_for_backward(x, weight, mean, torch.rsqrt(variance + eps), count)
        ctx.mark_non_differentiable(mean, variance, count)
        ctx.has_bias = bias is not None
        y = nn.functional.batch_norm(x, mean, variance, weight, bias, training=False, eps=eps)
        return y, mean, variance, count

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_y: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, mean, gain, count = ctx.saved_tensors
        axes = [0, *range(2, x.ndim)]
        shape = (1, -1, *[1] * (x.ndim - 2))
        normal = (x - mean.view(shape)) * gain.view(shape)
        grad_bias, grad_weight = grad_y.sum(axes), (grad_y * normal).sum(axes)
        sums = torch.stack([grad_bias, grad_weight])
        dist.all_reduce(sums)
        first, second = (sums / count).unsqueeze(1).unbind(0)
        grad_x = (grad_y - first.view(shape) - normal * second.view(shape)) * gain.view(shape)
        if weight is not None:
            grad_x = grad_x * weight.view(shape)
        return grad_x, None if weight is None else grad_weight, grad_bias if ctx.has_bias else None, None
