"""Batches of images in memory or in a memory map: no workers, no copies, the same order for the same seed and epoch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from ..data.dataset import Images, Labels
from .augment import augmented, drawn, mixed, share
from .recipe import Augment
from .world import rank, size

Batch = tuple[Tensor, Tensor]


class Batches:
    """Iterable of (images, labels) with ``len``; Lightning takes it in place of a DataLoader.

    With ``seed`` given, each epoch is shuffled and augmented by a generator that is seeded with (seed, epoch) alone,
    so that training which resumes at an epoch sees what it would have seen; an incomplete last batch is left out.
    Without, the images come in their order, all of them, unchanged.

    Where several processes train together, each gets its part of every batch, without overlap: together they see
    exactly what one process alone would.

    Args:
        images: unsigned integers.
        labels: class indices.
        batch: images per batch, of all processes together.
        seed: of order and augmentation, or None.
        augment: changes to the images of a shuffled epoch.
        mixup: alpha of the mixture of each image with another of its batch; 0 is none.
        classes: number of classes, wanted for ``mixup``.
        shared: whether processes divide the batches among them; else each gets all.

    Shape:
        images (N, C, H, W) or (N, C, H, W, T) -> batches of the same rank, integer; labels (N,) -> int64, or with
        ``mixup`` the shares of all classes, (N, classes).

    Example:
        >>> batches = Batches(np.zeros((10, 1, 8, 8), np.uint8), np.arange(10), batch=4)
        >>> [len(labels) for _, labels in batches]
        [4, 4, 2]
    """

    def __init__(
        self,
        images: Images,
        labels: Labels,
        batch: int,
        seed: int | None = None,
        augment: Augment | None = None,
        mixup: float = 0.0,
        classes: int = 0,
        shared: bool = True,
    ) -> None:
        self.images = images
        self.labels = torch.from_numpy(np.array(labels, np.int64))
        self.batch = min(batch, len(self.labels))
        self.seed = seed
        self.augment = augment or Augment()
        self.mixup, self.classes = mixup, classes
        self.shared = shared
        self.epoch = 0
        if seed is not None:
            self.sampler = self  # Lightning calls loader.sampler.set_epoch before each epoch

    def set_epoch(self, epoch: int) -> None:
        """Choose order and augmentation of the next epoch."""
        self.epoch = epoch

    @property
    def _part(self) -> slice:
        """This process's rows of a batch."""
        return slice(rank(), None, size()) if self.shared else slice(None)

    def __len__(self) -> int:
        whole, rest = divmod(len(self.labels), self.batch)
        return whole + (self.seed is None and rest > 0)

    def __iter__(self) -> Iterator[Batch]:
        if self.seed is None:
            for rows in torch.arange(len(self.labels)).split(self.batch):
                if len(mine := rows[self._part]):
                    yield self._taken(mine), self.labels[mine]
            return
        if self.batch % size():
            raise ValueError(f"batch: expected a multiple of the {size()} processes, got {self.batch}")
        random = torch.Generator().manual_seed(stream(self.seed, self.epoch))
        order = torch.randperm(len(self.labels), generator=random)
        for chosen in order.split(self.batch)[: len(self)]:
            yield self._augmented(chosen, random)

    def _taken(self, rows: Tensor) -> Tensor:
        """A copy of these images; torch computes with no unsigned integers but those of 8 bits."""
        taken = self.images[rows.numpy()]
        return torch.from_numpy(taken if taken.dtype.itemsize == 1 else taken.astype(np.int32))

    def _augmented(self, chosen: Tensor, random: torch.Generator) -> Batch:
        """This process's part of the batch of these images."""
        draw = drawn(self.augment, len(chosen), random)
        mine = torch.arange(len(chosen))[self._part]
        if not self.mixup:
            return augmented(self._taken(chosen[mine]), self.augment, draw.of(mine)), self.labels[chosen[mine]]
        others = torch.randperm(len(chosen), generator=random)[mine]
        part = share(self.mixup, random)
        rows, place = torch.unique(torch.cat([mine, others]), return_inverse=True)
        images = augmented(self._taken(chosen[rows]), self.augment, draw.of(rows))
        first, second = place.split(len(mine))
        shares = torch.nn.functional.one_hot(self.labels[chosen], self.classes).float()
        return mixed(images[first], images[second], part), part * shares[mine] + (1 - part) * shares[others]


def stream(seed: int, epoch: int) -> int:
    """Seed of one epoch."""
    return (seed * 1_000_003 + epoch) % 2**63
