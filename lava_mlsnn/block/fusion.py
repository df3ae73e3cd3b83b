r"""Fusion of the membrane potentials of the preceding group and the preceding layer ([Yao2023], section 3.2).

The projection of Eq 5 is :math:`\Omega(a, b) = 2 \sin(\theta \pi a / 2) \cos(\theta \pi b / 2)`. The others
are the functions that the paper compares it with (Fig. 5a), and the linear ones, which can be computed with integers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..helpers.check import choice, finite

THETA, THRESHOLD = 0.5, 0.5
"""The paper's radian factor theta and firing threshold."""


def omega(a: Tensor, b: Tensor, theta: float = THETA) -> Tensor:
    r"""Projection function, :math:`\Omega(a, b) = 2 \sin(\theta \pi a / 2) \cos(\theta \pi b / 2)`.

    It lies within -2 .. 2, so the membrane stays bounded; without a preceding group (a = 0) it is 0.

    Args:
        a: membrane potential of the preceding group, G_m.
        b: membrane potential of the preceding layer, G_m'.
        theta: radian factor.

    Source:
        [Yao2023], Eq 5.

    Example:
        >>> omega(torch.tensor([1.0, 1.0, 3.0]), torch.tensor([0.0, 2.0, 0.0]), theta=1.0)
        tensor([ 2., -2., -2.])
    """
    return 2 * torch.sin(theta * math.pi / 2 * a) * torch.cos(theta * math.pi / 2 * b)


@dataclass(frozen=True)
class Fusion:
    """How the initial potential of a group is computed.

    Args:
        function: (a, b, theta) -> potential, or None: every group starts at rest.
        reads_layer: whether it reads the membrane of the preceding layer.
        lowers: whether it can be computed with integers, by spikes alone.
    """

    function: Callable[[Tensor, Tensor, float], Tensor] | None
    reads_layer: bool = True
    lowers: bool = False


FUSIONS: dict[str, Fusion] = {
    "omega": Fusion(omega),
    "group": Fusion(lambda a, b, theta: a, reads_layer=False, lowers=True),
    "none": Fusion(None, reads_layer=False, lowers=True),
    "sum": Fusion(lambda a, b, theta: a + b),
    "relu": Fusion(lambda a, b, theta: torch.relu(a + b)),
    "sigmoid": Fusion(lambda a, b, theta: torch.sigmoid(a + b)),
    "tanh": Fusion(lambda a, b, theta: torch.tanh(a + b)),
}
"""Fusions by name: "group" passes on the membrane of the preceding group unchanged (one direction, Eq 4)."""


def check_fusion(name: str) -> Fusion:
    """The fusion called ``name``; ValueError if there is none."""
    choice(name, "fusion", FUSIONS)
    return FUSIONS[name]


def surface(theta: float, threshold: float = THRESHOLD) -> float:
    r"""Volume under :math:`\Omega` over one to two thresholds in both directions.

    .. math::
        S(\theta) = \int_{t}^{2t} \int_{t}^{2t} \Omega(a, b)\,da\,db
                  = \frac{16}{\theta^2 \pi^2} \sin\frac{3 \theta \pi t}{2} \sin^2\frac{\theta \pi t}{4}

    Raises:
        ValueError: theta that is not above 0.

    Source:
        [Yao2023], Eq 12 and 20.

    Example:
        >>> round(surface(0.5), 4)
        0.228
    """
    k = finite(theta, "theta", positive=True) * math.pi * threshold
    return 16 * math.sin(1.5 * k) * math.sin(k / 4) ** 2 / (theta * math.pi) ** 2


def plane(threshold: float = THRESHOLD) -> float:
    r"""Volume under the linear fusion a + b in the same region, :math:`3 t^3` ([Yao2023], Eq 12).

    >>> plane(0.5)
    0.375
    """
    return 3 * threshold**3


def area_difference(theta: float, threshold: float = THRESHOLD) -> float:
    """S(theta) minus the plane's volume: what [Yao2023], Eq 11 calls the area difference, an indicator of firing twice.

    >>> round(area_difference(0.5), 4)
    -0.147
    """
    return surface(theta, threshold) - plane(threshold)


TABLE5: dict[float, tuple[float, float]] = {
    0.1: (0.05, -0.31),
    0.3: (0.16, -0.21),
    0.5: (0.22, -0.14),
    0.7: (0.24, -0.13),
    0.9: (0.20, -0.17),
}
"""[Yao2023], Table 5: theta -> S at a threshold of 0.5 and the area difference, cut off (not rounded) to two digits."""
