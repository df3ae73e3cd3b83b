"""Neurons of non-uniform quantization as pure functions ([Castagnetti2023]): one threshold per timestep, or several
at once."""

from __future__ import annotations

import torch

from ..helpers.check import finite, integer
from . import fused, surrogate
from .checks import check_current, check_state, check_threshold
from .kernels import ExactFire, Staircase, TableFire
from .memory import time_slowest, widened
from .passes import Rule
from .surrogate import Table

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
        grad, alpha: surrogate as for :func:`lava_mlsnn.neuron.functional.fire` with ``exact=None``.

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
    return _scheduled(charge, v, thresholds, Rule(integer(levels, "levels", 1), 1.0, 1.0, alpha, grad))


def _scheduled(
    x: torch.Tensor, v: torch.Tensor | None, thresholds: torch.Tensor, rule: Rule
) -> tuple[torch.Tensor, torch.Tensor]:
    """z / unit and V for thresholds with at least as many steps as ``x``.

    Where all neurons share them, each step is the multi-level neuron's compiled one, with its table, as it is for
    :func:`lava_mlsnn.neuron.functional.fire`; otherwise, and in float64, the surrogate is evaluated at each potential.
    """
    each = thresholds[..., : x.shape[-1]]
    found = _tables(x, v, each, rule)
    if found is not None:
        return _step_by_step(x, v, each, rule, found)
    wide = widened(x)
    z, last = ExactFire.apply(wide, None if v is None else v.to(wide.dtype), each.to(wide.dtype), rule)
    return z.to(x.dtype), last


def _tables(
    x: torch.Tensor, v: torch.Tensor | None, thresholds: torch.Tensor, rule: Rule
) -> list[tuple[float, Table | None]] | None:
    """Threshold and table of each step, the latter None where no gradient is wanted; None if tables do not do."""
    if thresholds.ndim > 1 or x.dtype == torch.float64 or torch.compiler.is_compiling():
        return None
    values = thresholds.detach().tolist()
    if not torch.is_grad_enabled() or not any(t is not None and t.requires_grad for t in (x, v, thresholds)):
        return [(vth, None) for vth in values]
    tables = [surrogate.table(rule.levels, rule.alpha * vth, rule.grad, x.device) for vth in values]
    return None if any(table is None for table in tables) else list(zip(values, tables, strict=True))


def _step_by_step(
    x: torch.Tensor,
    v: torch.Tensor | None,
    thresholds: torch.Tensor,
    rule: Rule,
    found: list[tuple[float, Table | None]],
) -> tuple[torch.Tensor, torch.Tensor]:
    x, sent, last = time_slowest(x), [], v
    for t, (vth, table) in enumerate(found):
        current = x[..., t : t + 1]
        if table is None:
            z, last, _ = fused.forward(current, last, vth, rule, None)
        else:
            z, last = TableFire.apply(current, last, thresholds[t], vth, rule, table)
        sent.append(z[..., 0])
    assert last is not None  # the rule wants it
    return torch.stack(sent).movedim(0, -1), last


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
