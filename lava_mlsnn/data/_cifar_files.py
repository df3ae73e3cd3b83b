"""The files of CIFAR-10 and CIFAR-100 in both published versions, and their md5 sums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ._published import PUBLISHED, Archive


@dataclass(frozen=True)
class Version:
    """One of the two versions of one data set.

    Args:
        archive: what is downloaded.
        folder: what it contains.
        train, test: files and their md5 sums, "" where none is published.
        meta: the files that name classes.
        labels: keys of the labels in a pickle, or their order in a record; the first is the finest.
        binary: which of the two.
    """

    archive: Archive
    folder: str
    train: Mapping[str, str]
    test: Mapping[str, str]
    meta: Mapping[str, str]
    labels: tuple[str, ...]
    binary: bool = False

    @property
    def files(self) -> dict[str, str]:
        """All files and their md5 sums."""
        return {**self.train, **self.test, **self.meta}


def _numbered(*sums: str) -> dict[str, str]:
    return {f"data_batch_{i + 1}": value for i, value in enumerate(sums)}


VERSIONS: dict[str, tuple[Version, ...]] = {
    "cifar10": (
        Version(
            PUBLISHED["cifar10"].archives[0],
            "cifar-10-batches-py",
            _numbered(
                "c99cafc152244af753f735de768cd75f",
                "d4bba439e000b95fd0a9bffe97cbabec",
                "54ebc095f3ab1f0389bbae665268c751",
                "634d18415352ddfa80567beed471001a",
                "482c414d41f54cd18b22e5b47cb7c3cb",
            ),
            {"test_batch": "40351d587109b95175f43aff81a1287e"},
            {"batches.meta": "5ff9c542aee3614f3951f8cda6e48888"},
            ("labels",),
        ),
        Version(
            PUBLISHED["cifar10"].archives[1],
            "cifar-10-batches-bin",
            {f"data_batch_{i}.bin": "" for i in range(1, 6)},
            {"test_batch.bin": ""},
            {"batches.meta.txt": ""},
            ("labels",),
            binary=True,
        ),
    ),
    "cifar100": (
        Version(
            PUBLISHED["cifar100"].archives[0],
            "cifar-100-python",
            {"train": "16019d7e3df5f24257cddd939b257f8d"},
            {"test": "f0ef6b0ae62326f3e7ffdfab6717acfc"},
            {"meta": "7973b15100ade9c7d40fb424638fde48"},
            ("fine_labels", "coarse_labels"),
        ),
        Version(
            PUBLISHED["cifar100"].archives[1],
            "cifar-100-binary",
            {"train.bin": ""},
            {"test.bin": ""},
            {"fine_label_names.txt": "", "coarse_label_names.txt": ""},
            ("fine_labels", "coarse_labels"),
            binary=True,
        ),
    ),
}
ARCHIVES = {version.archive.file for versions in VERSIONS.values() for version in versions}
