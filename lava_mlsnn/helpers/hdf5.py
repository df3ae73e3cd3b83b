"""HDF5 files of others: looked at in memory, before libhdf5 follows a damaged size or a link to somewhere else."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

MAX_FILE = 2**31
"""Largest file, in bytes."""

SIGNATURE = b"\x89HDF\r\n\x1a\n"

_HEADER = 16
"""Bytes of the header of a global heap, and of each of its objects, with sizes of 8 bytes."""


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
        mode = os.stat(name).st_mode
    except FileNotFoundError:
        raise FileNotFoundError(f"no such network file: {name}") from None
    if not stat.S_ISREG(mode):
        kind = "a directory" if stat.S_ISDIR(mode) else "a pipe or device"
        raise ValueError(f"{where}: expected a file, found {kind}")
    with open(name, "rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        if size > MAX_FILE:
            raise ValueError(f"{where}: {size} bytes: expected at most {MAX_FILE}")
        image = stream.read(size)
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
