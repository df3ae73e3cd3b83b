"""Numpy's files with bounded memory and one clear error: nothing declared is allocated, objects are refused."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..helpers.doors import OBJECTS, reason
from ..helpers.reading import opened, read_file

LIMIT, RATIO = 1 << 28, 64
"""Bytes of the arrays of an archive: as many as LIMIT, or RATIO times those of the file if these are more."""

MOST = 1 << 32
"""Bytes of a file of one array."""

_HEADERS: dict[Any, Any] = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def read_npy(path: Path) -> NDArray[Any]:
    """The array of a ``.npy`` file, read-only; ValueError names the file."""
    with _guarded(path):
        content = read_file(path, MOST)  # no memory map: the process would end with a file that is cut meanwhile
        header = io.BytesIO(content)
        version = np.lib.format.read_magic(header)
        if version not in _HEADERS:
            raise ValueError(f"version {version[0]}.{version[1]} of the format, expected 1.0 or 2.0")
        shape, fortran, dtype = _HEADERS[version](header)
        if dtype.hasobject:
            raise ValueError(OBJECTS)
        size = prod(shape) * dtype.itemsize
        if min(shape, default=0) < 0 or size > len(content) - header.tell():
            raise ValueError(f"declares {dtype} {shape}, found {len(content) - header.tell():,} bytes: cut or damaged")
        numbers = np.frombuffer(content, dtype, prod(shape), header.tell()) if size else np.zeros(0, dtype)
        return numbers.reshape(shape, order="F" if fortran else "C")


def read_npz(path: Path, names: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """Those of the arrays ``names`` that a ``.npz`` file holds; ValueError names the file."""
    with _guarded(path), opened(path) as file:
        if not zipfile.is_zipfile(file):
            raise ValueError("cut or damaged, or another file; expected an archive of arrays (.npz)")
        file.seek(0)
        with np.load(file, allow_pickle=False) as content:
            found = [name for name in names if name in content.files]
            declared = sum(item.file_size for item in content.zip.infolist() if item.filename[:-4] in found)
            limit = max(LIMIT, RATIO * os.fstat(file.fileno()).st_size)
            if declared > limit:
                raise ValueError(
                    f"arrays of {declared:,} bytes, expected at most {limit:,}: damaged, or packed too well: "
                    "of numpy.savez, without compression, its own size is the limit"
                )
            return {name: content[name] for name in found}


@contextmanager
def _guarded(path: Path) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, PermissionError, IsADirectoryError):
        raise
    except Exception as error:  # whatever numpy and zipfile make of damage
        detail = reason(error)
        raise ValueError(
            f"{path.name}: {detail}{'; expected arrays of numbers' if detail == OBJECTS else ''}"
        ) from None
