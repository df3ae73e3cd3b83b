"""idx files, packed with gzip or not, with bounded memory and one clear error.

An idx file is two zero bytes, the type of its numbers (0x08: unsigned bytes), the number of dimensions, the size of
each (uint32, big-endian), and the numbers in C order. The sizes it declares are compared with the size of the file
before anything is read.
"""

from __future__ import annotations

import hashlib
import math
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ..helpers.reading import opened
from ._archive import gunzip

LIMIT, UNPACKED, RATIO = 1 << 30, 1 << 28, 64
"""Bytes of numbers that are read: at most LIMIT; of a packed file UNPACKED, or RATIO times its size if that is more."""

TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def parse(file: IO[bytes], most: int) -> NDArray[Any]:
    """The numbers of an open idx file, at most ``most`` bytes of them.

    Raises:
        ValueError: not an idx file, cut, damaged, or larger than ``most``.

    Example:
        >>> import io
        >>> parse(io.BytesIO(bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 9])), 100)
        array([7, 9], dtype=uint8)
    """
    start = file.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in TYPES or not 1 <= start[3] <= 5:
        raise ValueError(f"begins with {start.hex(' ') or 'nothing'}, expected an idx file (00 00 08 03 for images)")
    header = file.read(4 * start[3])
    if len(header) < 4 * start[3]:
        raise ValueError("ends within its header: cut")
    sizes = struct.unpack(f">{start[3]}I", header)
    dtype = np.dtype(TYPES[start[2]])
    expected = math.prod(sizes) * dtype.itemsize
    if expected > most:
        raise ValueError(
            f"declares sizes {sizes}, {expected:,} bytes, expected at most {most:,}: cut or damaged, or packed "
            "too well: unpacked by gunzip, its own size is the limit"
        )
    content = bytearray()
    while piece := file.read(min(1 << 20, expected + 1 - len(content))):
        content += piece
    if len(content) != expected:
        found = f"{len(content):,}" if len(content) < expected else "more"
        raise ValueError(f"declares sizes {sizes}, {expected:,} bytes, found {found}: cut or damaged")
    return np.frombuffer(content, dtype).reshape(sizes)


def is_idx(path: Path) -> bool:
    """Whether a file begins as an idx file does, unpacked or packed."""
    try:
        with File(path).opened() as (file, _):
            start = file.read(4)
    except (OSError, EOFError, ValueError, zlib.error):
        return False
    return len(start) == 4 and start[:2] == b"\0\0" and start[2] in TYPES and 1 <= start[3] <= 5


@dataclass(frozen=True)
class File:
    """An idx file: its path, and its name in a .zip archive if it lies in one."""

    path: Path
    member: str = ""

    def __str__(self) -> str:
        return self.member.rpartition("/")[2] or self.path.name

    @contextmanager
    def opened(self, limit: int = LIMIT) -> Iterator[tuple[IO[bytes], int]]:
        """The file, unpacked, and the most bytes of numbers that it may hold."""
        if self.member:
            with opened(self.path) as file, zipfile.ZipFile(file) as archive, archive.open(self.member) as packed:
                size = archive.getinfo(self.member).compress_size
                yield gunzip(packed), _most(limit, size)
            return
        with opened(self.path) as file:
            size = os.fstat(file.fileno()).st_size
            is_packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            if is_packed:
                yield gunzip(file), _most(limit, size)
            else:
                yield file, min(limit, size)

    def read(self, limit: int = LIMIT) -> NDArray[Any]:
        """The numbers, at most ``limit`` bytes of them; ValueError names the file."""
        try:
            with self.opened(limit) as (file, most):
                return parse(file, most)
        except (FileNotFoundError, PermissionError, IsADirectoryError):
            raise
        except (EOFError, OSError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            raise ValueError(f"{self}: cut or damaged ({error})") from None
        except ValueError as error:
            raise ValueError(f"{self}: {error}") from None


def _most(limit: int, packed: int) -> int:
    """Bytes of numbers that a packed file may hold; gzip packs at most 1032 into one."""
    return min(limit, max(UNPACKED, RATIO * packed), 1032 * packed)


def content_md5(array: NDArray[Any]) -> str:
    """The md5 sum, in hex, of the unpacked idx file that holds an array of unsigned bytes."""
    digest = hashlib.md5(bytes((0, 0, 8, array.ndim)), usedforsecurity=False)
    digest.update(struct.pack(f">{array.ndim}I", *array.shape))
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
