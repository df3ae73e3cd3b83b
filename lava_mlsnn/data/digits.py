"""The digits that come with scikit-learn: 1797 images of 8x8 pixels in 0 .. 16, no download.

They are the test part of the Optical Recognition of Handwritten Digits data (E. Alpaydin and C. Kaynak, UCI, 1998).
There is no official split of this part, so this one is fixed here: 20 % of each class, seed :data:`SPLIT_SEED`. The
same writers are in both parts, which makes the task easier than recognizing a new writer's hand.
"""

from __future__ import annotations

import numpy as np

from .dataset import Dataset, split

SPLIT_SEED = 20250
"""Seed of the split of the digits; part of the definition of the data, not a parameter of training."""


def load() -> Dataset:
    """1438 training and 359 test images (1, 8, 8) of 5 bits; one integer step is 1 / 16."""
    from sklearn.datasets import load_digits

    content = load_digits()
    images = content.images.astype(np.uint8)[:, None]
    labels = content.target.astype(np.int64)
    train, test = split(labels, 0.2, SPLIT_SEED)
    return Dataset(
        name="digits",
        train_images=images[train],
        train_labels=labels[train],
        test_images=images[test],
        test_labels=labels[test],
        input_scale=1 / 16,
        bits=5,
        labels=tuple(str(i) for i in range(10)),
        source=f"scikit-learn's load_digits (UCI optdigits, 8x8), split 80/20 per class with seed {SPLIT_SEED}.",
    )
