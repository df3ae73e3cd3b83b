"""Images from one's own arrays: a ``.npz`` file with ``images`` and ``labels``."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ._npy import read_npz
from .dataset import Dataset

ENDING = ".npz"


def load(path: Path, bits: int, classes: int, input_scale: float) -> Dataset:
    """The images of a file as a test set without a training part; pickled arrays are refused.

    Args:
        path: ``.npz`` with ``images`` (N, C, H, W) or (N, C, H, W, T), unsigned, and ``labels`` (N,).
        bits, classes, input_scale: what the network that reads them expects.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: another kind of file, missing arrays, labels that are no whole numbers, or arrays that do not fit
            each other; names the file.
    """
    if path.suffix != ENDING:
        raise ValueError(f"{path.name}: expected a file that ends in {ENDING}")
    content = read_npz(path, ("images", "labels"))
    missing = [name for name in ("images", "labels") if name not in content]
    if missing:
        raise ValueError(f"{path.name}: no {' and no '.join(missing)}, found {', '.join(content) or 'neither'}")
    images, labels = content["images"], content["labels"]
    if labels.dtype.kind not in "iuf" or not (np.isfinite(labels).all() and (labels == np.trunc(labels)).all()):
        raise ValueError(f"{path.name}: labels of {labels.dtype}, expected whole numbers")
    labels = labels.astype(np.int64)
    return Dataset(
        name=path.name,
        train_images=images[:0],
        train_labels=labels[:0],
        test_images=images,
        test_labels=labels,
        input_scale=input_scale,
        bits=bits,
        labels=tuple(str(i) for i in range(classes)),
        source=f"{len(images)} images of {path.name}",
    )
