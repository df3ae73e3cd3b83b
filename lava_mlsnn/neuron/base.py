"""What the modules of this room share: a SLAYER neuron with levels and a surrogate."""

from __future__ import annotations

from typing import Any

import torch
from lava.lib.dl.slayer.neuron import base

from ..helpers.check import choice, finite, integer
from . import functional
from .checks import GRADS, check_threshold

__all__ = ["GradedNeuron"]

_SCALE = 1 << 6
"""SLAYER's integer units of a weight and of a threshold of 1.0."""


class GradedNeuron(base.Neuron):
    """A SLAYER neuron whose spikes carry the values 0, 1/N, ..., 1.

    It keeps no state between calls: a sample is one call with all of its T timesteps, and V starts at 0.

    Attributes:
        levels: N.
        alpha, grad: the surrogate gradient (:mod:`lava_mlsnn.neuron.surrogate`).
        graded_spike: True, SLAYER's mark of neurons whose spikes carry a value.
        shape: shape of the neurons, without batch and time, of the last call; None before the first.
    """

    graded_spike = True
    exact: bool | None

    def __init__(self, levels: int, threshold: float, alpha: float, grad: str, trainable: bool = False) -> None:
        if isinstance(threshold, torch.Tensor):
            raise ValueError("threshold: expected a number (trainable=True trains it), got a tensor")
        super().__init__(
            threshold=check_threshold(threshold), w_scale=_SCALE, s_scale=_SCALE * _SCALE, requires_grad=trainable
        )
        self.levels = integer(levels, "levels", 1)
        self.alpha = finite(alpha, "alpha", positive=True)
        self.grad = choice(grad, "grad", GRADS)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return super().__call__(x)

    @property
    def threshold(self) -> float | torch.Tensor:
        """The potential that the integer network takes as its unit."""
        raise NotImplementedError

    @property
    def reach(self) -> float:
        """Largest threshold in units of :attr:`threshold`."""
        return 1.0

    def clamp(self) -> None:
        """Bring trained parameters back into their range."""

    def check_steps(self, steps: int) -> None:
        """ValueError for a sample of more timesteps than the neuron can take."""

    def fire_integers(self, charge: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
        """Whole spikes 0..N for a charge in units of :attr:`threshold`, whole multiples of 1 / scale per channel.

        **Shape:** charge (N, C, ..., T); scale (C,) or (1,), powers of two. Returns (N, C, ..., T).
        """
        sharpness = self.alpha * float(torch.as_tensor(self.threshold).detach())  # alpha Vth of the float neuron
        return functional.fire(charge, None, 1.0, self.levels, self.grad, sharpness, exact=self.exact)[0]

    def extra_repr(self) -> str:
        return f"levels={self.levels}, grad={self.grad!r}"

    def _note_shape(self, x: torch.Tensor) -> None:
        self.shape: torch.Size | None = x.shape[1:-1]
        self.num_neurons: int | None = self.shape.numel()

    @property
    def device_params(self) -> dict[str, Any]:
        """What SLAYER's export writes under ``neuron/``."""
        raise NotImplementedError
