"""CIFAR10-DVS: 10000 recordings of CIFAR-10 images moved before a DVS128, 1000 of each class, 128x128, two polarities.

Source: H. Li et al., "CIFAR10-DVS: an event-stream dataset for object classification", Frontiers in Neuroscience 11,
2017. What is read, in folders named ``airplane`` .. ``truck`` (or in such folders inside ``events_np``, ``CIFAR10DVS``
or ``extract``):

* ``.aedat`` (AEDAT 2.0), as published: ten archives of ``cifar10_<class>_<0 .. 999>.aedat``;
* ``.aedat4``, as tonic provides it;
* ``.npz`` with t, x, y, p (SpikingJelly's ``events_np``) or ``frames`` (its ``frames_number_T_split_by_...``);
* ``.npy`` with fields t, x, y, p, or frames (T, 2, 128, 128).

There is no official split. As in paper 000, 80 % train and the rest tests; which ones is fixed here: the recordings of
each class in the order of the numbers in their names, :func:`lava_mlsnn.data.split` with seed :data:`SPLIT_SEED`, so
that 200 of each class test. Most papers shuffle with a seed of their own, some take the first 100 of each class for
tests: accuracies on different splits differ.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import aedat
from .dataset import Dataset, split
from .integration import Events
from .ready import read_arrays
from .recordings import Copy, Recording, check, framed, in_order

__all__ = ["check", "find", "load"]

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SPLIT_SEED = 20250
"""Seed of the split; part of the definition of the data."""

ENDINGS = (".aedat4", ".aedat", ".npz", ".npy")
INNER = ("", "CIFAR10DVS", "extract", "events_np", "CIFAR10DVS/events_np", "CIFAR10DVS/extract")


def find(name: str, path: Path) -> Copy | None:
    """The recordings at ``path`` or in a folder where tonic or SpikingJelly put them; None for none."""
    for inner in INNER:
        root = path / inner
        for ending in ENDINGS:
            files = [in_order(list((root / label).glob(f"*{ending}"))) for label in CLASSES]
            if any(files):
                return _copy(name, root, files, ending)
    return None


def _copy(name: str, root: Path, files: list[list[Path]], ending: str) -> Copy:
    everything = [Recording(path, label) for label, paths in enumerate(files) for path in paths]
    labels = np.array([one.label for one in everything], np.int64)
    sizes = {len(paths) for paths in files if paths}
    train, test = split(labels, 0.2, SPLIT_SEED) if min(sizes) > 2 else (np.arange(len(labels)), np.arange(0))
    return Copy(
        name=name,
        root=root,
        train=tuple(everything[i] for i in train),
        test=tuple(everything[i] for i in test),
        classes=CLASSES,
        counts={"train": (800,) * 10, "test": (200,) * 10},
        read=_read,
        sensor=(128, 128),
        split=f"80/20 per class with seed {SPLIT_SEED}",
        format=ending,
    )


def _read(one: Recording) -> Events | NDArray[Any]:
    return aedat.read(one.path) if one.path.suffix.startswith(".aedat") else read_arrays(one.path)


def load(name: str, copy: Copy, **options: Any) -> Dataset:
    """T frames of 8000 training and 2000 test recordings; options of :mod:`.recordings`."""
    return framed(copy, **options)
