"""Batches of images that lie in memory: no workers, no copies, the same order for the same seed and epoch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from ..data.dataset import Images, Labels
from .recipe import Augment

Batch = tuple[Tensor, Tensor]


class Batches:
    """Iterable of (images, labels) with ``len``; Lightning takes it in place of a DataLoader.

    With ``seed`` given, each epoch is shuffled and augmented by a generator that is seeded with (seed, epoch) alone,
    so that training which resumes at an epoch sees what it would have seen; an incomplete last batch is left out.
    Without, the images come in their order, all of them, unchanged.

    Args:
        images: unsigned integers.
        labels: class indices.
        batch: images per batch.
        seed: of order and augmentation, or None.
        augment: changes to the images of a shuffled epoch.

    Shape:
        images (N, C, H, W) or (N, C, H, W, T) -> batches of the same rank and type; labels (N,) -> int64.

    Example:
        >>> batches = Batches(np.zeros((10, 1, 8, 8), np.uint8), np.arange(10), batch=4)
        >>> [len(labels) for _, labels in batches]
        [4, 4, 2]
    """

    def __init__(
        self, images: Images, labels: Labels, batch: int, seed: int | None = None, augment: Augment | None = None
    ) -> None:
        self.images = torch.from_numpy(np.array(images))
        self.labels = torch.from_numpy(np.array(labels, np.int64))
        self.batch = min(batch, len(self.labels))
        self.seed = seed
        self.augment = augment or Augment()
        self.epoch = 0
        if seed is not None:
            self.sampler = self  # Lightning calls loader.sampler.set_epoch before each epoch

    def set_epoch(self, epoch: int) -> None:
        """Choose order and augmentation of the next epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        whole, rest = divmod(len(self.labels), self.batch)
        return whole + (self.seed is None and rest > 0)

    def __iter__(self) -> Iterator[Batch]:
        if self.seed is None:
            yield from zip(self.images.split(self.batch), self.labels.split(self.batch), strict=True)
            return
        random = torch.Generator().manual_seed((self.seed * 1_000_003 + self.epoch) % 2**63)
        order = torch.randperm(len(self.labels), generator=random)
        for chosen in order.split(self.batch)[: len(self)]:
            yield augmented(self.images[chosen], self.augment, random), self.labels[chosen]


def augmented(images: Tensor, augment: Augment, random: torch.Generator) -> Tensor:
    """Shifted and mirrored images; the same random numbers give the same images.

    Shape:
        (N, C, H, W) or (N, C, H, W, T) -> the same.
    """
    if augment.shift:
        images = _shifted(images, augment.shift, random)
    if augment.flip:
        mirror = torch.rand(len(images), generator=random) < 0.5
        images = torch.where(mirror.view(-1, *[1] * (images.ndim - 1)), images.flip(3), images)
    return images


def _shifted(images: Tensor, most: int, random: torch.Generator) -> Tensor:
    count, _, height, width = images.shape[:4]
    padded = images.new_zeros((count, images.shape[1], height + 2 * most, width + 2 * most, *images.shape[4:]))
    padded[:, :, most : most + height, most : most + width] = images
    offset = torch.randint(0, 2 * most + 1, (2, count, 1), generator=random)
    rows, columns = offset[0] + torch.arange(height), offset[1] + torch.arange(width)
    # Advanced indices around a slice come first: (N, H, W, C, ...) -> (N, C, H, W, ...).
    return padded[torch.arange(count)[:, None, None], :, rows[:, :, None], columns[:, None, :]].movedim(3, 1)
