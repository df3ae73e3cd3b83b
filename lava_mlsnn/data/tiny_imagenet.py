"""Tiny ImageNet from its own folder layout (paper 004, section 5.1): 200 classes, color images of 64 x 64.

Source: Y. Le and X. Yang, "Tiny ImageNet visual recognition challenge", CS 231N, 2015. The publisher's layout::

    wnids.txt                             the 200 classes, one WordNet name per line: this order gives the labels
    words.txt                             WordNet name, tab, words of it (of many more names)
    train/n01443537/images/*.JPEG         500 images of each class
    val/images/*.JPEG                     10000 images
    val/val_annotations.txt               per image: file, tab, WordNet name, tab, a box (four numbers)
    test/images/*.JPEG                    without labels: not read

The validation images are the test part here, as in the literature. Some images are gray; they get three equal channels.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..helpers.reading import read_file, read_text
from ._published import PUBLISHED, Finding, incomplete
from .dataset import Dataset

CLASSES, SIDE = 200, 64
COUNTS = {"train": 500, "val": 50}
"""Images of each class."""

FOLDER, NAMES, WORDS, ANNOTATIONS = "tiny-imagenet-200", "wnids.txt", "words.txt", "val_annotations.txt"

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Copy:
    """Somebody's copy.

    Args:
        path: the folder.
        classes: WordNet names in the order of ``wnids.txt``.
        files: part -> images (paths within ``path``) with their labels.
    """

    path: Path
    classes: tuple[str, ...]
    files: Mapping[str, tuple[tuple[str, int], ...]]


def find(name: str, path: Path) -> Copy | None:
    """The copy at ``path``: the extracted folder, or the folder that holds it; None for none.

    Raises:
        ValueError: lists that do not fit the files.
    """
    for folder in (path, path / FOLDER):
        if (folder / NAMES).is_file() and (folder / "train").is_dir():
            return _listed(folder)
    return None


def _listed(folder: Path) -> Copy:
    classes = tuple(read_text(folder / NAMES).split())
    repeated = [name for name, count in Counter(classes).items() if count > 1]
    if not classes or repeated:
        detail = f"names {repeated[0]!r} twice" if repeated else "is empty"
        raise ValueError(f"{folder / NAMES}: {detail}; expected one WordNet name per line")
    train = [
        (f"train/{name}/images/{file.name}", label)
        for label, name in enumerate(classes)
        for file in sorted((folder / "train" / name / "images").glob("*.JPEG"))
    ]
    return Copy(folder, classes, {"train": tuple(train), "val": tuple(_annotated(folder, classes))})


def _annotated(folder: Path, classes: tuple[str, ...]) -> Iterable[tuple[str, int]]:
    path = folder / "val" / ANNOTATIONS
    if not path.is_file():
        return
    labels = {name: label for label, name in enumerate(classes)}
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip():
            continue
        file, _, rest = line.partition("\t")
        name = rest.split("\t")[0].strip()
        if name not in labels:
            raise ValueError(f"{path}, line {number}: class {name!r} is not in {NAMES}")
        if Path(file).name != file or not (folder / "val" / "images" / file).is_file():
            raise ValueError(f"{path}, line {number}: there is no image val/images/{file}")
        yield f"val/images/{file}", labels[name]


def load(name: str, copy: Copy, *, complete: bool = True, progress: Progress | None = None) -> Dataset:
    """Tiny ImageNet from a copy: 100000 training and 10000 validation images, 1.4 GB in memory.

    Args:
        name: "tinyimagenet".
        copy: from :func:`find`.
        complete: False also takes a part of the data, or other images in the same layout.
        progress: called with (images done, images in total).

    Raises:
        ValueError: not the published data (``complete``), or an image that is damaged or of another size.

    Shape:
        images uint8 (N, 3, 64, 64).
    """
    findings = _counted(copy)
    if complete and not all(finding.passed for finding in findings):
        raise incomplete(name, str(copy.path), findings)
    if not copy.files["train"] or not copy.files["val"]:
        raise ValueError(f"{copy.path}: no images of both parts; expected {PUBLISHED[name].layout}")
    total = sum(map(len, copy.files.values()))
    images, labels, done = {}, {}, 0
    for part, files in copy.files.items():
        pixels = np.empty((len(files), 3, SIDE, SIDE), np.uint8)
        for i, (file, _) in enumerate(files):
            pixels[i] = read_image(copy.path / file)
            done += 1
            if progress is not None and (done % 500 == 0 or done == total):
                progress(done, total)
        images[part], labels[part] = pixels, np.array([label for _, label in files], np.int64)
    return Dataset(
        name=name,
        train_images=images["train"],
        train_labels=labels["train"],
        test_images=images["val"],
        test_labels=labels["val"],
        input_scale=1 / 255,
        bits=8,
        labels=class_names(copy),
        source=f"{PUBLISHED[name].title}, {len(labels['train'])} training images; {len(labels['val'])} validation "
        "images as test part.",
    )


def read_image(path: Path) -> NDArray[np.uint8]:
    """One image, gray ones as three equal channels.

    Shape:
        (3, 64, 64).

    Raises:
        ValueError: no JPEG, damaged, or of another size: names the file.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(read_file(path)), formats=("JPEG",)) as image:
            if image.size != (SIDE, SIDE):
                raise ValueError(f"an image of {image.size[0]} x {image.size[1]}, expected {SIDE} x {SIDE}")
            pixels = np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError) as error:  # Pillow raises each of them for damaged files
        raise ValueError(f"{path}: expected a JPEG of {SIDE} x {SIDE} ({error})") from None
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def class_names(copy: Copy) -> tuple[str, ...]:
    """The first word of each class, with its WordNet name where two share a word; that name alone without words.txt."""
    words: dict[str, str] = {}
    path = copy.path / WORDS
    if path.is_file():
        for line in read_text(path).splitlines():
            name, _, text = line.partition("\t")
            words[name.strip()] = text.split(",")[0].strip()
    first = [words.get(name) or name for name in copy.classes]
    counts = Counter(first)
    return tuple(
        word if counts[word] == 1 else f"{word} ({name})" for word, name in zip(first, copy.classes, strict=True)
    )


def check(name: str, copy: Copy, progress: Progress | None = None) -> list[Finding]:
    """Whether there are as many classes, and images of each, as were published, and whether every image can be read.

    ``progress`` is called with (images read, images in total).
    """
    files = [file for part in copy.files.values() for file, _ in part]
    damaged = []
    for i, file in enumerate(files, 1):
        try:
            read_image(copy.path / file)
        except ValueError as error:
            damaged.append(str(error))
        if progress is not None and (i % 500 == 0 or i == len(files)):
            progress(i, len(files))
    detail = f"{len(files)} can be read" if not damaged else f"{len(damaged)} damaged, the first: {damaged[0]}"
    return [*_counted(copy), Finding("images", not damaged, detail)]


def _counted(copy: Copy) -> list[Finding]:
    found = [Finding("classes", len(copy.classes) == CLASSES, f"{len(copy.classes)}, expected {CLASSES}")]
    for part, each in COUNTS.items():
        counts = np.bincount([label for _, label in copy.files[part]], minlength=len(copy.classes))
        right = len(counts) == CLASSES and bool((counts == each).all())
        detail = f"{counts.sum()} images, {counts.min()} .. {counts.max()} of a class"
        found.append(Finding(f"{part} images", right, detail if right else f"{detail}; expected {each} of {CLASSES}"))
    return found
