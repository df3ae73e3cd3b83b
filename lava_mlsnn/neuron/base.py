"""The base of the neurons: a SLAYER neuron with levels and a surrogate gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from lava.lib.dl.slayer.neuron import base

from ..helpers.check import choice, finite, integer
from . import functional
from .checks import GRADS, check_threshold

__all__ = ["GradedNeuron"]

SCALE = 1 << 6
"""SLAYER's integer units of a weight and of a threshold of 1.0."""


class GradedNeuron(base.Neuron):
    """A SLAYER neuron whose spikes carry the values 0, 1/N, ..., 1.

    It keeps no state between calls: a sample is one call with all of its T timesteps, before which V is zero, or
    ``start`` thresholds.

    Attributes:
        levels: N.
        alpha, grad: the surrogate gradient (:mod:`lava_mlsnn.neuron.surrogate`).
        start: V before the first timestep, in units of :attr:`threshold`, 0 <= start < 1.
        graded_spike: True, SLAYER's mark of neurons whose spikes carry a value.
        grads: the names that ``grad`` may have.
        shape: shape of the neurons, without batch and time, of the last call; None before the first.
    """

    graded_spike = True
    grads: tuple[str, ...] = GRADS
    exact: bool | None

    def __init__(
        self, levels: int, threshold: float, alpha: float, grad: str, trainable: bool = False, start: float = 0.0
    ) -> None:
        if isinstance(threshold, torch.Tensor):
            raise ValueError("threshold: expected a number (trainable=True trains it), got a tensor")
        super().__init__(
            threshold=check_threshold(threshold), w_scale=SCALE, s_scale=SCALE * SCALE, requires_grad=trainable
        )
        self.levels = integer(levels, "levels", 1)
        self.alpha = finite(alpha, "alpha", positive=True)
        self.grad = choice(grad, "grad", self.grads)
        self.start = finite(start, "start", low=0, below=1)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return super().__call__(x)

    @property
    def threshold(self) -> float | torch.Tensor:
        """The potential that is the unit of the integer network."""
        raise NotImplementedError

    @property
    def reach(self) -> float:
        """Largest threshold in units of :attr:`threshold`."""
        return 1.0

    @property
    def sharpness(self) -> float:
        """alpha Vth: the surrogate's alpha per unit of :attr:`threshold`."""
        return self.alpha * float(torch.as_tensor(self.threshold).detach())

    def clamp(self) -> None:
        """Clamp trained parameters to their range."""

    def check_steps(self, steps: int) -> None:
        """ValueError for a sample of more timesteps than the neuron accepts."""

    def fire_integers(self, charge: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
        """Whole spikes 0..N for a charge N x in units of :attr:`threshold`, multiples of 1 / scale per channel.

        **Shape:** charge (N, C, ..., T); scale (C,) or (1,), powers of two. Returns (N, C, ..., T).
        """
        v = self.rest_of_integers(charge, scale)
        return functional.fire(charge, v, 1.0, self.levels, self.grad, self.sharpness, exact=self.exact)[0]

    def rest(self, x: torch.Tensor) -> torch.Tensor | None:
        """V before the first timestep, (N, ...), for a current (N, ..., T); None is 0."""
        if not self.start:
            return None
        return torch.as_tensor(self.start * self.threshold, device=x.device).to(x.dtype).expand(x.shape[:-1])

    def rest_of_integers(self, charge: torch.Tensor, scale: torch.Tensor) -> torch.Tensor | None:
        """The same for :meth:`fire_integers`, in units of :attr:`threshold`: a multiple of 1 / scale."""
        if not self.start:
            return None
        rest = (self.resting(scale) / scale).to(charge.dtype)
        return rest.reshape(-1, *[1] * (charge.ndim - 3)).expand(charge.shape[:-1])

    def resting(self, unit: torch.Tensor) -> torch.Tensor:
        """V before the first timestep in the integer network, where ``unit`` is one :attr:`threshold`: whole numbers.

        They are rounded down, which no spike can tell, as all that is added to V is whole.
        """
        return (self.start * unit.double()).floor()

    def integer_form(self, unit: torch.Tensor, steps: int) -> tuple[str, dict[str, Any]]:
        """The neuron of the integer network: its kind in :mod:`lava_mlsnn.graph.neurons`, and its parameters.

        Args:
            unit: the integer potential that is one :attr:`threshold`, per channel (C,) or for all (1,).
            steps: T.
        """
        threshold = unit.long().cpu().numpy()
        if offsets := self.offsets(unit, steps):
            thresholds = np.repeat(threshold[:, None], steps, axis=1)
            return "scheduled", {"levels": self.levels, "thresholds": thresholds, **offsets}
        return "multilevel", {"levels": self.levels, "threshold": threshold if len(threshold) > 1 else threshold[0]}

    def offsets(self, unit: torch.Tensor, steps: int) -> dict[str, Any]:
        """The parameter of a "scheduled" neuron that adds :meth:`resting` to the first of its steps.

        Nothing where there is no ``start``, and for a single step, of whose bias it is a part.
        """
        if not self.start or steps == 1:
            return {}
        offsets = np.zeros((len(unit), steps), np.int64)
        offsets[:, 0] = self.resting(unit).cpu().numpy()
        return {"offsets": offsets}

    def extra_repr(self) -> str:
        return f"levels={self.levels}, grad={self.grad!r}"

    def _note_shape(self, x: torch.Tensor) -> None:
        self.shape: torch.Size | None = x.shape[1:-1]
        self.num_neurons: int | None = self.shape.numel()

    @property
    def device_params(self) -> dict[str, Any]:
        """What SLAYER's export writes under ``neuron/``."""
        raise NotImplementedError
