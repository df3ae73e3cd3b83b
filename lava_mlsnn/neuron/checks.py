"""Checks of the arguments that all neurons share. Each returns the value it accepts and raises ValueError otherwise."""

from __future__ import annotations

import math
import operator

import torch

__all__ = ["GRADS", "check_alpha", "check_current", "check_grad", "check_levels", "check_state", "check_threshold"]

GRADS = ("attached", "detached", "sigmoids", "ste")
"""The surrogate gradients, by name. :mod:`lava_mlsnn.neuron.surrogate` defines them."""


def check_levels(levels: int) -> int:
    """The number of levels N as a plain int.

    Raises:
        ValueError: if ``levels`` is not an integer of at least 1.

    >>> check_levels(4)
    4
    >>> check_levels(0)
    Traceback (most recent call last):
    ...
    ValueError: levels = 0: the number of levels N is an integer of at least 1 (1 is the binary neuron)
    """
    problem = f"levels = {levels!r}: the number of levels N is an integer of at least 1 (1 is the binary neuron)"
    if isinstance(levels, bool):
        raise ValueError(problem)
    try:
        value = operator.index(levels)
    except TypeError:
        raise ValueError(problem) from None
    if value < 1:
        raise ValueError(problem)
    return value


def check_alpha(alpha: float) -> float:
    """The width parameter alpha of the surrogate as a float.

    Raises:
        ValueError: if ``alpha`` is not a finite number above 0.

    >>> check_alpha(-1)
    Traceback (most recent call last):
    ...
    ValueError: alpha = -1: the surrogate's alpha is a finite number above 0
    """
    return _positive(alpha, f"alpha = {alpha!r}: the surrogate's alpha is a finite number above 0")


def check_threshold(threshold: float | torch.Tensor) -> float | torch.Tensor:
    """The threshold Vth: a float, or the tensor as it is.

    Raises:
        ValueError: if it is not a finite number above 0, or a tensor that is not floating or has such an entry.

    >>> check_threshold(0)
    Traceback (most recent call last):
    ...
    ValueError: threshold = 0: the firing threshold is a finite number above 0
    """
    if not isinstance(threshold, torch.Tensor):
        return _positive(threshold, f"threshold = {threshold!r}: the firing threshold is a finite number above 0")
    values = threshold.detach()
    if not values.is_floating_point():
        raise ValueError(f"threshold has dtype {values.dtype}: a threshold tensor is floating")
    if values.numel() == 0 or not bool(((values > 0) & values.isfinite()).all()):
        raise ValueError(f"threshold = {values}: every firing threshold is a finite number above 0")
    return threshold


def check_grad(grad: str) -> str:
    """The name of a surrogate gradient.

    Raises:
        ValueError: if ``grad`` is not one of :data:`GRADS`.

    >>> check_grad("relu")
    Traceback (most recent call last):
    ...
    ValueError: grad = 'relu': the surrogate gradients are 'attached', 'detached', 'sigmoids', 'ste'
    """
    if grad not in GRADS:
        raise ValueError(f"grad = {grad!r}: the surrogate gradients are {', '.join(map(repr, GRADS))}")
    return grad


def check_current(x: torch.Tensor, name: str = "x", least: int = 1) -> torch.Tensor:
    """An input current of shape (..., T), T >= 1, with at least ``least`` axes.

    Raises:
        ValueError: if it is not a floating tensor, has too few axes or no timestep.

    >>> check_current(torch.zeros(3, 0))
    Traceback (most recent call last):
    ...
    ValueError: x has shape (3, 0): the last axis holds the T >= 1 timesteps
    """
    if not isinstance(x, torch.Tensor):
        raise ValueError(f"{name} is a {type(x).__name__}: a torch tensor of shape (..., T) is wanted")
    if not x.is_floating_point():
        raise ValueError(f"{name} has dtype {x.dtype}: a floating tensor is wanted")
    if x.ndim < least:
        axes = "(..., T)" if least < 2 else "(N, ..., T)"
        raise ValueError(f"{name} has shape {tuple(x.shape)}: {axes} with at least {least} axes is wanted")
    if x.shape[-1] == 0:
        raise ValueError(f"{name} has shape {tuple(x.shape)}: the last axis holds the T >= 1 timesteps")
    return x


def check_state(v: torch.Tensor | None, x: torch.Tensor) -> torch.Tensor | None:
    """A membrane potential that fits the current ``x``, or None for a neuron at rest.

    Raises:
        ValueError: if the shape is not that of ``x`` without its last axis, or the dtype is not floating.

    >>> check_state(torch.zeros(2), torch.zeros(3, 5))
    Traceback (most recent call last):
    ...
    ValueError: v has shape (2,): a current of shape (3, 5) needs a membrane potential of shape (3,)
    """
    if v is None:
        return None
    if not isinstance(v, torch.Tensor) or not v.is_floating_point():
        raise ValueError(f"v is {getattr(v, 'dtype', type(v).__name__)}: a floating tensor, or None, is wanted")
    if v.shape != x.shape[:-1]:
        raise ValueError(
            f"v has shape {tuple(v.shape)}: a current of shape {tuple(x.shape)} needs a membrane potential "
            f"of shape {tuple(x.shape[:-1])}"
        )
    return v


def _positive(value: float, problem: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(problem) from None
    if isinstance(value, (bool, str)) or not math.isfinite(number) or number <= 0:
        raise ValueError(problem)
    return number
