"""Neurons of non-uniform quantization as pure functions ([Castagnetti2023]): one threshold per timestep, or several
at once."""

from __future__ import annotations

import torch

from ..helpers.check import finite, integer
from .checks import check_current, check_state, check_threshold
from .kernels import ExactFire, Staircase
from .memory import widened
from .passes import Rule

__all__ = ["count_spikes", "scheduled", "staircase"]


def scheduled(
    charge: torch.Tensor,
    v: torch.Tensor | None,
    thresholds: torch.Tensor,
    levels: int = 1,
    grad: str = "attached",
    alpha: float = 5.0,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Multi-level integrate-and-fire neuron whose threshold changes over time (ATIF-nu, [Castagnetti2023], sec. 3.4).

    At timestep t: ``H = V + charge``, ``z = clip(floor(H / V_t), 0, N)``, ``V = H - V_t z``.

    Args:
        charge: charge for T' timesteps, N x; it has been multiplied by N.
        v: membrane potential before the first timestep; None is 0.
        thresholds: V_1 .. V_T > 0 on the last axis, T >= T'; other axes broadcast against the neurons.
        levels: N >= 1; 1 in the paper.
        grad, alpha: surrogate as for :func:`lava_mlsnn.neuron.functional.fire`, evaluated at each potential.

    Shape:
        charge: (..., T'); thresholds: (T,) or (..., T); v: (...). Returns z (..., T'), whole numbers 0..N, and V (...).

    Raises:
        ValueError: for an argument outside of what is said above.

    >>> z, v = scheduled(torch.tensor([0.5, 0.5, 0.5]), None, torch.tensor([1.0, 0.5, 1.0]))
    >>> z, v
    (tensor([0., 1., 1.]), tensor(0.))
    """
    check_state(v, check_current(charge, "charge"))
    check_threshold(thresholds)
    if thresholds.ndim == 0 or thresholds.shape[-1] < charge.shape[-1]:
        raise ValueError(
            f"thresholds: expected one per timestep on the last axis, {charge.shape[-1]} of them, "
            f"got shape {tuple(thresholds.shape)}"
        )
    rule = Rule(integer(levels, "levels", 1), 1.0, 1.0, alpha, grad)
    dtype, charge = charge.dtype, widened(charge)
    each = thresholds[..., : charge.shape[-1]].to(charge.dtype)
    z, last = ExactFire.apply(charge, None if v is None else v.to(charge.dtype), each, rule)
    return z.to(dtype), last


def staircase(x: torch.Tensor, thresholds: torch.Tensor, alpha: float = 5.0) -> torch.Tensor:
    """Graded spikes of any quantization, exactly: z = sum over n of [x >= c_n]. It has no memory.

    Backward, one sigmoid stands in for each step (Eq 10 and 12 for each of the thresholds).

    Args:
        x: potential.
        thresholds: c_1 .. c_N on the first axis; the other axes broadcast against ``x``.
        alpha: sharpness of the sigmoid.

    Shape:
        x: any; thresholds: (N, ...). Returns z as ``x``, whole numbers 0..N.

    Raises:
        ValueError: for an argument outside of what is said above.

    >>> staircase(torch.tensor([0.1, 0.3, 5.0]), torch.tensor([0.2, 0.3, 1.0]))
    tensor([0., 2., 3.])
    """
    check_current(x)
    check_threshold(thresholds)
    if thresholds.ndim == 0:
        raise ValueError(f"thresholds: expected one per level on the first axis, got {thresholds}")
    wide = widened(x)
    z: torch.Tensor = Staircase.apply(wide, thresholds.to(wide.dtype), finite(alpha, "alpha", positive=True))
    return z.to(x.dtype)


def count_spikes(
    x: torch.Tensor, thresholds: torch.Tensor, levels: int = 1, v: torch.Tensor | None = None
) -> torch.Tensor:
    """Sum of the spikes with which a neuron answers a constant input: its transfer function.

    Args:
        x: constant inputs.
        thresholds: V_1 .. V_T, in units of N x.
        levels: N.
        v: membrane potential before the first timestep; None is 0.

    Shape:
        x, v: (...); thresholds: (T,). Returns (...), whole numbers 0 .. N T.

    >>> count_spikes(torch.tensor([0.2, 0.25, 0.8, 3.0]), torch.ones(4))
    tensor([0., 1., 3., 4.])
    """
    charge = (levels * x).unsqueeze(-1).expand(*x.shape, len(thresholds))
    return scheduled(charge, v, thresholds.detach(), levels)[0].sum(-1)
