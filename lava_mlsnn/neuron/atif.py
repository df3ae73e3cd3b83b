"""The adaptive threshold integrate-and-fire neuron: trainable quantization ([Castagnetti2023]), as a SLAYER neuron."""

from __future__ import annotations

from typing import Any

import torch

from ..helpers.check import choice, integer
from .base import GradedNeuron
from .checks import GRADS, check_current, check_threshold
from .functional import _fire
from .passes import Rule
from .points import SCHEDULES, evenly, points, schedule
from .straight import straight_through
from .thresholds import _scheduled, count_spikes, scheduled, staircase

__all__ = ["ATIF", "MODES"]

MODES = ("uniform", "nonuniform")


class ATIF(GradedNeuron):
    """Integrate-and-fire neuron whose quantization is trained, one for all neurons of a layer ([Castagnetti2023]).

    "uniform" (ATIF-u, section 3.3) trains the threshold Vth of the multi-level neuron,
    ``z = clip(floor(H / Vth), 0, N)``. "nonuniform" (ATIF-nu, section 3.4) trains quantization points
    p_1 >= ... >= p_T > 0, from which the thresholds of the T timesteps follow
    (:func:`lava_mlsnn.neuron.functional.schedule`): ``z = clip(floor(H / V_t), 0, N)``, ``V = H - V_t z``. With one
    timestep and N levels it trains N points and is the exact quantizer ``z = sum_n [N x >= c_n]``, c_n = N p_(N+1-n),
    that thresholds over time only approach; a spike is then worth a threshold more than the one before.

    Free parameters are the inverse softplus of increments, so thresholds stay positive and points ordered, and their
    gradients are never cut. The sigmoid surrogate gives dz/dVth = -sigma'(H - Vth) (Eq 12), and the reset passes
    gradients on as in :class:`lava_mlsnn.neuron.MultiLevel`.

    Args:
        mode: "uniform" or "nonuniform".
        steps: T >= 1, the timesteps of a sample.
        levels: N >= 1; 1 in the paper.
        schedule: how thresholds follow from points: "extended", or "printed" (Eq 14 to 19 as printed, T = 4 only).
        threshold: Vth or p_1 in the beginning, > 0; points are then equally spaced.
        alpha: sharpness of the sigmoid surrogate, > 0. The paper has 1.
        grad: "attached", "detached" or "sigmoids" (:mod:`lava_mlsnn.neuron.surrogate`); without a reset, that is with
            the exact quantizer, they are one and the same.
        trainable: whether the points change in training.
        start: V before the first timestep in units of p_1 (Vth if uniform), 0 <= start < 1; 0 in the paper. With 0.5 an
            ATIF-u rounds its sum of inputs to the nearest of its levels.

    Attributes:
        free: the free parameters, (1,) for "uniform", else (T,), or (N,) where T is 1.

    Shape:
        Input: (N, ..., T'), floating, T' <= T. Output: the same; z/N.

    Raises:
        ValueError: for an argument or an input outside of what is said above.

    >>> neuron = ATIF("nonuniform", steps=4)
    >>> neuron(torch.full((1, 1, 4), 0.6)).detach()
    tensor([[[0., 1., 0., 1.]]])
    >>> neuron.points.detach()
    tensor([1.0000, 0.7500, 0.5000, 0.2500])
    """

    exact: bool | None = None

    def __init__(
        self,
        mode: str = "uniform",
        steps: int = 4,
        levels: int = 1,
        schedule: str = "extended",
        threshold: float = 1.0,
        alpha: float = 5.0,
        grad: str = "attached",
        trainable: bool = True,
        start: float = 0.0,
    ) -> None:
        super().__init__(levels, threshold, alpha, grad, trainable, start)
        choice(grad, "grad of ATIF", [name for name in GRADS if name != "ste"])
        self.mode, self.schedule = choice(mode, "mode", MODES), choice(schedule, "schedule", SCHEDULES)
        self.steps = integer(steps, "steps", 1)
        if mode == "nonuniform" and schedule == "printed" and self.steps != 4:
            raise ValueError(f"schedule 'printed': expected steps=4 ('extended' has any number), got {steps}")
        count = 1 if mode == "uniform" else self.levels if self.is_staircase else self.steps
        free = evenly(count, float(check_threshold(threshold)))
        self.free = torch.nn.Parameter(free, requires_grad=bool(trainable))
        n = float(self.levels)
        self._rule = Rule(self.levels, n, n, self.alpha, self.grad, state=mode == "nonuniform")

    @property
    def is_staircase(self) -> bool:
        """Whether it is the exact quantizer: non-uniform with one timestep."""
        return self.mode == "nonuniform" and self.steps == 1

    @property
    def points(self) -> torch.Tensor:
        """p_1 >= ... > 0 in units of x: where the number of spikes is meant to change; (Vth,) if uniform."""
        return points(self.free)

    @property
    def thresholds(self) -> torch.Tensor:
        """In units of N x: (Vth,), the V_1 .. V_T of the timesteps, or the c_1 .. c_N of the exact quantizer."""
        if self.is_staircase:
            return self.levels * self.points.flip(0)
        return schedule(self.points, self.schedule) if self.mode == "nonuniform" else self.points

    @property
    def threshold(self) -> torch.Tensor:
        """The potential that is one in the integer network: p_1, which is Vth if uniform."""
        return self.points[0]

    @property
    def reach(self) -> float:
        """Largest threshold in units of :attr:`threshold`."""
        return float((self.thresholds.max() / self.threshold).detach())

    @property
    def device_params(self) -> dict[str, Any]:
        """``type``, ``levels``, ``mode`` and ``vThMant``, the thresholds in 1/64, rounded."""
        mantissas = [round(float(v) * self.w_scale) for v in self.thresholds.detach()]
        start = {"start": self.start} if self.start else {}
        return {"type": "ATIF", "levels": self.levels, "mode": self.mode, "vThMant": mantissas, **start}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Spikes z/N (N, ..., T') for a current (N, ..., T')."""
        check_current(x, least=2)
        self.check_steps(x.shape[-1])
        self._note_shape(x)
        v = self.rest(x)
        if self.mode == "uniform":
            return _fire(x, v, self.threshold, self._rule, self.exact)[0]
        if self.is_staircase:
            return staircase(_charged(x * self.levels, v), self.thresholds, self.alpha) / self.levels
        return _scheduled(x, v, self.thresholds, self._rule)[0]

    def integers(self, scale: torch.Tensor) -> torch.Tensor:
        """Thresholds of the integer network, one column per channel (or one for the layer): whole numbers >= 1.

        Gradients pass through the rounding.

        **Shape:** scale (C,) or (1,), integers per :attr:`threshold` -> (1, C), (T, C) or (N, C).

        >>> ATIF("nonuniform", steps=2).integers(torch.tensor([64.0, 3.0])).detach()
        tensor([[64.,  3.],
                [64.,  3.]])
        """
        wide = (self.thresholds / self.threshold).unsqueeze(1) * scale.to(self.free)
        return straight_through(lambda x: x.round().clamp(min=1), wide)

    def integer_form(self, unit: torch.Tensor, steps: int) -> tuple[str, dict[str, Any]]:
        """A staircase or a schedule of thresholds, multi-level if uniform."""
        if self.mode == "uniform":
            return super().integer_form(unit, steps)
        table = self.integers(unit).detach().long().cpu().numpy().T
        if self.is_staircase:
            return "staircase", {"thresholds": table}
        return "scheduled", {"levels": self.levels, "thresholds": table[:, :steps], **self.offsets(unit, steps)}

    def fire_integers(self, charge: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
        """Whole spikes for a charge (N, C, ..., T') in units of :attr:`threshold`, with the integer thresholds."""
        if self.mode == "uniform":
            return super().fire_integers(charge, scale)
        self.check_steps(charge.shape[-1])
        thresholds, v = self.integers(scale).to(charge) / scale.to(charge), self.rest_of_integers(charge, scale)
        if self.is_staircase:
            charge = _charged(charge, v)
            return staircase(charge, thresholds.reshape(len(thresholds), -1, *[1] * (charge.ndim - 2)), self.sharpness)
        by_step = thresholds.T.reshape(-1, *[1] * (charge.ndim - 3), len(thresholds))
        return scheduled(charge, v, by_step, self.levels, self.grad, self.sharpness)[0]

    def check_steps(self, steps: int) -> None:
        """ValueError for a sample of more timesteps than the neuron has thresholds for."""
        if steps > self.steps:
            raise ValueError(f"{steps} timesteps into ATIF(steps={self.steps}): expected at most {self.steps}")

    @torch.no_grad()
    def count_spikes(self, x: torch.Tensor) -> torch.Tensor:
        """Sum of z over the T timesteps for constant inputs x (...): the transfer function.

        >>> ATIF("uniform", steps=4).count_spikes(torch.tensor([0.2, 0.55, 1.5]))
        tensor([0., 2., 4.])
        """
        constant = x.unsqueeze(-1).expand(*x.shape, self.steps)
        if self.is_staircase:
            return staircase(_charged(self.levels * constant, self.rest(constant)), self.thresholds, self.alpha)[..., 0]
        return count_spikes(x, self.thresholds.expand(self.steps), self.levels, self.rest(constant))

    def extra_repr(self) -> str:
        shown = f"mode={self.mode!r}, steps={self.steps}, levels={self.levels}"
        schedule = f", schedule={self.schedule!r}" if self.mode == "nonuniform" and self.steps > 1 else ""
        start = f", start={self.start:g}" if self.start else ""
        return f"{shown}{schedule}, alpha={self.alpha:g}, grad={self.grad!r}{start}"


def _charged(charge: torch.Tensor, v: torch.Tensor | None) -> torch.Tensor:
    """A charge (..., 1) on top of V (...)."""
    return charge if v is None else charge + v.unsqueeze(-1)
