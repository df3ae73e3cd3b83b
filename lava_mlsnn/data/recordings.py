"""Data sets of recordings: files with labels become frames in a cache, and a Dataset that is memory-mapped.

Options that all of them take:

* ``steps`` (default 1): T, the number of frames; the network's timesteps;
* ``by`` (default "number"): how a recording is cut, by "number" of events or by "time", see :mod:`.integration`;
* ``size`` (default the sensor's): height and width of the frames; events are counted on the coarser grid;
* ``complete`` (default yes): refuse a copy that is not the published data;
* ``cache``: folder of the frames, see :mod:`.cache`;
* ``progress``: called with (recordings done, recordings in total) while frames are made.

One integer step of a frame is one event and counts 1.0 in training (``input_scale``); counts above 255 become 255, and
the Dataset's ``source`` says how many events that cost.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _aedat4, integration
from . import cache as caches
from ._archive import archives
from ._npy import read_npy, read_npz
from ._published import PUBLISHED, Finding, incomplete
from .dataset import Dataset
from .integration import Events

Read = Callable[["Recording"], "Events | NDArray[Any]"]
"""Events, or ready frames (T, 2, H, W)."""


@dataclass(frozen=True)
class Recording:
    """One sample: its file, its label, and the interval [start, stop) of times if the file holds several."""

    path: Path
    label: int
    start: int | None = None
    stop: int | None = None


@dataclass(frozen=True)
class Copy:
    """Somebody's copy of a data set of recordings.

    Args:
        name: the data set.
        root: its folder.
        train, test: the recordings.
        classes: names of the classes.
        counts: recordings per class, or (one number) in all, that the published data have, for "train" and "test".
        read: content of a recording.
        sensor: (H, W) of the camera.
        split: how training and test recordings were separated, in words.
        format: in words.
    """

    name: str
    root: Path
    train: tuple[Recording, ...] = field(repr=False)
    test: tuple[Recording, ...] = field(repr=False)
    classes: tuple[str, ...]
    counts: Mapping[str, tuple[int, ...]]
    read: Read
    sensor: tuple[int, int]
    split: str
    format: str

    def findings(self) -> list[Finding]:
        """Recordings per class beside the published numbers."""
        found = []
        for part, expected in self.counts.items():
            labels = [one.label for one in getattr(self, part)]
            counts, wrong = [labels.count(label) for label in range(len(self.classes))], []
            if len(expected) > 1:
                pairs = zip(self.classes, counts, expected, strict=True)
                wrong = [f"{label} has {count} of {right}" for label, count, right in pairs if count != right]
            detail = f"{len(labels)} recordings, expected {sum(expected)}" + (f": {', '.join(wrong)}" if wrong else "")
            found.append(Finding(f"{part} recordings", len(labels) == sum(expected) and not wrong, detail))
        return found


def framed(
    copy: Copy,
    *,
    steps: int = 1,
    by: str = "number",
    size: int | None = None,
    complete: bool = True,
    cache: str | Path | None = None,
    progress: caches.Progress | None = None,
) -> Dataset:
    """The recordings of a copy as frames; options as in the module's text.

    Shape:
        images (N, 2, H, W, T) uint8, memory-mapped.

    Raises:
        ValueError: options that are not accepted, an incomplete copy, a damaged recording; names the file.
    """
    height, width = integration.check_frames(steps, by, copy.sensor, size)
    if complete and not all(finding.passed for finding in copy.findings()):
        raise incomplete(copy.name, str(copy.root), copy.findings())
    everything = [*copy.train, *copy.test]
    shape = (len(everything), 2, height, width, steps)
    frames, about = _cached(copy, everything, shape, {"steps": steps, "by": by, "size": size}, cache, progress)
    labels = np.array([one.label for one in everything], np.int64)
    parts = slice(None, len(copy.train)), slice(len(copy.train), None)
    cut = f" {about['cut']} events above 255 per pixel and frame are left out." if about["cut"] else ""
    return Dataset(
        name=copy.name,
        train_images=frames[parts[0]],
        train_labels=labels[parts[0]],
        test_images=frames[parts[1]],
        test_labels=labels[parts[1]],
        input_scale=1.0,
        bits=8,
        labels=copy.classes,
        source=f"{PUBLISHED[copy.name].title} ({copy.format}), {len(copy.train)} training and {len(copy.test)} test "
        f"recordings ({copy.split}), {steps} frames {height}x{width} by {by}.{cut}"
        + ("" if complete else " Not checked against the published data."),
    )


def _cached(
    copy: Copy,
    everything: Sequence[Recording],
    shape: tuple[int, ...],
    settings: dict[str, Any],
    cache: str | Path | None,
    progress: caches.Progress | None,
) -> tuple[NDArray[np.uint8], dict[str, Any]]:
    listed = [[one.label, one.start, one.stop] for one in everything]
    about = {"name": copy.name, "train": len(copy.train), "recordings": listed, **settings}
    key = caches.digest((one.path for one in everything), copy.root, about)
    cut = 0

    def make() -> Iterator[NDArray[np.uint8]]:
        nonlocal cut
        with _aedat4.decoding():
            for one in everything:
                image, lost = frame(copy, one, **settings)
                cut += lost
                yield image

    place = caches.folder(cache) / f"{copy.name}-{key}"
    return caches.frames(place, shape, make, lambda: {"name": copy.name, **settings, "cut": cut}, progress)


def frame(
    copy: Copy, one: Recording, steps: int = 1, by: str = "number", size: int | None = None
) -> tuple[NDArray[np.uint8], int]:
    """Frames uint8 (2, H, W, T) of one recording, and the number of events that did not fit; ValueError names it."""
    try:
        content = copy.read(one)
        if isinstance(content, Events):
            counts = integration.frames(content, steps, by, copy.sensor, size)
        else:
            counts = ready_frames(content, steps, copy.sensor, size)
    except ValueError as error:
        place = one.path.relative_to(copy.root)
        detail = str(error).removeprefix(f"{one.path.name}: ")
        raise ValueError(
            f"{PUBLISHED[copy.name].title}: {place}: {detail}; get this file again (mlsnn data check lists any others)"
        ) from None
    return integration.saturated(counts)


def ready_frames(content: NDArray[Any], steps: int, sensor: tuple[int, int], size: int | None) -> NDArray[np.int64]:
    """Frames (T, 2, H, W) that another program has made, as (2, H', W', T); ValueError if they are not as asked for."""
    if content.shape != (steps, 2, *sensor):
        raise ValueError(f"frames {content.shape}, expected (T, 2, H, W) = {(steps, 2, *sensor)}")
    whole = content.astype(np.int64)
    if (whole != content).any() or (whole < 0).any():
        raise ValueError("frames that are not numbers of events (whole, 0 or more)")
    height, width = integration.check_frames(steps, "number", sensor, size)
    if (height, width) == sensor:
        return np.moveaxis(whole, 0, -1)
    rows, columns = np.arange(sensor[0]) * height // sensor[0], np.arange(sensor[1]) * width // sensor[1]
    small = np.eye(height)[rows].T @ whole @ np.eye(width)[columns]  # exact: whole numbers below 2^53
    return np.moveaxis(small, 0, -1).astype(np.int64)


def read_arrays(path: Path) -> Events | NDArray[Any]:
    """Events or frames that another program has written as ``.npy`` or ``.npz``; ValueError names the file.

    ``.npz`` with t, x, y, p (SpikingJelly's events) or with ``frames`` (T, 2, H, W); ``.npy`` with fields t, x, y, p
    (tonic's events) or frames (T, 2, H, W).
    """
    if path.suffix == ".npz":
        found = read_npz(path, ("t", "x", "y", "p", "frames"))
        if "frames" in found:
            return found["frames"]
        if set(found) < set("txyp"):
            raise ValueError(f"{path.name}: expected arrays t, x, y, p or frames, found {', '.join(found) or 'none'}")
        return Events(**{name: _whole(path, name, found[name]) for name in "xytp"})
    array = read_npy(path)
    if array.dtype.names:
        if not set("txyp") <= set(array.dtype.names):
            raise ValueError(f"{path.name}: expected fields t, x, y, p, found {', '.join(array.dtype.names)}")
        return Events(**{name: _whole(path, name, array[name]) for name in "xytp"})
    if array.ndim != 4 or array.dtype.kind not in "biuf":
        raise ValueError(f"{path.name}: {array.dtype} {array.shape}, expected frames (T, 2, H, W) or events")
    return array


def _whole(path: Path, name: str, values: NDArray[Any]) -> NDArray[np.int64]:
    if values.dtype.kind not in "biuf" or values.ndim != 1:
        raise ValueError(f"{path.name}: {name} is {values.dtype} {values.shape}, expected numbers (n,)")
    if values.dtype.kind == "f" and not (np.isfinite(values).all() and (np.abs(values) < 2.0**62).all()):
        raise ValueError(f"{path.name}: {name} holds values that are no times or places")
    return values.astype(np.int64)


def in_order(paths: Sequence[Path]) -> list[Path]:
    """Sorted by name, numbers by their value: a_2 before a_10; so every split is the same anywhere."""
    return sorted(paths, key=lambda path: [int(part) if part.isdigit() else part for part in _pieces(path)])


def _pieces(path: Path) -> list[str]:
    return re.split(r"(\d+)", path.name)


def check(name: str, copy: Copy, progress: caches.Progress | None = None) -> list[Finding]:
    """Numbers of recordings per class, and every recording read once and looked at."""
    findings = [*archives(PUBLISHED[name], (copy.root, copy.root.parent)), *copy.findings()]
    damaged: list[str] = []
    empty: list[str] = []
    everything = (*copy.train, *copy.test)
    with _aedat4.decoding():
        for count, one in enumerate(everything, 1):
            if progress is not None:
                progress(count, len(everything))
            try:
                content = copy.read(one)
                if isinstance(content, Events):
                    content.check(copy.sensor)
                    if not len(content):
                        empty.append(str(one.path.relative_to(copy.root)))
                else:
                    ready_frames(content, len(content), copy.sensor, None)
            except ValueError as error:
                damaged.append(str(error))
    few = "; ".join(damaged[:5]) + (f"; and {len(damaged) - 5} more" if len(damaged) > 5 else "")
    detail = f"{len(everything)} recordings read ({copy.format})"
    findings.append(Finding("content", not damaged, f"{len(damaged)} damaged: {few}" if damaged else detail))
    if empty:
        findings.append(Finding("events", False, f"{len(empty)} recordings without events, the first is {empty[0]}"))
    return findings
