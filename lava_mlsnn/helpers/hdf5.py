"""HDF5 files of others: looked at in memory, before libhdf5 follows a damaged size or a link to somewhere else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any

import h5py

from .reading import read_file

MAX_FILE = 2**31
"""Largest file, in bytes."""

MAX_ELEMENTS = 2**28
"""Most numbers that the datasets of one file may declare together."""

MAX_INFLATION = 1100
"""Most bytes that one stored byte may stand for: deflate cannot pass 1032."""

H5PY_ERRORS = (OSError, KeyError, RuntimeError, TypeError, ValueError, AttributeError, OverflowError, MemoryError)
"""What h5py raises for a damaged file."""

SIGNATURE = b"\x89HDF\r\n\x1a\n"

_HEADER = 16
"""Bytes of the header of a global heap, and of each of its objects, with sizes of 8 bytes."""

_FILTERS = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32}


class UnsafeError(ValueError):
    """Something in a file that is not its own, or that claims to be larger than what the file stores."""


def read_image(path: str | os.PathLike[str]) -> bytes:
    """The bytes of an HDF5 file whose global heaps libhdf5 can walk to their end.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no regular file, too large, not HDF5, or damaged where libhdf5 would not return; the message
            starts with the file's name.
    """
    name = os.fspath(path)
    where = Path(name).name
    try:
        image = read_file(name, MAX_FILE)
    except FileNotFoundError:
        raise FileNotFoundError(f"no such network file: {name}") from None
    if not image.startswith(SIGNATURE):
        raise ValueError(f"{where}: not an HDF5 file: it starts with {image[:8]!r}")
    for problem in heap_problems(image):
        raise ValueError(f"{where}: damaged: {problem}")
    return image


def heap_problems(image: bytes) -> Iterator[str]:
    """What is wrong with the global heaps of a file, where texts of variable length lie.

    libhdf5 steps through a heap by the sizes that its objects declare: a size of zero, or one that wraps around, makes
    it loop for ever. Heaps follow the HDF5 file format, version 1.1, section III.E.
    """
    place = image.find(b"GCOL\x01")
    while place >= 0:
        problem = _walk(image, place)
        if problem:
            yield f"global heap at byte {place}: {problem}"
        place = image.find(b"GCOL\x01", place + 5)


def _walk(image: bytes, heap: int) -> str:
    size = int.from_bytes(image[heap + 8 : heap + 16], "little")
    if not _HEADER <= size <= len(image) - heap:
        return f"its size is {size}, the file has {len(image) - heap} bytes from there"
    at = _HEADER
    while at + _HEADER <= size:
        index = int.from_bytes(image[heap + at : heap + at + 2], "little")
        declared = int.from_bytes(image[heap + at + 8 : heap + at + 16], "little")
        # The free space at the end is object 0, whose size counts its own header; others are padded to 8 bytes.
        step = declared if index == 0 else _HEADER + -(-declared // 8) * 8
        if step < _HEADER or at + step > size:
            return f"object {index} declares {declared} bytes, {size - at} are left"
        at += step
    return ""


def check_link(group: h5py.Group, key: str) -> None:
    """UnsafeError for a link to elsewhere."""
    if not isinstance(group.get(key, getlink=True), h5py.HardLink):
        raise UnsafeError(f"{key!r}: expected a dataset or group of this file, found a link")


def check_place(key: str, dataset: h5py.Dataset) -> None:
    """UnsafeError unless a dataset has values, all of them in this file."""
    if dataset.shape is None:
        raise UnsafeError(f"{key!r} is empty")
    if dataset.is_virtual or dataset.external:
        raise UnsafeError(f"{key!r}: its data lies in another file")
    check_type(key, dataset)


def check_type(key: str, item: Any) -> None:
    """UnsafeError unless a dataset, or what :meth:`h5py.AttributeManager.get_id` returns, holds numbers or texts.

    A text of variable length, one byte of whose type is damaged, is a sequence of what does not exist: h5py reads it
    through a wild pointer, which ends the process.
    """
    if item.dtype.hasobject and h5py.check_string_dtype(item.dtype) is None:
        raise UnsafeError(f"{key!r}: expected numbers or texts, found references or sequences")


def check_size(key: str, dataset: h5py.Dataset) -> int:
    """Number of elements of a dataset; UnsafeError unless the file really stores them."""
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
    """UnsafeError if anything in a file is not its own, or larger than what the file stores."""
    seen: set[int] = set()
    elements = 0
    waiting: list[tuple[str, h5py.Group]] = [("", file)]
    while waiting:
        where, group = waiting.pop()
        for key in group:
            check_link(group, key)
            item, name = group[key], f"{where}{key}"
            address = h5py.h5o.get_info(item.id).addr
            if address in seen:
                raise UnsafeError(f"{name!r}: expected something of its own, found a second name of another")
            seen.add(address)
            if isinstance(item, h5py.Group):
                waiting.append((f"{name}/", item))
            elif isinstance(item, h5py.Dataset):
                check_place(name, item)
                elements += check_size(name, item)
                if elements > MAX_ELEMENTS:
                    raise UnsafeError(f"{name!r}: shape {item.shape} takes the file beyond {MAX_ELEMENTS} numbers")
