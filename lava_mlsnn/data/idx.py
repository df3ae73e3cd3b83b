"""MNIST, Fashion-MNIST, KMNIST and EMNIST from idx files as published, packed with gzip or not: gray, 28 x 28.

Sources: Y. LeCun et al., "Gradient-based learning applied to document recognition", Proc. IEEE 86, 1998; H. Xiao et
al., "Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms", 2017; T. Clanuwat et al.,
"Deep learning for classical Japanese literature", 2018; G. Cohen et al., "EMNIST: extending MNIST to handwritten
letters", IJCNN 2017. The split into training and test is the publisher's.

The files are looked for in a folder, in its folder ``raw``, and where torchvision puts them (``FashionMNIST/raw``).
EMNIST comes as six sets, which the option ``split`` chooses from; the published ``gzip.zip`` is read as it is. EMNIST's
images are transposed as published, and stay so; its letters are labeled 1 .. 26 there and 0 .. 25 here.
"""

from __future__ import annotations

import string
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..helpers.check import choice
from ._archive import archives, md5
from ._idx import File, content_md5
from ._published import PUBLISHED, Finding, incomplete
from .dataset import Dataset

SIDE = 28
FOLDERS = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST", "kmnist": "KMNIST", "emnist": "EMNIST"}
"""torchvision's."""

ARCHIVE = "gzip.zip"
"""EMNIST's."""

PARTS = {"train": "train", "test": "t10k"}
WHATS = {"images": "images-idx3-ubyte", "labels": "labels-idx1-ubyte"}

_DIGITS = tuple(string.digits)
_ALL = (*string.digits, *string.ascii_uppercase, *string.ascii_lowercase)
_MERGED = tuple(name for name in _ALL if name not in "cijklmopsuvwxyz")


@dataclass(frozen=True)
class Kind:
    """What is published: names of the classes, numbers of images, and the label of the first class."""

    classes: tuple[str, ...]
    train: int = 60_000
    test: int = 10_000
    first: int = 0


KINDS = {
    "mnist": Kind(_DIGITS),
    "fashion-mnist": Kind(
        ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
    ),
    "kmnist": Kind(("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")),
}
SPLITS = {
    "balanced": Kind(_MERGED, 112_800, 18_800),
    "byclass": Kind(_ALL, 697_932, 116_323),
    "bymerge": Kind(_MERGED, 697_932, 116_323),
    "letters": Kind(tuple(string.ascii_uppercase), 124_800, 20_800, first=1),
    "digits": Kind(_DIGITS, 240_000, 40_000),
    "mnist": Kind(_DIGITS),
}
"""EMNIST's sets."""

Arrays = Mapping[tuple[str, str], NDArray[Any]]
"""("train" or "test", "images" or "labels") -> numbers."""


@dataclass(frozen=True)
class Copy:
    """Somebody's copy: the folder or, of EMNIST, the archive that holds its files."""

    name: str
    path: Path

    def kind(self, split: str) -> Kind:
        """What is published under the name; ``split`` is EMNIST's set."""
        return SPLITS[split] if self.name == "emnist" else KINDS[self.name]

    def files(self, split: str) -> dict[tuple[str, str], File]:
        """The files that are there, by part and content."""
        stems = {part: f"emnist-{split}-{part}" if self.name == "emnist" else PARTS[part] for part in PARTS}
        found = {(part, what): self._file(f"{stems[part]}-{WHATS[what]}") for part in PARTS for what in WHATS}
        return {key: file for key, file in found.items() if file is not None}

    def _file(self, stem: str) -> File | None:
        if self.path.is_file():
            member = self._members.get(f"{stem}.gz")
            return None if member is None else File(self.path, member)
        names = (f"{stem}.gz", stem, stem.replace("-idx", ".idx"))
        return next((File(self.path / name) for name in names if (self.path / name).is_file()), None)

    @cached_property
    def _members(self) -> dict[str, str]:
        try:
            with zipfile.ZipFile(self.path) as archive:
                return {member.rpartition("/")[2]: member for member in archive.namelist()}
        except (zipfile.BadZipFile, ValueError) as error:
            raise ValueError(f"{self.path.name}: cut or damaged ({error})") from None


def find(name: str, path: Path) -> Copy | None:
    """The copy at ``path``, or in a folder in it that is named as torchvision names it; None for none.

    Files that are known to be those of another of these data sets, which have the same names, are not taken.
    """
    if path.is_file():
        return Copy(name, path) if name == "emnist" and zipfile.is_zipfile(path) else None
    root = FOLDERS[name]
    for inner in ("", "raw", "gzip", root, f"{root}/raw", f"{root}/raw/gzip"):
        copy = Copy(name, path / inner)
        if name != "emnist":
            files = copy.files("")
            if files and not any(_belongs_to_another(name, file) for key, file in files.items() if "labels" in key):
                return copy
        elif any(copy.files(split) for split in SPLITS):
            return copy
        elif (path / inner / ARCHIVE).is_file():
            return Copy(name, path / inner / ARCHIVE)
    return None


def _belongs_to_another(name: str, file: File) -> bool:
    owners = {sum_: key for key in KINDS for one in PUBLISHED[key].archives for sum_ in (one.md5, one.content) if sum_}
    try:
        owner = owners.get(content_md5(file.read(1 << 20))) or owners.get(md5(file.path))
    except ValueError:  # damaged, or longer than the labels of any of them
        return False
    return owner not in (None, name)


def load(name: str, copy: Copy, *, complete: bool = True, split: str = "balanced") -> Dataset:
    """One of the four from a copy.

    Args:
        name: "mnist", "fashion-mnist", "kmnist" or "emnist".
        copy: from :func:`find`.
        complete: False also takes a part of the data, or other data under the same names.
        split: of EMNIST: balanced, byclass, bymerge, letters, digits or mnist.

    Shape:
        images uint8 (N, 1, 28, 28).

    Raises:
        ValueError: an unknown split, a damaged file, or (``complete``) not the published data.
    """
    choice(split, f"dataset {name!r}: option split", SPLITS if name == "emnist" else ("balanced",))
    kind, files = copy.kind(split), copy.files(split)
    missing = [f"{part} {what}" for part in PARTS for what in WHATS if (part, what) not in files]
    if missing:
        raise ValueError(f"{PUBLISHED[name].title} in {copy.path}: no {' and no '.join(missing)}")
    arrays = {key: file.read() for key, file in files.items()}
    findings = [*_sums(name, files, arrays), *_counts(kind, arrays)]
    if complete and not all(finding.passed for finding in findings):
        raise incomplete(name, str(copy.path), findings)
    images = {part: _images(files[part, "images"], arrays[part, "images"]) for part in PARTS}
    labels = {part: arrays[part, "labels"].astype(np.int64) - kind.first for part in PARTS}
    which = f" {split}" if name == "emnist" else ""
    checked = "the publisher's split" if complete else "not checked against the published data"
    return Dataset(
        name=f"{name}{which.replace(' ', '-')}",
        train_images=images["train"],
        train_labels=labels["train"],
        test_images=images["test"],
        test_labels=labels["test"],
        input_scale=1 / 255,
        bits=8,
        labels=kind.classes,
        source=f"{PUBLISHED[name].title}{which}, {len(labels['train'])} training and {len(labels['test'])} test "
        f"images, {checked}.",
    )


def _images(file: File, array: NDArray[Any]) -> NDArray[np.uint8]:
    if array.ndim != 3 or array.dtype != np.uint8:
        raise ValueError(f"{file}: {array.dtype} {array.shape}, expected images uint8 (n, height, width)")
    return array[:, None]


def check(name: str, copy: Copy) -> list[Finding]:
    """What can be said about a copy: sums, sizes, numbers of images; of EMNIST, of the sets that are there."""
    findings = archives(PUBLISHED[name], (copy.path.parent,)) if copy.path.is_file() else []
    for split in SPLITS if name == "emnist" else ("",):
        files = copy.files(split)
        if name == "emnist" and not files:
            continue
        arrays: dict[tuple[str, str], NDArray[Any]] = {}
        for part, what in ((part, what) for part in PARTS for what in WHATS):
            file = files.get((part, what))
            try:
                if file is None:
                    raise ValueError("missing")
                arrays[part, what] = file.read()
            except ValueError as error:
                where = f"{split} {part} {what}".strip() if file is None else str(file)
                findings.append(Finding(where, False, str(error).removeprefix(f"{file}: ")))
        findings += _sums(name, files, arrays)
        findings += _counts(copy.kind(split), arrays, f"{split} ".lstrip())
    return findings


def _sums(name: str, files: Mapping[tuple[str, str], File], arrays: Arrays) -> list[Finding]:
    """Each file beside its published md5 sums, packed and unpacked; EMNIST publishes none of single files."""
    known = {one.file.removesuffix(".gz"): one for one in PUBLISHED[name].archives}
    found = []
    for key, array in arrays.items():
        file = files[key]
        published = known.get(f"{PARTS[key[0]]}-{WHATS[key[1]]}")
        if published is None:
            continue
        packed, content = md5(file.path), content_md5(array)
        if packed == published.md5:
            finding = Finding(str(file), True, f"md5 {packed}")
        elif content == published.content:
            finding = Finding(str(file), True, f"md5 {content} of the unpacked content")
        elif not published.content and file.path.suffix != ".gz":
            finding = Finding(str(file), True, f"{array.nbytes:,} bytes; no md5 of the unpacked file is published")
        else:
            detail = f"md5 {packed}, published {published.md5}: damaged or another file"
            finding = Finding(str(file), False, detail)
        found.append(finding)
    return found


def _counts(kind: Kind, arrays: Arrays, which: str = "") -> list[Finding]:
    """Numbers of images and labels beside the published ones."""
    findings = []
    for part, expected in (("train", kind.train), ("test", kind.test)):
        if (part, "images") not in arrays or (part, "labels") not in arrays:
            continue
        images, labels = arrays[part, "images"], arrays[part, "labels"]
        last = kind.first + len(kind.classes) - 1
        right = images.shape == (expected, SIDE, SIDE) and labels.shape == (expected,) and labels.dtype == np.uint8
        right = right and kind.first <= int(labels.min()) <= int(labels.max()) <= last
        found = f"images {' x '.join(map(str, images.shape))}, {labels.size} labels up to {labels.max(initial=0)}"
        wanted = f"; expected {expected} x {SIDE} x {SIDE}, labels {kind.first} .. {last}"
        findings.append(Finding(f"{which}{part} images", right, found + ("" if right else wanted)))
    return findings
