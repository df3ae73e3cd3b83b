"""What is done to training images: shifts, mirrors, crops, mixtures. Pixels stay the integers that the network reads.

A crop interpolates and a mixture averages; both are rounded to whole pixels again (half a step at most), so that the
float epochs, the integer epochs and the exported network read one kind of image.

What is random is drawn for a whole batch, before it is divided among processes: one process and many see the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .recipe import Augment

RATIO = 4 / 3
"""Largest ratio of the sides of a crop, either way."""


@dataclass(frozen=True)
class Draw:
    """The random numbers of a batch, one row per image; None where nothing of the kind is done.

    Shape:
        offset (N, 2) int64, rows and columns; box (N, 4): left, top, right and bottom in 0 .. 1; mirror (N,) bool.
    """

    offset: Tensor | None = None
    box: Tensor | None = None
    mirror: Tensor | None = None

    def of(self, rows: Tensor) -> Draw:
        """The numbers of some images."""
        return Draw(*(None if x is None else x[rows] for x in (self.offset, self.box, self.mirror)))


def drawn(augment: Augment, count: int, random: torch.Generator) -> Draw:
    """Random numbers for ``count`` images."""
    offset = box = mirror = None
    if augment.shift:
        offset = torch.randint(0, 2 * augment.shift + 1, (2, count), generator=random).T
    if augment.crop is not None:
        box = _box(torch.rand(4, count, generator=random), augment.crop)
    if augment.flip:
        mirror = torch.rand(count, generator=random) < 0.5
    return Draw(offset, box, mirror)


def augmented(images: Tensor, augment: Augment, draw: Draw) -> Tensor:
    """Changed images; all timesteps of an image alike.

    Shape:
        (N, C, H, W) or (N, C, H, W, T) -> the same.

    Example:
        >>> augment = Augment(crop=0.5, flip=True)
        >>> images = torch.full((3, 1, 8, 8), 200, dtype=torch.uint8)
        >>> augmented(images, augment, drawn(augment, 3, torch.Generator())).unique()
        tensor([200], dtype=torch.uint8)
    """
    if draw.offset is not None:
        images = _shifted(images, augment.shift, draw.offset)
    if draw.box is not None:
        images = _cropped(images, draw.box)
    if draw.mirror is not None:
        mirror = draw.mirror.view(-1, *[1] * (images.ndim - 1))
        images = torch.where(mirror, images.flip(3), images)
    return images


def share(alpha: float, random: torch.Generator) -> float:
    """The first image's share of a mixture, from Beta(alpha, alpha) (Zhang et al., *mixup*, ICLR 2018)."""
    seed = int(torch.randint(2**32, (), generator=random))
    return float(np.random.RandomState(seed).beta(alpha, alpha))


def mixed(first: Tensor, second: Tensor, part: float) -> Tensor:
    """``part`` of the first images and the rest of the second, rounded to whole pixels.

    >>> mixed(torch.tensor([0, 10]), torch.tensor([100, 20]), 0.75)
    tensor([25, 12])
    """
    return (part * first.float() + (1 - part) * second.float()).round().to(first.dtype)


def _shifted(images: Tensor, most: int, offset: Tensor) -> Tensor:
    count, _, height, width = images.shape[:4]
    padded = images.new_zeros((count, images.shape[1], height + 2 * most, width + 2 * most, *images.shape[4:]))
    padded[:, :, most : most + height, most : most + width] = images
    rows, columns = offset[:, :1] + torch.arange(height), offset[:, 1:] + torch.arange(width)
    # Advanced indices around a slice come first: (N, H, W, C, ...) -> (N, C, H, W, ...).
    return padded[torch.arange(count)[:, None, None], :, rows[:, :, None], columns[:, None, :]].movedim(3, 1)


def _box(uniform: Tensor, least: float) -> Tensor:
    """Boxes of at least this share of the area (less where a side would leave the image), from numbers in 0 .. 1."""
    area, ratio = least + (1 - least) * uniform[0], RATIO ** (2 * uniform[1] - 1)
    size = torch.stack([(area * ratio).sqrt(), (area / ratio).sqrt()], -1).clamp(max=1)
    corner = uniform[2:].T * (1 - size)
    return torch.cat([corner, corner + size], -1)


def _cropped(images: Tensor, box: Tensor) -> Tensor:
    maps = images.movedim(-1, 2).flatten(1, 2) if images.ndim == 5 else images
    left, top, right, bottom = box.unbind(-1)
    none = torch.zeros_like(left)
    # From places in the crop to places in the image, both -1 .. 1 between the middles of the outermost pixels.
    rows = [right - left, none, left + right - 1, none, bottom - top, top + bottom - 1]
    places = functional.affine_grid(torch.stack(rows, -1).view(-1, 2, 3), list(maps.shape), align_corners=True)
    found = functional.grid_sample(maps.float(), places, padding_mode="border", align_corners=True)
    found = found.round().to(images.dtype)
    return found.unflatten(1, (images.shape[1], -1)).movedim(2, -1) if images.ndim == 5 else found
