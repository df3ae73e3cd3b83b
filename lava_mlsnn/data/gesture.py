"""DVS128 Gesture: 11 hand and arm gestures of 29 people under three lights, 128x128, two polarities.

Source: A. Amir et al., "A low power, fully event-based gesture recognition system", CVPR 2017. Two layouts are read:

* as published, ``DvsGesture/``: ``userNN_light.aedat`` (AEDAT 3.1, about a dozen gestures each) with
  ``userNN_light_labels.csv`` (class 1 .. 11, start and end in microseconds), and the lists ``trials_to_train.txt`` and
  ``trials_to_test.txt``: 1176 training and 288 test samples, events with start <= t < end;
* tonic's ``ibmGestureTrain`` and ``ibmGestureTest``: ``userNN_light/<class 0 .. 10>.npy``, numbers (n, 4) of column,
  row, polarity and time in milliseconds: 1077 training and 264 test samples.

Users 1 to 23 train, 24 to 29 test, as published.
"""

from __future__ import annotations

import csv
import io
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..helpers.reading import read_text
from . import aedat
from ._npy import read_npy
from .dataset import Dataset
from .integration import Events
from .recordings import Copy, Recording, check, framed, in_order

__all__ = ["check", "find", "load"]

CLASSES = (
    "hand clapping",
    "right hand wave",
    "left hand wave",
    "right arm clockwise",
    "right arm counter clockwise",
    "left arm clockwise",
    "left arm counter clockwise",
    "arm roll",
    "air drums",
    "air guitar",
    "other",
)
TOTALS = {".aedat": {"train": 1176, "test": 288}, ".npy": {"train": 1077, "test": 264}}
"""Samples in all; the numbers per class are not published."""
LISTS = {"train": "trials_to_train.txt", "test": "trials_to_test.txt"}
FOLDERS = {"train": "ibmGestureTrain", "test": "ibmGestureTest"}


def find(name: str, path: Path) -> Copy | None:
    """The samples at ``path``, or in a folder DvsGesture, DVSGesture or extract in it; None for none."""
    for inner in ("", "DvsGesture", "DVSGesture", "extract/DvsGesture"):
        root = path / inner
        if any((root / file).is_file() for file in LISTS.values()):
            return _copy(name, root, ".aedat", {part: _listed(root, file) for part, file in LISTS.items()})
        if any((root / folder).is_dir() for folder in FOLDERS.values()):
            return _copy(name, root, ".npy", {part: _arrays(root / folder) for part, folder in FOLDERS.items()})
    return None


def _copy(name: str, root: Path, ending: str, parts: dict[str, tuple[Recording, ...]]) -> Copy:
    return Copy(
        name=name,
        root=root,
        train=parts["train"],
        test=parts["test"],
        classes=CLASSES,
        counts={part: (count,) for part, count in TOTALS[ending].items()},
        read=_read,
        sensor=(128, 128),
        split="the publisher's",
        format=ending,
    )


def _arrays(folder: Path) -> tuple[Recording, ...]:
    files = [path for user in in_order(list(folder.glob("*"))) for path in in_order(list(user.glob("*.npy")))]
    found = []
    for path in files:
        if not path.stem.isdigit() or int(path.stem) >= len(CLASSES):
            raise ValueError(f"{path}: expected <class>.npy with a class 0 .. {len(CLASSES) - 1}")
        found.append(Recording(path, int(path.stem)))
    return tuple(found)


def _listed(root: Path, file: str) -> tuple[Recording, ...]:
    if not (root / file).is_file():
        return ()
    found: list[Recording] = []
    for line in read_text(root / file).split():
        if Path(line).name != line:
            raise ValueError(f"{file}: {line!r}: expected the name of a file beside it")
        if (root / line).is_file():
            found += _samples(root / line)
    return tuple(found)


def _samples(path: Path) -> list[Recording]:
    """The samples that the labels of one file name."""
    table = path.with_name(f"{path.stem}_labels.csv")
    if not table.is_file():
        raise ValueError(f"{path.name}: expected its labels in {table.name}, which is missing")
    found = []
    for number, row in enumerate(csv.reader(io.StringIO(read_text(table), newline="")), 1):
        if number == 1 or not row:
            continue
        try:
            label, start, stop = (int(cell) for cell in row[:3])
        except ValueError:
            raise ValueError(f"{table.name}, line {number}: {row}, expected class, start, end") from None
        if not 1 <= label <= len(CLASSES) or stop < start:
            raise ValueError(f"{table.name}, line {number}: {row}, expected a class 1 .. 11 and start <= end")
        found.append(Recording(path, label - 1, start, stop))
    return found


def _read(one: Recording) -> Events:
    if one.start is None or one.stop is None:
        return _numbers(one.path)
    whole = _whole_file(one.path, one.path.stat().st_mtime_ns)
    inside = (whole.t >= one.start) & (whole.t < one.stop)
    return Events(whole.x[inside], whole.y[inside], whole.t[inside], whole.p[inside])


@lru_cache(maxsize=1)
def _whole_file(path: Path, changed: int) -> Events:
    """The samples of a file come one after another; it is read once for all."""
    return aedat.read(path)


def _numbers(path: Path) -> Events:
    table = read_npy(path)
    if table.ndim != 2 or table.shape[1] != 4 or table.dtype.kind not in "iuf":
        raise ValueError(f"{path.name}: {table.dtype} {table.shape}, expected numbers (n, 4): x, y, p, t")
    if table.dtype.kind == "f" and not (np.abs(table) < 2.0**52).all():
        raise ValueError(f"{path.name}: values that are no places or times")
    x, y, p = (table[:, i].astype(np.int64) for i in range(3))
    return Events(x, y, np.round(table[:, 3] * 1000.0).astype(np.int64), p)


def load(name: str, copy: Copy, **options: Any) -> Dataset:
    """T frames of all samples; options of :mod:`.recordings`."""
    return framed(copy, **options)
