"""CIFAR-10 and CIFAR-100 from their own archives, packed or extracted, Python or binary version.

Source: A. Krizhevsky, "Learning multiple layers of features from tiny images", 2009; the data's page describes both
versions. 50000 training and 10000 test images, 3 x 32 x 32, the split is the publisher's.

**Python version** (``cifar-10-batches-py/data_batch_1 .. 5, test_batch, batches.meta``; ``cifar-100-python/train,
test, meta``): pickles of Python 2. Each is a dict with byte keys: ``data`` uint8 (n, 3072), a row is an image, red
plane first, each plane row by row; ``labels``, or ``fine_labels`` and ``coarse_labels``, a list of n ints. They are
read by :mod:`._pickle`, which calls nothing that they name.

**Binary version** (``cifar-10-batches-bin/*.bin``, ``cifar-100-binary/*.bin``): records of one label byte, or of
coarse and fine label bytes, and the 3072 bytes of the image; names of classes in a text file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..helpers.reading import read_file
from . import _pickle
from ._archive import compared, md5, md5_of, read_tar
from ._cifar_files import ARCHIVES, VERSIONS, Version
from ._published import PUBLISHED, Finding, incomplete
from .dataset import Dataset, Images, Labels

PIXELS = 3 * 32 * 32
LIMIT = 1 << 28
"""Bytes; the largest real file (CIFAR-100's train) has 155 million."""


CLASSES = {"cifar10": (10,), "cifar100": (100, 20)}
COUNTS = {"train": 50_000, "test": 10_000}


@dataclass(frozen=True)
class Copy:
    """Somebody's copy: which version, and the archive or the folder that holds its files."""

    name: str
    version: Version
    path: Path

    @property
    def packed(self) -> bool:
        """Whether it is the archive."""
        return self.path.is_file()

    def read(self) -> dict[str, bytes]:
        """Contents of the files that are there; ValueError for a damaged archive or a file far too long."""
        wanted = set(self.version.files)
        if self.packed:
            return read_tar(self.path, self.version.folder, wanted, LIMIT, self.version.archive)
        present = [name for name in sorted(wanted) if (self.path / name).is_file()]
        return {name: read_file(self.path / name, LIMIT) for name in present}


@dataclass(frozen=True)
class Batch:
    """Images (n, 3, 32, 32) and each kind of labels (n,) of one file."""

    images: Images
    labels: tuple[Labels, ...] = field(default=())


def find(name: str, path: Path) -> Copy | None:
    """The copy at ``path``: the archive, the extracted folder, or the folder that holds one of them; None for none."""
    for version in VERSIONS[name]:
        if path.is_file():
            renamed = path.name not in ARCHIVES and path.suffix == ".gz" and ("bin" in path.name) == version.binary
            if path.name == version.archive.file or renamed:
                return Copy(name, version, path)
            continue
        for folder in (path, path / version.folder):
            if any((folder / file).is_file() for file in (*version.train, *version.test)):
                return Copy(name, version, folder)
        if (path / version.archive.file).is_file():
            return Copy(name, version, path / version.archive.file)
    return None


def load(name: str, copy: Copy, *, complete: bool = True, coarse: bool = False) -> Dataset:
    """CIFAR from a copy.

    Args:
        name: "cifar10" or "cifar100".
        copy: from :func:`find`.
        complete: False also takes a part of the data, or other images in the same format.
        coarse: CIFAR-100's 20 coarse labels in place of its 100 fine ones.

    Raises:
        ValueError: a damaged file, or (``complete``) not the published data; says what is wrong and what to do.
    """
    if coarse and name != "cifar100":
        raise ValueError("option coarse: only cifar100 has coarse labels")
    contents = copy.read()
    findings = _files_found(copy, contents)
    if complete and not all(finding.passed for finding in findings):
        raise incomplete(name, str(copy.path), findings)
    batches = {file: parse(copy.version, file, contents[file]) for file in contents if file not in copy.version.meta}
    kind = int(coarse)
    images, labels = {}, {}
    for part, files in (("train", copy.version.train), ("test", copy.version.test)):
        present = [batches[file] for file in files if file in batches]
        images[part] = np.concatenate([np.zeros((0, 3, 32, 32), np.uint8), *(batch.images for batch in present)])
        labels[part] = np.concatenate([np.zeros(0, np.int64), *(batch.labels[kind] for batch in present)])
    if complete:
        counted = _counts_found(name, labels, kind)
        if not all(finding.passed for finding in counted):
            raise incomplete(name, str(copy.path), counted)
    return Dataset(
        name=f"{name}-coarse" if coarse else name,
        train_images=images["train"],
        train_labels=labels["train"],
        test_images=images["test"],
        test_labels=labels["test"],
        input_scale=1 / 255,
        bits=8,
        labels=class_names(copy, contents, kind),
        source=_source(name, copy, len(labels["train"]), len(labels["test"]), complete),
    )


def _source(name: str, copy: Copy, train: int, test: int, complete: bool) -> str:
    what = "the publisher's split" if complete else "not checked against the published data"
    return f"{PUBLISHED[name].title} ({copy.version.archive.file}), {train} training and {test} test images, {what}."


def parse(version: Version, file: str, content: bytes) -> Batch:
    """Images and labels of one file; ValueError names it."""
    try:
        return _parse_binary(version, content) if version.binary else _parse_pickle(version, content)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from None


def _parse_binary(version: Version, content: bytes) -> Batch:
    record = len(version.labels) + PIXELS
    if len(content) % record:
        raise ValueError(f"{len(content):,} bytes, expected a multiple of {record}: cut or damaged")
    rows = np.frombuffer(content, np.uint8).reshape(-1, record)
    labels = rows[:, : len(version.labels)].astype(np.int64).T[::-1]  # the coarse label stands first
    return Batch(rows[:, len(version.labels) :].reshape(-1, 3, 32, 32), tuple(labels))


def _parse_pickle(version: Version, content: bytes) -> Batch:
    found = _pickle.loads(content)
    data = found.get("data")
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or data.ndim != 2 or data.shape[1] != PIXELS:
        shape = f"{data.dtype} {data.shape}" if isinstance(data, np.ndarray) else type(data).__name__
        raise ValueError(f"expected data uint8 (n, {PIXELS}), got {shape}")
    return Batch(data.reshape(-1, 3, 32, 32), tuple(_labels(found, key, len(data)) for key in version.labels))


def _labels(found: dict[str, Any], key: str, count: int) -> Labels:
    values = found.get(key)
    if not isinstance(values, list) or not all(type(value) is int and 0 <= value < 256 for value in values):
        raise ValueError(f"expected {key}, a list of numbers 0 .. 255, got {type(values).__name__}")
    if len(values) != count:
        raise ValueError(f"{len(values)} {key} for {count} images")
    return np.array(values, np.int64)


def class_names(copy: Copy, contents: Mapping[str, bytes], kind: int = 0) -> tuple[str, ...]:
    """Names of the classes, fine (0) or coarse (1); ValueError names the file that should hold them."""
    count = CLASSES[copy.name][kind]
    file = list(copy.version.meta)[kind if copy.version.binary else 0]
    if file not in contents:
        return tuple(str(i) for i in range(count))
    if copy.version.binary:
        names = contents[file].decode("utf-8", "replace").split()
    else:
        found = _pickle.loads(contents[file])
        key = "label_names" if copy.name == "cifar10" else ("fine_label_names", "coarse_label_names")[kind]
        listed = found.get(key)
        raw = listed if isinstance(listed, list) else []
        names = [name.decode("utf-8", "replace") if isinstance(name, bytes) else name for name in raw]
    if not all(isinstance(name, str) for name in names):
        raise ValueError(f"{file}: names of classes that are no strings")
    if len(names) != count:
        raise ValueError(f"{file}: {len(names)} names of classes, expected {count}")
    return tuple(names)


def check(name: str, copy: Copy) -> list[Finding]:
    """Everything that can be said about a copy: archive, files, md5 sums, shapes, images per class."""
    published = copy.version.archive
    try:
        contents = copy.read()
    except ValueError as error:
        return [Finding(copy.path.name, False, str(error))]
    findings = _files_found(copy, contents)
    if copy.packed:
        same = md5(copy.path) == published.md5
        inside = not copy.version.binary and all(finding.passed for finding in findings)
        detail = f"md5 {published.md5}" if same else compared(copy.path, published)
        findings.insert(0, Finding(copy.path.name, same or inside, detail if same or not inside else _repacked(detail)))
    labels: dict[str, NDArray[np.int64]] = {}
    for part, files in (("train", copy.version.train), ("test", copy.version.test)):
        found = [np.zeros(0, np.int64)]
        for file in files:
            if file in contents:
                try:
                    found.append(parse(copy.version, file, contents[file]).labels[0])
                except ValueError as error:
                    findings.append(Finding(file, False, str(error)))
        labels[part] = np.concatenate(found)
    return findings + _counts_found(name, labels, 0)


def _repacked(detail: str) -> str:
    return f"another archive of the right files ({detail.partition(';')[0]})"


def _files_found(copy: Copy, contents: Mapping[str, bytes]) -> list[Finding]:
    findings = []
    for file, expected in copy.version.files.items():
        if file not in contents:
            findings.append(Finding(file, False, "missing"))
            continue
        found = md5_of(contents[file])
        right = not expected or found == expected
        size = f"{len(contents[file]):,} bytes"
        detail = f"{size}, md5 {found}"
        findings.append(
            Finding(file, right, detail if right else f"{detail}, published {expected}: damaged or another file")
        )
    return findings


def _counts_found(name: str, labels: Mapping[str, NDArray[np.int64]], kind: int) -> list[Finding]:
    classes, findings = CLASSES[name][kind], []
    for part, found in labels.items():
        each, counts = COUNTS[part] // classes, np.bincount(found, minlength=classes)
        right = len(counts) == classes and bool((counts == each).all())
        detail = f"{len(found)} images 3 x 32 x 32, {counts.min()} .. {counts.max()} of each of {len(counts)} classes"
        findings.append(
            Finding(f"{part} images", right, detail if right else f"{detail}; expected {each} of {classes}")
        )
    return findings
