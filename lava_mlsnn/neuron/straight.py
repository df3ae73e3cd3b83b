"""The straight-through estimator: the value of a function, the gradient of its input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

__all__ = ["straight_through"]


class _StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        return function(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[None, Tensor]:
        return None, grad


def straight_through(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """``function(x)``, whose gradient is passed to ``x`` unchanged (Bengio et al. 2013).

    Args:
        function: keeps the shape and returns a new tensor; no gradient is recorded in it.
        x: any shape.

    >>> x = torch.tensor([0.4, 2.6], requires_grad=True)
    >>> straight_through(torch.round, x).sum().backward()
    >>> x.grad
    tensor([1., 1.])
    """
    value: Tensor = _StraightThrough.apply(function, x)
    return value
