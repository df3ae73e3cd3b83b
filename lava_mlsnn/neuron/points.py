"""Quantization points of the ATIF neuron and the thresholds that follow from them ([Castagnetti2023], section 3.4).

A neuron with K trainable points p_1 >= ... >= p_K > 0 is meant to answer a constant input i with k spikes exactly when
i exceeds the k-th smallest of them; p_1 is where it saturates. Points are sums of increments, p_j = d_j + ... + d_K
with d = softplus(free parameter), so that they stay positive and ordered whatever an optimizer does, and every one of
them always has a gradient.
"""

from __future__ import annotations

import math

import torch
from torch.nn import functional as F

from ..helpers.check import choice
from .straight import straight_through

__all__ = ["FLOOR", "SCHEDULES", "evenly", "points", "schedule"]

SCHEDULES = ("extended", "printed")
"""How thresholds over time follow from points: see :func:`schedule`."""

FLOOR = 1e-3
"""Least threshold, in units of p_1."""


def evenly(count: int, largest: float) -> torch.Tensor:
    """Free parameters whose points are equally spaced, up to p_1 = ``largest``.

    **Shape:** (count,).

    >>> points(evenly(4, 1.0))
    tensor([1.0000, 0.7500, 0.5000, 0.2500])
    """
    step = largest / count
    return torch.full((count,), step + math.log(-math.expm1(-step)))  # the inverse of softplus


def points(free: torch.Tensor) -> torch.Tensor:
    """Points p_1 >= ... >= p_K > 0 of K free parameters.

    **Shape:** (K,) -> (K,).

    >>> points(torch.tensor([-9.0, 0.0])).diff() < 0
    tensor([True])
    """
    return F.softplus(free).flip(0).cumsum(0).flip(0)


def schedule(p: torch.Tensor, kind: str = "extended") -> torch.Tensor:
    r"""Thresholds V_1 .. V_T of the T timesteps.

    "extended" continues Eq 14, 15 and 17 to any T:

    .. math:: V_1 = p_1, \quad V_j = T (p_j - p_{j+1}), \quad V_T = T p_T

    "printed" is Eq 14 to 19, for T = 4: it has :math:`V_2 = 3 p_2 - 4 (p_3 - p_4)` (Eq 19). Equally spaced points have
    to give the uniform neuron, all thresholds equal; extended does, printed gives V_2 = 1.25 V_1, because Eq 19 solves
    the second condition of Eq 18 only. Neither makes the number of spikes pass k at p exactly for all points:
    :func:`lava_mlsnn.neuron.functional.count_spikes` counts what a neuron really sends.

    A threshold below 1e-3 p_1, such as Eq 19 gives for p_4 much smaller than p_3, is raised to that; its gradient
    passes through.

    **Shape:** (T,) -> (T,).

    Raises:
        ValueError: another name, or another T for "printed".

    >>> p = torch.tensor([1.0, 0.75, 0.5, 0.25])
    >>> schedule(p), schedule(p, "printed")
    (tensor([1., 1., 1., 1.]), tensor([1.0000, 1.2500, 1.0000, 1.0000]))
    """
    choice(kind, "schedule", SCHEDULES)
    steps = len(p)
    if kind == "printed" and steps != 4:
        raise ValueError(f"schedule 'printed': expected 4 points ('extended' has any number), got {steps}")
    if steps == 1:
        return p
    gaps = steps * (p - torch.cat([p[1:], p.new_zeros(1)]))
    if kind == "printed":
        second = 3 * p[1] - 4 * (p[2] - p[3])
        thresholds = torch.stack([p[0], second, gaps[2], gaps[3]])
    else:
        thresholds = torch.cat([p[:1], gaps[1:]])
    return straight_through(lambda v: v.maximum(FLOOR * p[0]), thresholds)
