"""One's own recordings of events: ``events:PATH,...``, in any of the formats of :mod:`.formats`.

PATH is one of

* a folder with one folder of recordings per class, or with such folders in ``train`` and ``test`` (or ``val``);
* a table ``.csv`` with a recording in each line: ``file,label``. A first line may name the columns: ``file``,
  ``label``, ``split`` ("train" or "test"), and ``start`` and ``stop`` (microseconds, stop excluded) of a sample in a
  long file.

Options, beside those of :mod:`.recordings`: ``sensor``, height and width of the camera as HxW, where the files do not
say it; ``test`` (default 0.2): the share of each class that is held out for tests where there is no split.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..helpers.check import finite, integer
from ..helpers.reading import read_text
from . import formats
from ._published import Finding
from .arrays import SHARE, SPLIT_SEED
from .dataset import Dataset, split
from .integration import Events
from .own import TEST, TRAIN, inner_folder
from .recordings import Copy, Recording, framed, in_order
from .recordings import check as check_recordings

__all__ = ["check", "find", "load"]

UNKNOWN = 1 << 16
"""Height and width of a sensor that nobody has told yet."""

COLUMNS = ("file", "label", "split", "start", "stop")


def find(name: str, path: Path) -> Copy | None:
    """The recordings at ``path``; None for none. Without a split, all are in the part for training."""
    if path.is_dir():
        sides = {"train": inner_folder(path, TRAIN), "test": inner_folder(path, TEST)}
        folders = {side: folder for side, folder in sides.items() if folder is not None} or {"all": path}
        found = {side: list(_in_folders(folder)) for side, folder in folders.items()}
        root = path
    elif path.suffix.lower() == ".csv" and path.is_file():
        root, found = path.parent, _in_table(path)
    else:
        return None
    if not any(found.values()):
        return None
    names = {label for items in found.values() for label, _ in items}
    classes = _classes(names)
    parts = {
        side: tuple(replace(one, label=classes.index(label)) for label, one in items) for side, items in found.items()
    }
    endings = sorted({one.path.suffix.lower() for items in parts.values() for one in items})
    return Copy(
        name=name,
        root=root,
        train=parts.get("all", parts.get("train", ())),
        test=parts.get("test", ()),
        classes=classes,
        counts={},
        read=_read,
        sensor=(UNKNOWN, UNKNOWN),
        split="" if "all" in parts else "as given",
        format=" ".join(endings),
    )


def _in_folders(folder: Path) -> Iterator[tuple[str, Recording]]:
    """Class and file of the recordings in the folders of a folder."""
    for inner in in_order([path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")]):
        for path in in_order([path for path in inner.iterdir() if path.suffix.lower() in formats.READERS]):
            yield inner.name, Recording(path, 0)


def _classes(names: set[str]) -> tuple[str, ...]:
    """Names in order; numbers are labels as they are, so that missing ones keep their place."""
    if all(re.fullmatch(r"\d{1,4}", name) for name in names):
        return tuple(str(i) for i in range(max(map(int, names)) + 1))
    return tuple(sorted(names))


def _in_table(path: Path) -> dict[str, list[tuple[str, Recording]]]:
    lines = csv.reader(io.StringIO(read_text(path, "utf-8-sig"), newline=""))
    rows = [(number, [cell.strip() for cell in row]) for number, row in enumerate(lines, 1) if any(row)]
    header = [cell.lower() for cell in rows[0][1]] if rows else []
    is_header = "file" in header and "label" in header
    names = header if is_header else list(COLUMNS[:2])
    unknown = [name for name in names if name not in COLUMNS]
    if unknown:
        raise ValueError(f"{path.name}: column {unknown[0]!r}, expected {', '.join(COLUMNS)}")
    found: dict[str, list[tuple[str, Recording]]] = {}
    for number, row in rows[is_header:]:
        try:
            side, label, one = _row(path, names, row)
        except ValueError as error:
            raise ValueError(f"{path.name}, line {number}: {error}") from None
        found.setdefault(side, []).append((label, one))
    if "all" in found and len(found) > 1:
        raise ValueError(f"{path.name}: expected a split of train or test in every line, or in none")
    return found


def _row(path: Path, names: list[str], row: list[str]) -> tuple[str, str, Recording]:
    if len(row) != len(names):
        raise ValueError(f"{row}, expected {','.join(names)}")
    cells = dict(zip(names, row, strict=True))
    place = path.parent / cells["file"]
    if not place.is_file() or not cells["label"]:
        raise ValueError(f"{row}, expected a recording and its label; there is no file {cells['file']!r}")
    side = cells.get("split", "").lower()
    if side not in ("", "train", "test"):
        raise ValueError(f"split {side!r}, expected train or test")
    label = cells["label"]
    label = str(int(label)) if re.fullmatch(r"\d{1,4}", label) else label
    start, stop = (int(cells[key]) if cells.get(key) else None for key in ("start", "stop"))
    if (start is None) != (stop is None) or (start is not None and stop is not None and stop < start):
        raise ValueError(f"{row}, expected start <= stop, or neither")
    return side or "all", label, Recording(place, 0, start, stop)


def _read(one: Recording) -> Events | NDArray[Any]:
    if one.start is None or one.stop is None:
        return formats.read(one.path)
    whole = _whole_file(one.path, one.path.stat().st_mtime_ns)
    if not isinstance(whole, Events):
        raise ValueError("ready frames; start and stop are for recordings of events")
    return whole[(whole.t >= one.start) & (whole.t < one.stop)]


@lru_cache(maxsize=1)
def _whole_file(path: Path, changed: int) -> Events | NDArray[Any]:
    """Samples of one file follow one another in a table; it is read once for all."""
    return formats.read(path)


def load(name: str, copy: Copy, *, sensor: Any = None, test: float | None = None, **options: Any) -> Dataset:
    """T frames of all recordings; options as in the module's text and of :mod:`.recordings`."""
    return framed(_divided(replace(copy, sensor=_sensor(copy, sensor)), test), **options)


def _divided(copy: Copy, share: float | None) -> Copy:
    """A copy with a part for tests."""
    if copy.split:
        if share is not None:
            raise ValueError(f"{copy.title}: option test={share}: the data have a split")
        return copy
    share = SHARE if share is None else finite(share, "option test", low=0, high=1)
    if share == 0:
        return replace(copy, split="test=0")
    if share == 1:
        return replace(copy, train=(), test=copy.train, split="test=1")
    labels = np.array([one.label for one in copy.train], np.int64)
    try:
        train, held = split(labels, share, SPLIT_SEED)
    except ValueError as error:
        raise ValueError(f"{copy.title}: {error}; test=1 tests all recordings, test=0 none") from None
    words = f"test={share:g}: that share of each class, seed {SPLIT_SEED}"
    return replace(
        copy, train=tuple(copy.train[i] for i in train), test=tuple(copy.train[i] for i in held), split=words
    )


def _sensor(copy: Copy, given: Any) -> tuple[int, int]:
    """(H, W) as given, or as the first recording says it."""
    if given is not None:
        sides = re.fullmatch(
            r"(\d{1,4})(?:x(\d{1,4}))?", str(given).replace("(", "").replace(")", "").replace(", ", "x")
        )
        if not sides:
            raise ValueError(f"option sensor={given!r}: expected HxW, such as 480x640")
        height = integer(int(sides.group(1)), "option sensor", 1, 8192)
        return height, integer(int(sides.group(2) or height), "option sensor", 1, 8192)
    first = (*copy.train, *copy.test)[0]
    content = _read(first)
    if isinstance(content, Events):
        if content.sensor is None:
            raise ValueError(f"{copy.title}: {copy.place(first)} does not say how large the sensor is: give sensor=HxW")
        return content.sensor
    if content.ndim != 4:
        raise ValueError(f"{copy.title}: {copy.place(first)}: frames {content.shape}, expected (T, 2, H, W)")
    return content.shape[2], content.shape[3]


def check(name: str, copy: Copy, *, sensor: Any = None, test: float | None = None, **settings: Any) -> Any:
    """How many recordings of which classes there are, how they are divided, and whether each can be read."""
    found = []
    try:
        copy = _divided(copy, test)
    except ValueError as error:
        found.append(Finding("split", False, str(error)))
    try:
        copy = replace(copy, sensor=_sensor(copy, sensor))
    except ValueError as error:
        found.append(Finding("sensor", False, str(error)))
    for side, part in (("training", copy.train), ("test", copy.test)):
        labels = [one.label for one in part]
        counts = {name: labels.count(label) for label, name in enumerate(copy.classes)}
        if part:
            each = ", ".join(f"{name} {count}" for name, count in counts.items())
            found.append(Finding(f"{side} recordings", all(counts.values()), f"{len(part)}: {each} ({copy.split})"))
    return [*found, *check_recordings(name, copy, **settings)]
