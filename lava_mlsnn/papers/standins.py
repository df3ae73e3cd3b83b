"""Stand-ins that are made of other data: events of moving images, images at the size of others, parts of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..data import Dataset

PATH = ((0, 0), (0, 1), (1, 1), (1, 0))
"""Rows and columns by which an image has moved: a closed loop, as CIFAR10-DVS was recorded."""


def moving(dataset: Dataset, steps: int, enlarged: int = 1) -> Dataset:
    """What an event camera sees of images that move around a loop of one pixel: where it gets brighter, and darker.

    A pixel has an event where its value changes by a quarter of the range or more from one step to the next.

    Args:
        dataset: images of one channel, without time.
        steps: T, frames of events.
        enlarged: rows and columns of each event.

    Shape:
        (N, 1, H, W) -> (N, 2, s (H + 1), s (W + 1), T) of zeros and ones.

    Example:
        >>> from lava_mlsnn import data
        >>> digits = moving(data.load("digits"), steps=2, enlarged=2)
        >>> digits.shape, digits.steps, int(digits.train_images.max())
        ((2, 18, 18), 2, 1)
    """
    threshold = 2**dataset.bits // 4

    def events(images: NDArray[np.unsignedinteger]) -> NDArray[np.uint8]:
        still = images[:, 0].astype(np.int32)
        places = [np.pad(still, ((0, 0), (y, 1 - y), (x, 1 - x))) for y, x in PATH]
        changes = [places[(t + 1) % len(PATH)] - places[t % len(PATH)] for t in range(steps)]
        frames = np.stack([np.stack([c >= threshold, c <= -threshold], 1) for c in changes], -1)
        return frames.repeat(enlarged, 2).repeat(enlarged, 3).astype(np.uint8)

    return replace(
        dataset,
        name=f"{dataset.name}-moving{'' if enlarged == 1 else f'-x{enlarged}'}",
        train_images=events(dataset.train_images),
        test_images=events(dataset.test_images),
        input_scale=1.0,
        bits=1,
        source=f"Events of images that move around a loop of one pixel; {dataset.source}",
    )


def shrunk(dataset: Dataset, rows: int) -> Dataset:
    """Images of at most ``rows`` rows and columns: framed with zeros, then the mean of blocks.

    Example:
        >>> from lava_mlsnn import data
        >>> shrunk(data.load("digits"), 3).shape
        (1, 3, 3)
    """
    size = max(dataset.shape[1:])
    block = -(-size // rows)
    if block == 1:
        return dataset

    def mean(images: NDArray[np.unsignedinteger]) -> NDArray[np.unsignedinteger]:
        pads = [block * rows - n for n in images.shape[2:]]
        framed = np.pad(images, ((0, 0), (0, 0), *((p // 2, p - p // 2) for p in pads)))
        blocks = framed.reshape(*images.shape[:2], rows, block, rows, block)
        return blocks.mean((3, 5)).round().astype(images.dtype)

    return replace(
        dataset,
        name=f"{dataset.name}-{rows}x{rows}",
        train_images=mean(dataset.train_images),
        test_images=mean(dataset.test_images),
        source=f"Shrunk to {rows}x{rows}; {dataset.source}",
    )


def part(dataset: Dataset, images: int) -> Dataset:
    """About so many of the training images where there are more, the same share of each class, drawn with seed 0.

    Example:
        >>> from lava_mlsnn import data
        >>> len(part(data.load("digits"), 500).train_labels)
        499
    """
    from ..data import split

    count = len(dataset.train_labels)
    if count <= images:
        return dataset
    _, chosen = split(dataset.train_labels, images / count, seed=0)
    return replace(
        dataset,
        train_images=dataset.train_images[chosen],
        train_labels=dataset.train_labels[chosen],
        source=f"{len(chosen)} of the training images, drawn per class with seed 0; {dataset.source}",
    )
