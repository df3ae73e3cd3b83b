"""HDF5 files of strangers: read into memory at once, and only what they hold themselves."""

from __future__ import annotations

from math import prod
from os import PathLike, fspath, path, stat
from stat import S_ISREG
from typing import Any

import h5py

MAX_FILE = 2**31
"""Largest file, in bytes."""

MAX_ELEMENTS = 2**28
"""Most numbers that a dataset may declare."""

MAX_INFLATION = 1100
"""Most bytes that one stored byte may stand for: deflate cannot pass 1032."""

SIGNATURE = b"\x89HDF\r\n\x1a\n"

H5PY_ERRORS = (OSError, KeyError, RuntimeError, TypeError, ValueError, AttributeError, OverflowError, MemoryError)
"""What h5py raises for a damaged file."""

_FILTERS = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32}


class UnsafeError(ValueError):
    """A file that is none, or that wants more than what it holds."""


def read_image(file: str | PathLike[str]) -> bytes:
    """The bytes of a regular file.

    Nothing is locked and nothing stays open: neither a handle that somebody left open nor a writer beside us matters.

    Raises:
        FileNotFoundError: there is no such file.
        UnsafeError: a directory, a pipe, a device, or more than MAX_FILE bytes.
    """
    name = fspath(file)
    if path.isdir(name):
        raise UnsafeError("expected a file, found a directory")
    found = stat(name)
    if not S_ISREG(found.st_mode):
        raise UnsafeError("expected a file, found a pipe or device")
    if found.st_size > MAX_FILE:
        raise UnsafeError(f"{found.st_size} bytes: expected at most {MAX_FILE}")
    with open(name, "rb") as stream:
        return stream.read(MAX_FILE)


def open_image(image: bytes) -> h5py.File:
    """The file of an image in memory."""
    if not image.startswith(SIGNATURE):
        raise UnsafeError(f"not an HDF5 file: it starts with {image[:8]!r}")
    return h5py.File(h5py.h5f.open_file_image(image))


def check_link(group: h5py.Group, key: str) -> None:
    """UnsafeError for a link to elsewhere."""
    if not isinstance(group.get(key, getlink=True), h5py.HardLink):
        raise UnsafeError(f"{key!r}: expected a dataset or group of this file, found a link")


def check_dataset(key: str, dataset: h5py.Dataset) -> int:
    """Number of elements of a dataset, provided that the file itself really stores them.

    Raises:
        UnsafeError: it does not, or compresses them in a way that h5py does not know by itself.
    """
    if dataset.shape is None:
        raise UnsafeError(f"{key!r} is empty")
    if dataset.is_virtual or dataset.external:
        raise UnsafeError(f"{key!r}: its data lies in another file")
    count = prod(dataset.shape)
    nbytes, stored = count * dataset.dtype.itemsize, dataset.id.get_storage_size()
    plist = dataset.id.get_create_plist()
    filters = {plist.get_filter(i)[0] for i in range(plist.get_nfilters())}
    if filters - _FILTERS:
        raise UnsafeError(f"{key!r}: unknown compression filter {sorted(filters - _FILTERS)}")
    allowed = stored * (MAX_INFLATION if h5py.h5z.FILTER_DEFLATE in filters else 1)
    if count > MAX_ELEMENTS or nbytes > allowed:
        raise UnsafeError(f"{key!r}: declares shape {dataset.shape}, {nbytes} bytes, but the file stores {stored}")
    return count


def check_tree(file: h5py.File) -> None:
    """UnsafeError if anything in a file is not its own, or is much larger than what it stores."""
    seen: set[Any] = set()
    budget = MAX_ELEMENTS

    def check(group: h5py.Group, where: str) -> None:
        nonlocal budget
        for key in group:
            name = f"{where}{key}"
            check_link(group, key)
            item = group[key]
            place = h5py.h5o.get_info(item.id).addr
            if place in seen:
                raise UnsafeError(f"{name!r}: a second name of something")
            seen.add(place)
            if isinstance(item, h5py.Group):
                check(item, f"{name}/")
            elif isinstance(item, h5py.Dataset):
                budget -= check_dataset(name, item)
                if budget < 0:
                    raise UnsafeError(f"{name!r} takes the file beyond {MAX_ELEMENTS} numbers")

    try:
        check(file, "")
    except RecursionError:
        raise UnsafeError("groups are nested too deeply") from None
