"""The leaky integrate-and-fire neuron of [VicenteSola2022] (sec. 3.1): soft reset without gradient, strict threshold.

With a leak that is trained it is the parametric one (PLIF): a :class:`Leak` per layer, or one that layers share.
"""

from __future__ import annotations

from typing import Any

import torch
from lava.lib.dl.slayer.neuron import base
from torch import Tensor, nn

from ..helpers.check import finite, flag
from .base import SCALE
from .bumps import bump, check_bump
from .checks import check_current, check_state, check_threshold

__all__ = ["LIF", "PLIF", "Leak", "SoftLIF", "lif"]

LEAK = 0.874
"""The leak factor that [VicenteSola2022] found by its search (section 3.5)."""


def lif(
    x: Tensor,
    v: Tensor | None,
    threshold: float,
    leak: float | Tensor,
    surrogate: str = "triangle",
    alpha: float | None = None,
    strict: bool = True,
) -> tuple[Tensor, Tensor]:
    r"""Leaky integrate-and-fire with soft reset ([VicenteSola2022], Eq 3 and 4).

    .. math:: H = \lambda V + x, \qquad z = [H > V_{th}], \qquad V \leftarrow H - V_{th} z

    The comparison is strict, as in the authors' code, unless ``strict`` is False: then it is >=, as Eq 4 prints it. A
    residual spike of weight Vth that meets an empty membrane (S2M, section 3.2.1) makes H = Vth exactly: only with >=
    is it passed on, so only then is that connection the identity that the paper says it is. Backward, dz/dH is a
    surrogate (:mod:`lava_mlsnn.neuron.bumps`) and the reset passes no gradient: dV/dH = 1.

    Args:
        x: input current for T timesteps.
        v: membrane potential before the first timestep; None is 0.
        threshold: Vth > 0.
        leak: lambda in 0 .. 1, the share of the potential that remains after a timestep; a scalar tensor may require a
            gradient.
        surrogate: "triangle", "arctangent", "rectangle" or "sigmoid".
        alpha: its parameter; None is that of its paper.
        strict: whether H = Vth does not fire.

    Shape:
        x: (..., T) floating; v: (...). Returns z (..., T), 0 or 1, and V (...) after the last timestep.

    Raises:
        ValueError: for an argument outside of what is said above.

    >>> z, v = lif(torch.tensor([0.6, 0.6, 0.0]), None, threshold=1.0, leak=0.5)
    >>> z, v
    (tensor([0., 0., 0.]), tensor(0.4500))
    >>> lif(torch.tensor([1.0, 1.0, 0.0]), None, threshold=1.0, leak=0.5)[0]      # 1, then 1.5 fires
    tensor([0., 1., 0.])
    >>> lif(torch.tensor([1.0, 1.0, 0.0]), None, threshold=1.0, leak=0.5, strict=False)[0]
    tensor([1., 1., 0.])
    """
    check_state(v, check_current(x))
    threshold = float(check_threshold(threshold))
    name, alpha = check_bump(surrogate, alpha)
    if not isinstance(leak, Tensor):
        check_leak(leak)
    leak = torch.as_tensor(leak, dtype=x.dtype, device=x.device)
    z, last = _Soft.apply(x, v, leak, threshold, name, alpha, 1.0, False, strict)
    return z, last


def whole_lif(
    x: Tensor, keep: Tensor, threshold: Tensor, gain: Tensor, surrogate: str, alpha: float, strict: bool = True
) -> Tensor:
    """Spikes 0 or 1 of the integer neuron (:class:`lava_mlsnn.netx.SoftLIF`) for whole currents in float64.

    Args:
        x: x of the integer neuron, whole numbers.
        keep: 4096 - dv, a whole number, which may require a gradient.
        threshold: theta, whole numbers that broadcast against one timestep.
        gain: Vth / theta, for the surrogate's unit.
        surrogate, alpha, strict: as for :func:`lif`.

    **Shape:** x (N, C, ..., T) float64 -> the same.
    """
    spikes: Tensor = _Soft.apply(x, None, keep / 4096, threshold, surrogate, alpha, gain, True, strict)[0]
    return spikes


def check_leak(leak: float) -> float:
    """A leak factor as a float; ValueError outside 0 .. 1."""
    return finite(leak, "leak", low=0, high=1)


class _Soft(torch.autograd.Function):
    """The loop over timesteps; saves H, from which the backward pass computes V and z again."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        v: Tensor | None,
        leak: Tensor,
        threshold: float | Tensor,
        surrogate: str,
        alpha: float,
        gain: float | Tensor,
        whole: bool,
        strict: bool,
    ) -> tuple[Tensor, Tensor]:
        potentials, spikes = torch.empty_like(x), torch.empty_like(x)
        v = torch.zeros_like(x[..., 0]) if v is None else v.to(x.dtype)
        ctx.first, ctx.settings = v, (threshold, surrogate, alpha, gain, strict)
        for t in range(x.shape[-1]):
            left = v * leak
            h = (left.trunc_() if whole else left) + x[..., t]
            z = (h > threshold if strict else h >= threshold).to(x.dtype)
            potentials[..., t], spikes[..., t] = h, z
            v = h - threshold * z
        ctx.save_for_backward(potentials, leak)
        return spikes, v

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        potentials, leak = ctx.saved_tensors
        threshold, surrogate, alpha, gain, strict = ctx.settings
        out, carry = torch.empty_like(potentials), grads[1]
        of_leak = torch.zeros_like(leak) if ctx.needs_input_grad[2] else None
        for t in reversed(range(potentials.shape[-1])):
            slope = bump(potentials[..., t] / threshold, surrogate, alpha) * gain
            here = carry + grads[0][..., t] * slope
            out[..., t] = here
            if of_leak is not None:
                before = ctx.first if t == 0 else potentials[..., t - 1]
                if t > 0:
                    fired = before > threshold if strict else before >= threshold
                    before = before - threshold * fired.to(before.dtype)
                of_leak = of_leak + (here * before).sum()
            carry = here * leak
        return out, carry if ctx.needs_input_grad[1] else None, of_leak, *[None] * 6


class Leak(nn.Module):
    """A leak factor lambda, fixed or trained; several neurons may hold the same one.

    A trained one is sigmoid(w), as in Fang et al. 2021, so that it stays between 0 and 1.

    Args:
        value: first value, in 0 .. 1; strictly inside if trained.
        trainable: whether w is a parameter.

    >>> round(Leak(0.9, trainable=True).value, 4)
    0.9
    """

    def __init__(self, value: float = LEAK, trainable: bool = False) -> None:
        super().__init__()
        self.first = check_leak(value)
        if trainable and value in (0, 1):
            raise ValueError(f"leak: expected a number > 0 and < 1 to start training from, got {value!r}")
        self.w = nn.Parameter(torch.logit(torch.tensor(self.first))) if trainable else None

    def forward(self) -> Tensor | float:
        """lambda."""
        return self.first if self.w is None else torch.sigmoid(self.w)

    @property
    def value(self) -> float:
        """lambda as a number."""
        return self.first if self.w is None else float(torch.sigmoid(self.w.detach()))

    def extra_repr(self) -> str:
        return f"{self.value:g}" + (", trained" if self.w is not None else "")


class SoftLIF(base.Neuron):
    """Leaky integrate-and-fire neuron with soft reset ([VicenteSola2022], section 3.1); spikes are 0 or 1.

    It becomes a :class:`lava_mlsnn.netx.SoftLIF`; ``neuron.LIF`` is its older name (``netx.LIF`` is Lava's CUBA
    neuron, which resets to zero).

    See :func:`lif`. V is 0 before the first timestep of every call.

    Args:
        leak: lambda in 0 .. 1, or a :class:`Leak`, which other neurons may share.
        threshold: Vth > 0.
        surrogate: "triangle" ([VicenteSola2022]), "arctangent", "rectangle" or "sigmoid".
        alpha: its parameter; None is that of its paper.
        strict: whether H = Vth does not fire.

    Shape:
        Input: (N, ..., T), floating. Output: the same; 0 or 1.

    Raises:
        ValueError: for an argument or an input outside of what is said above.

    >>> SoftLIF(leak=0.5)(torch.tensor([[1.0, 1.0, 0.0]]))
    tensor([[0., 1., 0.]])
    """

    levels = 1

    def __init__(
        self,
        leak: float | Leak = LEAK,
        threshold: float = 1.0,
        surrogate: str = "triangle",
        alpha: float | None = None,
        strict: bool = True,
    ) -> None:
        threshold = float(check_threshold(threshold))
        super().__init__(threshold=threshold, w_scale=SCALE, s_scale=SCALE * SCALE)
        self.leak = leak if isinstance(leak, Leak) else Leak(leak)
        self.vth = threshold
        self.surrogate, self.alpha = check_bump(surrogate, alpha)
        self.strict = flag(strict, "strict")

    @property
    def device_params(self) -> dict[str, Any]:
        """``type``, ``vThMant`` in 1/64 and ``vDecay`` in 12 bits."""
        return {"type": "SLIF", "vThMant": round(self.vth * SCALE), "vDecay": 4096 - self.keep}

    @property
    def keep(self) -> int:
        """The share of a potential that remains, in 12 bits: 4096 lambda, rounded."""
        return round(4096 * self.leak.value)

    def forward(self, x: Tensor) -> Tensor:
        """Spikes (N, ..., T) for a current (N, ..., T)."""
        check_current(x, least=2)
        self.shape = x.shape[1:-1]
        return lif(x, None, self.vth, self.leak(), self.surrogate, self.alpha, self.strict)[0]

    def extra_repr(self) -> str:
        reached = "" if self.strict else ", strict=False"
        return f"threshold={self.vth:g}, surrogate={self.surrogate!r}, alpha={self.alpha:g}{reached}"


LIF = SoftLIF
"""The older name of :class:`SoftLIF`."""


def PLIF(leak: float = LEAK, **arguments: Any) -> SoftLIF:  # noqa: N802 (a kind of neuron)
    """:class:`SoftLIF` with a trained leak of its own (Fang et al. 2021; [VicenteSola2022], Tables 8 and 9).

    For one leak that all layers share, give :class:`SoftLIF` the same ``Leak(value, trainable=True)``.

    >>> sum(p.numel() for p in PLIF(0.9).parameters())
    1
    """
    return SoftLIF(Leak(leak, trainable=True), **arguments)
