"""The barrier neuron after a residual sum, as a SLAYER neuron."""

from __future__ import annotations

from typing import Any

import torch

from .base import GradedNeuron
from .checks import BARRIER_GRADS, check_current
from .functional import _barrier
from .passes import Rule

__all__ = ["Barrier"]


class Barrier(GradedNeuron):
    """Multi-level neuron after the sum of two graded spikes, straight-through ([Castagnetti2025], section 4.4).

    The input is z_direct/N + z_residual/N, in [0, 2]; N x is rounded to whole numbers, in which the threshold is 1:
    ``H = V + N x``, ``z = clip(H, 0, N)``, ``V = H - z``; the output is z/N. What exceeds N stays in V for the next
    timestep. See :func:`lava_mlsnn.neuron.functional.barrier`.

    Args:
        levels: N >= 1, that of the neurons whose spikes are added.
        grad: "ste", dO/dS = 1 everywhere (Eq 10, the default), or a surrogate's name as for
            :class:`lava_mlsnn.neuron.MultiLevel`, without its "ste"; "clip", 1 where the sum is at most 1 and else 0,
            which is the barrier's own derivative; "eq9", one sigmoid at a sum of 1 (Eq 9 read literally).
        alpha: sharpness of the sigmoid surrogate, > 0; of no effect on "ste" and "clip".
        inplace: whether the output may take the memory of the input, as for :class:`lava_mlsnn.neuron.MultiLevel`.

    Shape:
        Input: (N, ..., T), floating. Output: the same; z/N.

    Raises:
        ValueError: for an argument or an input outside of what is said above.

    >>> barrier = Barrier(levels=4)
    >>> barrier(torch.tensor([[[0.25], [0.75], [1.5]]]))
    tensor([[[0.2500],
             [0.7500],
             [1.0000]]])
    """

    grads = BARRIER_GRADS

    def __init__(self, levels: int = 4, grad: str = "ste", alpha: float = 5.0, inplace: bool = False) -> None:
        super().__init__(levels, 1.0, alpha, grad)
        n = float(self.levels)
        self._rule = Rule(self.levels, n, n, self.alpha, self.grad, state=False, whole=True, inplace=inplace)

    @property
    def threshold(self) -> float:
        """1, in whole numbers of 1/N."""
        return 1.0

    @property
    def device_params(self) -> dict[str, Any]:
        """``type``, ``levels`` and ``vThMant``, 1: the inputs of a barrier are whole numbers."""
        return {"type": "BARRIER", "levels": self.levels, "vThMant": self.v_th_mant}

    @property
    def v_th_mant(self) -> int:
        """Threshold in the whole numbers that a barrier adds."""
        return 1

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Spikes z/N (N, ..., T) for a sum of spikes (N, ..., T)."""
        check_current(x, least=2)
        self._note_shape(x)
        return _barrier(x, None, self._rule, None)[0]
