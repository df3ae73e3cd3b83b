r"""Surrogate gradients of the binary neuron ([VicenteSola2022], section 2.2): bumps around the threshold.

Each is dz/dH as a function of u = H / Vth; for Vth = 1, which all their papers use, it is what they print:

===============  ==========================================  ===========  ==========================================
``"triangle"``   alpha max(0, 1 - abs(u - 1))                alpha = 0.3  Eq 24, as its code has it (it prints abs(u))
``"arctangent"`` (alpha / 2) / (1 + (pi alpha (u - 1) / 2)^2)  alpha = 2  Fang et al. 2021
``"rectangle"``  [abs(u - 1) < alpha / 2] / alpha            alpha = 1    Zheng et al. 2021
``"sigmoid"``    alpha S (1 - S), S = sigmoid(alpha (u - 1))  alpha = 5   [Castagnetti2025], Fig. 5
===============  ==========================================  ===========  ==========================================
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from ..helpers.check import choice, finite

__all__ = ["BUMPS", "bump", "check_bump"]


def _triangle(q: Tensor, alpha: float) -> Tensor:
    return alpha * (1 - q.abs()).clamp_min(0)


def _arctangent(q: Tensor, alpha: float) -> Tensor:
    return (alpha / 2) / (1 + (math.pi / 2 * alpha * q) ** 2)


def _rectangle(q: Tensor, alpha: float) -> Tensor:
    return (q.abs() < alpha / 2).to(q.dtype) / alpha


def _sigmoid(q: Tensor, alpha: float) -> Tensor:
    return alpha * torch.sigmoid(alpha * q) * torch.sigmoid(-alpha * q)


BUMPS: dict[str, tuple[Callable[[Tensor, float], Tensor], float]] = {
    "triangle": (_triangle, 0.3),
    "arctangent": (_arctangent, 2.0),
    "rectangle": (_rectangle, 1.0),
    "sigmoid": (_sigmoid, 5.0),
}
"""Function of u - 1 and alpha, and the alpha of its paper, by name."""


def bump(u: Tensor, name: str, alpha: float) -> Tensor:
    """dz/dH at u = H / Vth.

    **Shape:** any; the result has that of ``u``.

    >>> bump(torch.tensor([0.0, 0.5, 1.0, 2.5]), "triangle", 0.3)
    tensor([0.0000, 0.1500, 0.3000, 0.0000])
    """
    return BUMPS[name][0](u - 1, alpha)


def check_bump(name: str, alpha: float | None) -> tuple[str, float]:
    """The name of a surrogate and its alpha, that of its paper for None.

    Raises:
        ValueError: an unknown name, or an alpha that is not a finite number above 0.

    >>> check_bump("arctangent", None)
    ('arctangent', 2.0)
    """
    default = BUMPS[choice(name, "surrogate", BUMPS)][1]
    return name, finite(default if alpha is None else alpha, "alpha", positive=True)
