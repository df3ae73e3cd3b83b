"""The multi-level integrate-and-fire neuron as a SLAYER neuron."""

from __future__ import annotations

from typing import Any

import torch

from ..helpers.check import flag
from .base import GradedNeuron
from .checks import check_current
from .functional import _fire
from .passes import Rule

__all__ = ["MultiLevel"]

_SMALLEST = 1e-3


class MultiLevel(GradedNeuron):
    """Multi-level integrate-and-fire neuron ([Castagnetti2025], section 4.1): spikes carry a value k/N, 0 <= k <= N.

    At each timestep ``H = V + N x``, ``z = clip(floor(H / Vth), 0, N)``, ``V = H - Vth z``; the output is z/N, and V is
    0 before the first timestep, or ``start`` Vth. Binary integrate-and-fire is ``levels=1``. See
    :func:`lava_mlsnn.neuron.functional.multilevel`.

    Args:
        levels: N >= 1.
        threshold: Vth > 0, in units of N x.
        alpha: sharpness of the sigmoid surrogate, > 0.
        grad: surrogate gradient: "attached" (through the resets of the micro-steps, the default), "detached",
            "sigmoids" (one per step of the staircase) or "ste" (straight-through inside the range). Deep networks do
            not train with "detached" and more than one level.
        trainable: whether Vth is a parameter, one for all neurons. It is kept above 1e-3.
        exact: None, True or False as for :func:`lava_mlsnn.neuron.functional.fire`: None looks the gradient up in a
            table (error at most 1e-3 of N/Vth) unless the input is float64.
        inplace: whether the output may take the memory of the input, as torch.nn.ReLU's: faster after a batch norm or
            a synapse, which never need their output again. Do not use the input afterwards; autograd raises an error
            where it kept it for the backward pass.
        start: V before the first timestep, in thresholds, 0 <= start < 1. With 0.5 a neuron rounds its sum of inputs
            to the nearest of its levels instead of rounding it down. In the integer network it is a bias of the first
            step.

    Shape:
        Input: (N, ..., T), floating. Output: the same; z/N.

    Raises:
        ValueError: for an argument or an input outside of what is said above.

    >>> neuron = MultiLevel(levels=4)
    >>> neuron(torch.tensor([[[0.1, 0.1, 0.1]], [[0.6, 0.6, 9.0]]]))
    tensor([[[0.0000, 0.0000, 0.2500]],
            [[0.5000, 0.5000, 1.0000]]])
    """

    def __init__(
        self,
        levels: int = 4,
        threshold: float = 1.0,
        alpha: float = 5.0,
        grad: str = "attached",
        trainable: bool = False,
        exact: bool | None = None,
        inplace: bool = False,
        start: float = 0.0,
    ) -> None:
        super().__init__(levels, threshold, alpha, grad, trainable, start)
        self.exact = None if exact is None else flag(exact, "exact")
        self._vth = float(threshold)
        self.vth = torch.nn.Parameter(torch.tensor(self._vth)) if trainable else None
        n = float(self.levels)
        self._rule = Rule(self.levels, n, n, self.alpha, self.grad, state=False, inplace=inplace)

    @property
    def threshold(self) -> float | torch.Tensor:
        """Vth: a number, or the parameter where it is trainable."""
        return self._vth if self.vth is None else self.vth

    @property
    def device_params(self) -> dict[str, Any]:
        """``type``, ``levels`` and ``vThMant``, the threshold in 1/64, rounded."""
        start = {"start": self.start} if self.start else {}
        return {"type": "MLIF", "levels": self.levels, "vThMant": self.v_th_mant, **start}

    @property
    def v_th_mant(self) -> int:
        """Threshold in SLAYER's integer units, 1/64."""
        return round(float(self.threshold) * self.w_scale)

    def clamp(self) -> None:
        """Bring a trained threshold back above 1e-3."""
        if self.vth is not None:
            with torch.no_grad():
                self.vth.clamp_(min=_SMALLEST)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Spikes z/N (N, ..., T) for a current (N, ..., T)."""
        check_current(x, least=2)
        self._note_shape(x)
        self.clamp()
        return _fire(x, self.rest(x), self.threshold, self._rule, self.exact)[0]

    def extra_repr(self) -> str:
        threshold = "trainable" if self.vth is not None else f"{self._vth:g}"
        start = f", start={self.start:g}" if self.start else ""
        return f"levels={self.levels}, threshold={threshold}, alpha={self.alpha:g}, grad={self.grad!r}{start}"
