"""The multi-level neurons as pure functions: currents and membrane potential in, spikes and membrane potential out.

Spikes are whole numbers here, 0..N. In a network they travel as z/N (:class:`lava_mlsnn.neuron.MultiLevel` does that),
so a current x is in units in which a spike of the previous layer is z/N, and Vth is in units of N x.
"""

from __future__ import annotations

import torch

from ..helpers.check import integer
from . import fused, surrogate
from .checks import check_current, check_state, check_threshold
from .kernels import BarrierFire, ExactFire, TableFire
from .memory import widened
from .passes import Rule
from .points import points, schedule
from .thresholds import count_spikes, scheduled, staircase

__all__ = [
    "barrier",
    "count_spikes",
    "fire",
    "micro_steps",
    "multilevel",
    "points",
    "schedule",
    "scheduled",
    "staircase",
]


def multilevel(
    x: torch.Tensor,
    v: torch.Tensor | None,
    threshold: float | torch.Tensor,
    levels: int,
    alpha: float = 5.0,
    grad: str = "attached",
    *,
    exact: bool | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Multi-level integrate-and-fire neuron with soft reset ([Castagnetti2025], section 4.1, Eq 6).

    For each timestep, charge N times, then discharge through N micro-steps, in closed form::

        H = V + N x        z = clip(floor(H / Vth), 0, N)        V = H - Vth z

    With one level it is the binary integrate-and-fire neuron. A constant x on [0, Vth] is quantized to N T + 1 values.

    Args:
        x: input current for T timesteps, in units in which a spike of the previous layer is z/N.
        v: membrane potential before the first timestep; None is 0.
        threshold: Vth > 0; a number, or a tensor that broadcasts against ``v`` and may require a gradient.
        levels: N >= 1.
        alpha: sharpness of the sigmoid surrogate, > 0, per unit of the potential.
        grad: surrogate gradient, see :mod:`lava_mlsnn.neuron.surrogate`.
        exact: see :func:`fire`.

    Shape:
        x: (..., T) floating; v: (...). Returns z (..., T), whole numbers 0..N, and V (...) after the last timestep.

    Raises:
        ValueError: for an argument outside of what is said above.

    >>> x = torch.tensor([[0.3, 0.3], [1.0, 1.0], [-0.1, 2.0]])
    >>> z, v = multilevel(x, None, threshold=1.0, levels=4)
    >>> z
    tensor([[1., 1.],
            [4., 4.],
            [0., 4.]])
    >>> v
    tensor([0.4000, 0.0000, 3.6000])
    """
    levels = integer(levels, "levels", 1)
    return _fire(x, v, threshold, Rule(levels, float(levels), 1.0, alpha, grad), exact)


def fire(
    charge: torch.Tensor,
    v: torch.Tensor | None,
    threshold: float | torch.Tensor,
    levels: int,
    grad: str = "attached",
    alpha: float = 5.0,
    *,
    exact: bool | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """:func:`multilevel` for a charge that has already been multiplied by N: H = V + charge.

    This is what the integers of a spike do on hardware: charge = sum_j z_j w_j + N b. With Vth = 1 and charges that
    are whole multiples of a power of two (below 2^24 of them in float32), every step is exact.

    Args:
        charge: charge for T timesteps, in the units of the threshold.
        v, threshold, levels, grad, alpha: as for :func:`multilevel`.
        exact: True evaluates the surrogate gradient at each potential (relative error 1e-10 against autograd through
            :func:`micro_steps` in float64) and saves the potentials. False looks it up in a table (error at most
            1e-3 of the slope 1/Vth) and saves a code of 16 bits (32 where the table needs more than 65536 entries).
            None chooses exact for float64, for a threshold with more than one entry and where 2^18 entries would not
            do, else the table. The spikes are the same.

    Shape:
        charge: (..., T) floating; v: (...). Returns z (..., T), whole numbers 0..N, and V (...).

    Raises:
        ValueError: for an argument outside of what is said above.

    >>> z, v = fire(torch.tensor([2.75, 0.5]), None, threshold=1.0, levels=4)
    >>> z, v
    (tensor([2., 1.]), tensor(0.2500))
    """
    return _fire(charge, v, threshold, Rule(integer(levels, "levels", 1), 1.0, 1.0, alpha, grad), exact, name="charge")


def barrier(
    x: torch.Tensor,
    v: torch.Tensor | None,
    levels: int,
    grad: str = "ste",
    alpha: float = 5.0,
    *,
    exact: bool | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Barrier neuron: the multi-level neuron after a residual sum of graded spikes ([Castagnetti2025], section 4.4).

    The sum x = z_direct/N + z_residual/N is a whole number of 1/N; N x is rounded to it, since z/N has no exact
    float for N = 3 or 10. In these whole numbers the threshold is 1::

        H = V + N x        z = clip(H, 0, N)        V = H - z

    Args:
        x: sum of two spikes in units of z/N, for T timesteps.
        v: membrane potential before the first timestep; None is 0.
        levels: N >= 1.
        grad: "ste" is dz/d(N x) = 1 everywhere (Eq 10) with nothing passed on between timesteps; the other names are
            those of :mod:`lava_mlsnn.neuron.surrogate`.
        alpha, exact: as for :func:`fire`; they do not matter for "ste", and alpha not for "clip".

    Shape:
        x: (..., T) floating; v: (...). Returns z (..., T), whole numbers 0..N, and V (...).

    Raises:
        ValueError: for an argument outside of what is said above.

    >>> z, v = barrier(torch.tensor([[0.25], [0.75], [1.5]]), None, levels=4)
    >>> z[:, 0], v
    (tensor([1., 3., 4.]), tensor([0., 0., 2.]))
    """
    levels = integer(levels, "levels", 1)
    return _barrier(x, v, Rule(levels, float(levels), 1.0, alpha, grad, whole=True), exact)


def micro_steps(
    charge: torch.Tensor,
    v: torch.Tensor | None,
    threshold: float | torch.Tensor,
    levels: int,
    alpha: float = 5.0,
    detach_reset: bool = False,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The definition, one micro-step at a time ([Castagnetti2025], Eq 1-4 and 6): the slow reference of :func:`fire`.

    Differentiable by autograd, with the sigmoid surrogate at each micro-step. Repeated subtraction rounds, so compare
    in float64, or off the grid of whole multiples of Vth.

    Args:
        charge, v, threshold, levels, alpha: as for :func:`fire`.
        detach_reset: whether the spike in a reset passes no gradient.

    Shape:
        charge: (..., T); v: (...). Returns z (..., T) and V (...).

    >>> z, v = micro_steps(torch.tensor([2.75, 0.5]), None, threshold=1.0, levels=4)
    >>> z, v
    (tensor([2., 1.]), tensor(0.2500))
    """
    h = torch.zeros_like(charge[..., 0]) if v is None else v
    outputs = []
    for current in charge.unbind(-1):
        h = h + current
        z = torch.zeros_like(h)
        for _ in range(levels):
            g = _Sigmoid.apply(h - threshold, alpha)
            h = h - threshold * (g.detach() if detach_reset else g)
            z = z + g
        outputs.append(z)
    return torch.stack(outputs, dim=-1), h


class _Sigmoid(torch.autograd.Function):
    """Heaviside step whose derivative is that of sigmoid(alpha q) ([Castagnetti2025], Fig. 5)."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, q: torch.Tensor, alpha: float) -> torch.Tensor:
        ctx.save_for_backward(q)
        ctx.alpha = alpha  # type: ignore[attr-defined]
        return (q >= 0).to(q.dtype)

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, grad: torch.Tensor) -> tuple[torch.Tensor, None]:
        (q,) = ctx.saved_tensors  # type: ignore[attr-defined]
        alpha = ctx.alpha  # type: ignore[attr-defined]
        s = torch.sigmoid(alpha * q)
        return grad * alpha * s * (1 - s), None


def _fire(
    x: torch.Tensor,
    v: torch.Tensor | None,
    threshold: float | torch.Tensor,
    rule: Rule,
    exact: bool | None,
    name: str = "x",
) -> tuple[torch.Tensor, torch.Tensor]:
    """Check, choose how the gradient is found, compute in at least float32. Spikes have the dtype of ``x``."""
    check_state(v, check_current(x, name))
    if torch.compiler.is_compiling():
        from . import operator

        return operator.traced(_fire, x, v, threshold, rule, exact)
    vth, per_layer = _threshold(threshold, x)
    needs_grad = torch.is_grad_enabled() and any(
        isinstance(t, torch.Tensor) and t.requires_grad for t in (x, v, threshold)
    )
    table = None
    if vth is not None and exact is not True and (exact is False or x.dtype != torch.float64) and needs_grad:
        table = surrogate.table(rule.levels, rule.alpha * vth, rule.grad, x.device)
    if exact is False and needs_grad and table is None:
        raise ValueError(
            "exact=False: expected one threshold for all neurons and alpha * threshold below about 8, got "
            f"threshold={threshold!r}, alpha={rule.alpha!r}, levels={rule.levels}"
        )
    if table is not None and vth is not None:
        z, last = TableFire.apply(x, v, per_layer, vth, rule, table)
    elif vth is not None and not needs_grad:
        z, last, _ = fused.forward(x, v, vth, rule, None)
    else:
        wide = widened(x)
        each = torch.as_tensor(threshold, dtype=wide.dtype, device=x.device)
        z, last = ExactFire.apply(wide, None if v is None else v.to(wide.dtype), each.unsqueeze(-1), rule)
    return z.to(x.dtype), last


def _barrier(
    x: torch.Tensor, v: torch.Tensor | None, rule: Rule, exact: bool | None
) -> tuple[torch.Tensor, torch.Tensor]:
    if rule.grad != "ste":
        return _fire(x, v, 1.0, rule, exact)
    check_state(v, check_current(x))
    if torch.compiler.is_compiling():
        from . import operator

        return operator.traced(lambda x, v, _, *rest: _barrier(x, v, *rest), x, v, 1.0, rule, exact)
    z, last = BarrierFire.apply(x, v, rule)
    return z, last


def _threshold(threshold: float | torch.Tensor, x: torch.Tensor) -> tuple[float | None, torch.Tensor | None]:
    """(value, tensor) of a threshold that all neurons share; (None, None) for a tensor with several entries."""
    threshold = check_threshold(threshold)
    if not isinstance(threshold, torch.Tensor):
        return threshold, None
    if threshold.numel() == 1:
        return float(threshold.detach()), threshold
    neurons = x.shape[:-1]
    try:
        fits = torch.broadcast_shapes(threshold.shape, neurons) == neurons
    except RuntimeError:
        fits = False
    if not fits:
        raise ValueError(
            f"threshold: expected a shape that broadcasts to the neurons {tuple(neurons)}, got {tuple(threshold.shape)}"
        )
    return None, None
