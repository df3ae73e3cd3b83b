"""The Dataset: integer images, labels and a fixed split, in memory or memory-mapped."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..helpers.check import finite, instance, integer
from ..helpers.shown import Grid, Shown, shape_text

Images = NDArray[Any]
Labels = NDArray[np.int64]

IN_MEMORY = 1 << 28
"""Bytes of images that are copied in memory; more of a memory map go to a temporary file."""


@dataclass(frozen=True, eq=False)
class Dataset(Shown):
    """Images and labels of a classification task.

    Pixels stay the integers that the exported network receives; training multiplies them by ``input_scale``.

    Args:
        name: what :func:`lava_mlsnn.data.load` calls it.
        train_images, test_images: unsigned integers below 2**bits.
        train_labels, test_labels: class indices.
        input_scale: value of one integer step in the units of training.
        bits: width of a pixel.
        labels: class names.
        source: where the images come from and how they were split, in one sentence.

    Shape:
        images (N, C, H, W) or (N, C, H, W, T); labels (N,) int64.

    Raises:
        ValueError: arrays that do not fit each other, pixels that do not fit ``bits``, labels without a name.
    """

    name: str
    train_images: Images = field(repr=False)
    train_labels: Labels = field(repr=False)
    test_images: Images = field(repr=False)
    test_labels: Labels = field(repr=False)
    input_scale: float
    bits: int
    labels: tuple[str, ...]
    source: str = ""

    def __post_init__(self) -> None:
        for part in ("train", "test"):
            images, labels = getattr(self, f"{part}_images"), getattr(self, f"{part}_labels")
            if images.ndim not in (4, 5) or images.dtype.kind != "u":
                raise ValueError(
                    f"{self.name}: expected unsigned {part} images (N, C, H, W) or (N, C, H, W, T), "
                    f"got {images.dtype} {images.shape}"
                )
            if labels.shape != images.shape[:1]:
                raise ValueError(f"{self.name}: {labels.shape} {part} labels for {len(images)} images")
            narrow = images.dtype.itemsize * 8 <= self.bits  # nothing to look for, and a memory map is not read
            if images.size and not narrow and int(images.max()) >= 2**self.bits:
                raise ValueError(f"{self.name}: {part} pixel {images.max()} does not fit {self.bits} bits")
            if labels.size and not 0 <= int(labels.min()) <= int(labels.max()) < len(self.labels):
                raise ValueError(
                    f"{self.name}: expected {part} labels in 0 .. {len(self.labels) - 1}, "
                    f"got {labels.min()} .. {labels.max()}"
                )
            for what, array in (("images", images), ("labels", labels)):
                view = array.view()
                view.flags.writeable = False
                object.__setattr__(self, f"{part}_{what}", view)
        if self.train_images.shape[1:] != self.test_images.shape[1:]:
            raise ValueError(
                f"{self.name}: training images {self.train_images.shape[1:]}, test images {self.test_images.shape[1:]}"
            )

    def grid(self) -> Grid:
        """A row per class, and for all of them: its training and test images."""
        parts = [np.bincount(labels, minlength=self.num_classes) for labels in (self.train_labels, self.test_labels)]
        rows = [(name, *(int(part[i]) for part in parts)) for i, name in enumerate(self.labels)]
        steps = f", T = {self.steps}" if self.steps else ""
        what = f"{shape_text(self.shape)}{steps}, {self.bits} bits, one step is {self.input_scale:.4g}"
        total = ("all", *(int(part.sum()) for part in parts))
        return Grid(f"{self.name}: {what}", ("class", "training", "test"), [*rows, total], [self.source])

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of an image."""
        channels, height, width = self.train_images.shape[1:4]
        return channels, height, width

    @property
    def steps(self) -> int | None:
        """T of images that come step by step, None of images without time."""
        return self.train_images.shape[4] if self.train_images.ndim == 5 else None

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return len(self.labels)

    def validation(self, fraction: float = 0.2, seed: int = 0) -> Dataset:
        """The training part alone, split again; its test part is a validation part, the real one is out of reach.

        Choose models and recipes on this, so that the test split stays unseen until the end. Of a memory map, more than
        :data:`IN_MEMORY` bytes go to a temporary file, which lasts as long as the result.

        Example:
            >>> from lava_mlsnn import data
            >>> part = data.load("digits").validation(0.25)
            >>> len(part.train_labels), len(part.test_labels)
            (1079, 359)
        """
        train, held_out = split(self.train_labels, fraction, seed)
        return replace(
            self,
            name=f"{self.name}-validation",
            train_images=_rows(self.train_images, train),
            train_labels=self.train_labels[train],
            test_images=_rows(self.train_images, held_out),
            test_labels=self.train_labels[held_out],
            source=f"{self.source} Training part only, split again {1 - fraction:.0%}/{fraction:.0%} with seed {seed}.",
        )

    def smaller(self, train: int | None = None, test: int | None = None, *, pool: int = 1, seed: int = 0) -> Dataset:
        """Fewer images, drawn at random, with fewer pixels: to try something in seconds.

        Args:
            train, test: how many images of each part; None for all.
            pool: pixels become the rounded mean of squares of pool x pixels, whole ones only.
            seed: of the draw.

        Raises:
            ValueError: more images than there are, or squares that are larger than them.

        Example:
            >>> from lava_mlsnn import data
            >>> data.load("digits").smaller(train=500, test=100, pool=2).train_images.shape
            (500, 1, 4, 4)
        """
        pool = integer(pool, "pool", 1, min(self.shape[1:]))
        random = np.random.RandomState(seed)
        parts: dict[str, Any] = {}
        for part, count in (("train", train), ("test", test)):
            images, labels = getattr(self, f"{part}_images"), getattr(self, f"{part}_labels")
            count = len(labels) if count is None else integer(count, f"{part} images", 1, len(labels))
            drawn = np.sort(random.permutation(len(labels))[:count])
            parts[f"{part}_images"], parts[f"{part}_labels"] = _pooled(_rows(images, drawn), pool), labels[drawn]
        kept = (
            f"{len(parts['train_labels'])} training and {len(parts['test_labels'])} test images drawn with seed {seed}"
        )
        squares = f", means of {pool} x {pool} pixels" * (pool > 1)
        return replace(self, **parts, source=f"{self.source} Of these {kept}{squares}.")


def _pooled(images: Images, pool: int) -> Images:
    """Rounded means over squares of pool x pool pixels, of the same dtype."""
    if pool == 1:
        return images
    height, width = images.shape[2] // pool, images.shape[3] // pool
    whole = images[:, :, : height * pool, : width * pool]
    squares = whole.reshape(*images.shape[:2], height, pool, width, pool, *images.shape[4:])
    return squares.mean(axis=(3, 5)).round().astype(images.dtype)


def _rows(images: Images, rows: NDArray[np.int64]) -> Images:
    """``images[rows]``, memory-mapped if the images are and there are many."""
    row = images.dtype.itemsize * int(np.prod(images.shape[1:]))
    if not isinstance(images, np.memmap) or row * len(rows) <= IN_MEMORY:
        return images[rows]
    piece = max(IN_MEMORY // 16 // row, 1)
    with tempfile.TemporaryFile() as file:  # the map outlives it
        for start in range(0, len(rows), piece):
            file.write(np.ascontiguousarray(images[rows[start : start + piece]]).data)
        file.flush()
        return np.memmap(file, images.dtype, "r", shape=(len(rows), *images.shape[1:]))


def require_dataset(value: object) -> None:
    """ValueError for anything but a Dataset, with how to come by one."""
    instance(value, Dataset, "dataset", "data.load reads one, data.make makes one of arrays")


def split(labels: Labels, fraction: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices of two disjoint parts with equal shares of each class; the second one holds ``fraction`` of all.

    Each class is permuted by ``numpy.random.RandomState``, whose stream is frozen for all versions of numpy, and the
    first ``round(fraction n)`` of its n members go to the second part. Both results are sorted.

    Raises:
        ValueError: fraction outside 0 .. 1, or a class too small to be in both parts.

    Example:
        >>> first, second = split(np.array([0, 0, 0, 0, 1, 1, 1, 1]), 0.25, seed=0)
        >>> len(first), len(second), sorted({*first, *second}) == list(range(8))
        (6, 2, True)
    """
    fraction = finite(fraction, "split fraction", positive=True, below=1)
    random = np.random.RandomState(seed)
    first, second = [], []
    for label in np.unique(labels):
        members = random.permutation(np.flatnonzero(labels == label))
        held_out = round(fraction * len(members))
        if not 0 < held_out < len(members):
            raise ValueError(f"split: class {label} has {len(members)} members, too few for a part of {fraction}")
        second.append(members[:held_out])
        first.append(members[held_out:])
    return np.sort(np.concatenate(first)), np.sort(np.concatenate(second))
