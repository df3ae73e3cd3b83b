"""Fashion-MNIST as a simulated event camera sees it, moved along a circle: files in the layout of N-MNIST.

What CIFAR10-DVS and N-MNIST did with a real camera before a screen, :mod:`.event_camera` does here. The folder has
``Train`` and ``Test`` with folders 0 .. 9 of .bin files, named by the image's number in its part of Fashion-MNIST.
Accuracies on it are of simulated data.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..helpers.check import integer
from . import aedat, made, registry
from .event_camera import Camera

NAME = "fashion-dvs"

BATCH = 100
"""Images simulated at a time."""


def make(
    folder: Path,
    per_class: int | None = None,
    test_per_class: int | None = None,
    size: int = 34,
    seed: int = 0,
    images: str = "fashion-mnist",
    progress: made.Progress | None = None,
    **camera: Any,
) -> Path:
    """Write the data set to a new folder.

    Args:
        folder: must not exist, or be empty.
        per_class, test_per_class: the first so many images of each class; default all.
        size: rows and columns of the sensor, 16 .. 240; the picture is drawn larger on a larger one.
        seed: of the sensor's mismatch and of all noise.
        images: the data set that is moved, of one channel: NAME[:PATH][,KEY=VALUE...].
        progress: called with (recordings done, recordings in total).
        camera: other settings of :class:`.event_camera.Camera`.

    Returns:
        The folder.

    Raises:
        ValueError: a setting out of range, images that are missing or have colors, a folder that is not empty.
    """
    sensor = Camera(size=size, seed=seed, **camera)
    source = registry.load(images)
    if source.shape[0] != 1 or source.steps:
        raise ValueError(f"{NAME}: images of {images}: expected one channel without time, got {source.shape}")
    chosen = {}
    for part, limit in (("train", per_class), ("test", test_per_class)):
        labels = getattr(source, f"{part}_labels")
        limit = len(labels) if limit is None else integer(limit, f"{part} images per class", 1)
        each = [np.flatnonzero(labels == label)[:limit] for label in range(source.num_classes)]
        chosen[part] = np.sort(np.concatenate(each))
    settings = {"camera": asdict(sensor), "images": source.name, "classes": source.labels}
    total = sum(map(len, chosen.values()))
    done = 0
    with made.making(Path(folder), NAME, settings) as (root, result):
        result["counts"] = {}
        for part, rows in chosen.items():
            labels, pixels = getattr(source, f"{part}_labels")[rows], getattr(source, f"{part}_images")
            result["counts"][part] = np.bincount(labels, minlength=source.num_classes).tolist()
            places = [root / part.title() / str(label) for label in range(source.num_classes)]
            for place in places:
                place.mkdir(parents=True)
            for start in range(0, len(rows), BATCH):
                batch: NDArray[np.int64] = rows[start : start + BATCH]
                bright = pixels[batch, 0] * np.float32(1 / (2**source.bits - 1))
                recordings = sensor.record(bright, [seed, int(part == "test"), start])
                for row, label, events in zip(batch, labels[start:], recordings, strict=False):
                    (places[label] / f"{row:05d}.bin").write_bytes(aedat.nmnist_bytes(events))
                done += len(batch)
                if progress is not None:
                    progress(done, total)
    return Path(folder)
