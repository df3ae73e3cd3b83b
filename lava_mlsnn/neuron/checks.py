"""Checks of the tensors and thresholds that the neurons share; :mod:`lava_mlsnn.helpers.check` has those of numbers."""

from __future__ import annotations

import torch

from ..helpers.check import finite

__all__ = ["BARRIER_GRADS", "GRADS", "check_current", "check_state", "check_threshold"]

GRADS = ("attached", "detached", "sigmoids", "ste")
"""The surrogate gradients by name; :mod:`lava_mlsnn.neuron.surrogate` defines them."""

BARRIER_GRADS = (*GRADS, "clip", "eq9")
"""Those of a barrier neuron, whose "ste" is another one."""


def check_threshold(threshold: float | torch.Tensor) -> float | torch.Tensor:
    """The threshold Vth: a float, or the tensor as it is.

    Raises:
        ValueError: if it is not a finite number above 0, or a tensor that is not floating or has such an entry.

    >>> check_threshold(0)
    Traceback (most recent call last):
    ...
    ValueError: threshold: expected a finite number > 0, got 0
    """
    if not isinstance(threshold, torch.Tensor):
        return finite(threshold, "threshold", positive=True)
    values = threshold.detach()
    if not values.is_floating_point():
        raise ValueError(f"threshold: expected a floating-point tensor, got dtype {values.dtype}")
    if values.numel() == 0 or not bool(((values > 0) & values.isfinite()).all()):
        raise ValueError(f"threshold: expected finite numbers > 0, got {values}")
    return threshold


def check_current(x: torch.Tensor, name: str = "x", least: int = 1) -> torch.Tensor:
    """An input current of shape (..., T), T >= 1, with at least ``least`` axes.

    Raises:
        ValueError: if it is not a floating-point tensor, has too few axes or no timestep.

    >>> check_current(torch.zeros(3, 0))
    Traceback (most recent call last):
    ...
    ValueError: x: expected shape (..., T) with T >= 1 timesteps, got (3, 0)
    """
    if not isinstance(x, torch.Tensor):
        raise ValueError(f"{name}: expected a torch tensor of shape (..., T), got a {type(x).__name__}")
    if not x.is_floating_point():
        raise ValueError(f"{name}: expected a floating-point tensor, got dtype {x.dtype}")
    if x.ndim < least or x.shape[-1] == 0:
        axes = "(..., T)" if least < 2 else "(N, ..., T)"
        raise ValueError(f"{name}: expected shape {axes} with T >= 1 timesteps, got {tuple(x.shape)}")
    return x


def check_state(v: torch.Tensor | None, x: torch.Tensor) -> torch.Tensor | None:
    """A membrane potential that fits the current ``x``, or None for a neuron at rest.

    Raises:
        ValueError: if the shape is not that of ``x`` without its last axis, or the dtype is not floating.

    >>> check_state(torch.zeros(2), torch.zeros(3, 5))
    Traceback (most recent call last):
    ...
    ValueError: v: expected the shape (3,) of a current (3, 5) without its last axis, got (2,)
    """
    if v is None:
        return None
    if not isinstance(v, torch.Tensor) or not v.is_floating_point():
        raise ValueError(f"v: expected a floating-point tensor or None, got {getattr(v, 'dtype', type(v).__name__)}")
    if v.shape != x.shape[:-1]:
        raise ValueError(
            f"v: expected the shape {tuple(x.shape[:-1])} of a current {tuple(x.shape)} without its last axis, "
            f"got {tuple(v.shape)}"
        )
    return v
