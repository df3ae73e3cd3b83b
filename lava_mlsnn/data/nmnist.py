"""N-MNIST: 60000 training and 10000 test recordings of MNIST digits, 34x34, two polarities, three saccades each.

Source: G. Orchard et al., "Converting static image datasets to spiking neuromorphic datasets using saccades",
Frontiers in Neuroscience 9, 2015. The published archives hold ``Train/<0 .. 9>/<number>.bin`` and ``Test/...``; the
format of a file stands in :mod:`.aedat`. Training and test are the publisher's, MNIST's own. The same layout holds
"fashion-dvs", simulated recordings of Fashion-MNIST (:mod:`.fashion_dvs`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import aedat, made
from ._published import Finding
from .dataset import Dataset
from .integration import Events
from .recordings import Copy, Recording, framed, in_order
from .recordings import check as check_recordings

__all__ = ["check", "find", "load"]

COUNTS = {
    "train": (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949),
    "test": (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009),
}
"""MNIST's."""


def find(name: str, path: Path) -> Copy | None:
    """The recordings at ``path``, or in a folder NMNIST or N-MNIST in it; None for none."""
    for inner in ("", "NMNIST", "N-MNIST"):
        root = path / inner
        train, test = _files(root / "Train"), _files(root / "Test")
        if (train or test) and made.is_named(name, root):
            about = made.about(root)
            size = about["camera"]["size"] if about else 34
            return Copy(
                name=name,
                root=root,
                train=train,
                test=test,
                classes=tuple(about.get("classes", map(str, range(10)))),
                counts={part: tuple(counts) for part, counts in about.get("counts", COUNTS).items()},
                read=_read,
                sensor=(size, size),
                split=f"those of {about['images']}" if about else "the publisher's",
                format=".bin",
            )
    return None


def _files(folder: Path) -> tuple[Recording, ...]:
    return tuple(
        Recording(path, label) for label in range(10) for path in in_order(list((folder / str(label)).glob("*.bin")))
    )


def _read(one: Recording) -> Events:
    return aedat.read_nmnist(one.path)


def check(name: str, copy: Copy, **settings: Any) -> list[Finding]:
    """As of all recordings; of made ones also whether the files are those that were made."""
    return [*(made.check(copy.root) if made.about(copy.root) else []), *check_recordings(name, copy, **settings)]


def load(name: str, copy: Copy, **options: Any) -> Dataset:
    """T frames of all recordings; options of :mod:`.recordings`."""
    return framed(copy, **options)
