"""Data sets of recordings: files with labels become frames in a cache, and a Dataset that is memory-mapped.

Options that all of them take:

* ``steps`` (default 1): T, the number of frames; the network's timesteps;
* ``by`` (default "number"): how a recording is cut, by "number" of events or by "time", see :mod:`.integration`;
* ``duration`` (microseconds) or ``events``: in place of ``by``, how long each frame is or how many events it holds, so
  that a long recording becomes many samples of ``steps`` frames, all with its label;
* ``size`` (default the sensor's): height and width of the frames; events are counted on the coarser grid;
* ``complete`` (default yes): refuse a copy that is not the published data;
* ``cache``: folder of the frames, see :mod:`.cache`;
* ``progress``: called with (recordings done, recordings in total) while frames are made.

One integer step of a frame is one event and counts 1.0 in training (``input_scale``); counts above 255 become 255, and
the Dataset's ``source`` says how many events that cost.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..helpers.check import integer
from . import _aedat4, integration
from . import cache as caches
from ._archive import archives
from ._published import PUBLISHED, Finding, incomplete
from .dataset import Dataset
from .integration import Events
from .ready import ready_frames

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

    @property
    def title(self) -> str:
        """Of the data set in the literature."""
        return PUBLISHED[self.name].title if self.name in PUBLISHED else f"Recordings in {self.root.name}"

    def place(self, one: Recording) -> str:
        """A file as seen from the folder."""
        return os.path.relpath(one.path, self.root)

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


@dataclass
class Tally:
    """What happened while frames were made: events cut off and left out, and recordings whose times were mended."""

    cut: int = 0
    left: int = 0
    overflow: int = 0
    late: int = 0
    samples: list[int] = field(default_factory=list)

    def said(self, split: str) -> str:
        """In sentences."""
        said = {
            f"{self.cut} events above 255 per pixel and frame are left out.": self.cut,
            f"{self.left} events that fill no sample at the end of recordings are left out.": self.left,
            f"Times of {self.overflow} recordings ran backwards by an overflow, which was undone.": self.overflow,
            f"Times of {self.late} recordings ran backwards by late events, which were sorted.": self.late,
        }
        return "".join(f" {sentence}" for sentence, happened in said.items() if happened)


@dataclass(frozen=True)
class Cut:
    """How recordings become frames; see the module's text."""

    steps: int = 1
    by: str = "number"
    size: int | None = None
    duration: int | None = None
    events: int | None = None

    def check(self, sensor: tuple[int, int]) -> tuple[int, int]:
        """(H, W) of the frames; ValueError for what is not accepted."""
        if self.duration is not None and self.events is not None:
            raise ValueError("options duration and events both say how long a frame is: expected one of the two")
        for name in ("duration", "events"):
            if getattr(self, name) is not None:
                integer(getattr(self, name), f"option {name}", 1)
        return integration.check_frames(self.steps, self.by, sensor, self.size)

    @property
    def is_long(self) -> bool:
        """Whether a recording becomes many samples."""
        return self.duration is not None or self.events is not None

    def __str__(self) -> str:
        if self.duration is not None:
            return f"{self.steps} frames of {self.duration} us each"
        return f"{self.steps} frames of {self.events} events each" if self.events is not None else ""


def framed(
    copy: Copy,
    *,
    complete: bool = True,
    cache: str | Path | None = None,
    progress: caches.Progress | None = None,
    **settings: Any,
) -> Dataset:
    """The recordings of a copy as frames; options as in the module's text.

    Shape:
        images (N, 2, H, W, T) uint8, memory-mapped.

    Raises:
        ValueError: options that are not accepted, an incomplete copy, a damaged recording; names the file.
    """
    cut = Cut(**settings)
    height, width = cut.check(copy.sensor)
    if complete and not all(finding.passed for finding in copy.findings()):
        raise incomplete(copy.name, str(copy.root), copy.findings())
    everything = [*copy.train, *copy.test]
    frames, tally = _cached(copy, everything, (height, width), cut, cache, progress)
    labels = np.repeat(np.array([one.label for one in everything], np.int64), tally.samples)
    train = sum(tally.samples[: len(copy.train)])
    how = str(cut) if cut.is_long else f"{cut.steps} frames by {cut.by}"
    counts = f" as {train} and {len(labels) - train} samples" if cut.is_long else ""
    simulated = "-simulated" if copy.name in PUBLISHED and PUBLISHED[copy.name].made else ""
    return Dataset(
        name=f"{copy.name}{simulated}",
        train_images=frames[:train],
        train_labels=labels[:train],
        test_images=frames[train:],
        test_labels=labels[train:],
        input_scale=1.0,
        bits=8,
        labels=copy.classes,
        source=f"{copy.title} ({copy.format}), {len(copy.train)} training and {len(copy.test)} test recordings "
        f"({copy.split}){counts}, {how.replace('frames', f'frames {height}x{width}', 1)}.{tally.said(copy.split)}"
        + ("" if complete else " Not checked against the published data."),
    )


def _cached(
    copy: Copy,
    everything: Sequence[Recording],
    size: tuple[int, int],
    cut: Cut,
    cache: str | Path | None,
    progress: caches.Progress | None,
) -> tuple[NDArray[np.uint8], Tally]:
    listed = [[one.label, one.start, one.stop] for one in everything]
    about = {"name": copy.name, "train": len(copy.train), "recordings": listed, "sensor": copy.sensor, **asdict(cut)}
    key = caches.digest((one.path for one in everything), copy.root, about)
    tally = Tally()

    def make() -> Iterator[NDArray[np.uint8]]:
        with _aedat4.decoding():
            for done, one in enumerate(everything, 1):
                yield from frame(copy, one, cut, tally)
                if progress is not None:
                    progress(done, len(everything))

    shape = (len(everything), 2, *size, cut.steps)
    place = caches.folder(cache) / f"{copy.name}-{key}"
    frames, known = caches.frames(
        place, shape, make, lambda: {"name": copy.name, **asdict(cut), "tally": asdict(tally)}
    )
    return frames, Tally(**known["tally"])


def frame(copy: Copy, one: Recording, cut: Cut, tally: Tally) -> Iterator[NDArray[np.uint8]]:
    """The samples uint8 (2, H, W, T) of one recording; ValueError names it."""
    count = 0
    try:
        content = copy.read(one)
        if not isinstance(content, Events):
            if cut.is_long:
                raise ValueError("ready frames; duration and events are for recordings of events")
            samples = iter([ready_frames(content, cut.steps, copy.sensor, cut.size)])
        else:
            if cut.duration is not None or (cut.by == "time" and cut.events is None):
                content, said = content.in_order()
                tally.overflow += "overflow" in said
                tally.late += "late" in said
            if cut.is_long:
                samples = integration.samples(content, cut.steps, cut.duration, cut.events, copy.sensor, cut.size)
            else:
                samples = iter([integration.frames(content, cut.steps, cut.by, copy.sensor, cut.size)])
            tally.left += len(content)
        for counts in samples:
            image, lost = integration.saturated(counts)
            count += 1
            tally.cut += lost
            tally.left -= int(counts.sum()) if isinstance(content, Events) else 0
            yield image
    except ValueError as error:
        detail = str(error).removeprefix(f"{one.path.name}: ")
        raise ValueError(
            f"{copy.title}: {copy.place(one)}: {detail}; get this file again (mlsnn data check lists any others)"
        ) from None
    tally.samples.append(count)


def in_order(paths: Sequence[Path]) -> list[Path]:
    """Sorted by name, numbers by their value: a_2 before a_10; so every split is the same anywhere."""
    return sorted(paths, key=lambda path: [int(part) if part.isdigit() else part for part in _pieces(path)])


def _pieces(path: Path) -> list[str]:
    return re.split(r"(\d+)", path.name)


def check(name: str, copy: Copy, progress: caches.Progress | None = None) -> list[Finding]:
    """Numbers of recordings per class, and every recording read once and looked at."""
    packed = archives(PUBLISHED[name], (copy.root, copy.root.parent)) if name in PUBLISHED else []
    findings = [*packed, *copy.findings()]
    damaged: list[str] = []
    empty: list[str] = []
    mended: list[str] = []
    sizes: list[tuple[int, int]] = []
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
                        empty.append(copy.place(one))
                    else:
                        sizes.append((len(content), int(content.t.max()) - int(content.t.min())))
                    _, said = content.in_order()
                    if said:
                        mended.append(f"{copy.place(one)} ({said})")
                else:
                    ready_frames(content, len(content), copy.sensor, None)
            except ValueError as error:
                damaged.append(str(error))
    few = "; ".join(damaged[:5]) + (f"; and {len(damaged) - 5} more" if len(damaged) > 5 else "")
    detail = f"{len(everything)} recordings read ({copy.format})"
    findings.append(Finding("content", not damaged, f"{len(damaged)} damaged: {few}" if damaged else detail))
    if sizes and name not in PUBLISHED:
        counts, times = zip(*sizes, strict=True)
        detail = f"{min(counts):,} .. {max(counts):,} of (H, W) = {copy.sensor}, "
        detail += f"in {min(times) / 1e6:g} .. {max(times) / 1e6:g} s"
        findings.append(Finding("events per recording", True, detail))
    if mended:
        detail = f"{len(mended)} recordings whose times run backwards, which is mended; the first is {mended[0]}"
        findings.append(Finding("times", True, detail))
    if empty:
        findings.append(Finding("events", False, f"{len(empty)} recordings without events, the first is {empty[0]}"))
    return findings
