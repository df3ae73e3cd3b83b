"""Poisson encoding: an image as spikes whose probability is the pixel ([VicenteSola2022], section 3.4)."""

from __future__ import annotations

import torch
from torch import Tensor

from ..block import Input
from ..helpers.check import Shape


class Poisson(Input):
    """First block of a network that reads spikes; it draws them from images.

    Args:
        shape: (C, H, W).
        scale, bits: value of one integer step of a pixel, and its width.
        steps: T.

    Shape:
        images (N, C, H, W), whose values are clipped to probabilities 0 .. 1, or spikes (N, C, H, W, T)
        -> spikes (N, C, H, W, T). The exported network reads spikes: :meth:`draw` makes them.

    Example:
        >>> spikes = Poisson((1, 4, 4), steps=50)(torch.full((2, 1, 4, 4), 0.5))
        >>> spikes.shape, spikes.unique().tolist()
        (torch.Size([2, 1, 4, 4, 50]), [0.0, 1.0])
    """

    def __init__(self, shape: Shape, scale: float = 1 / 255, bits: int = 8, steps: int = 1) -> None:
        super().__init__(shape, scale=1.0, bits=1, steps=steps)
        self._pixel = float(scale), int(bits)

    @property
    def pixel_scale(self) -> float:
        """Value of one integer step of a pixel."""
        return self._pixel[0]

    @property
    def pixel_bits(self) -> int:
        """Width of a pixel."""
        return self._pixel[1]

    def presented(self, x: Tensor) -> Tensor:
        """``x`` itself if it has a time axis, else spikes drawn from it."""
        return self.draw(x) if x.ndim == 4 and tuple(x.shape[1:]) == self.shape else super().presented(x)

    def draw(self, images: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Spikes for images, independent in every step: integers 0 and 1 for integers, else floating.

        **Shape:** (N, C, H, W) -> (N, C, H, W, T).
        """
        whole = not images.is_floating_point()
        rate = images.to(self.anchor.dtype) * (self.pixel_scale if whole else 1.0)
        rate = rate.clamp(0, 1).unsqueeze(-1).expand(*rate.shape, self.steps)
        spikes = torch.bernoulli(rate, generator=generator)
        return spikes.to(torch.uint8) if whole else spikes
