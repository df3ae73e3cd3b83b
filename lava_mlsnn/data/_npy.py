"""Numpy's files with bounded memory: a header that declares more than there is is an error, objects are refused."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

LIMIT = 1 << 30
"""Bytes of one array."""


def read_npy(path: Path) -> NDArray[Any]:
    """The array of a ``.npy`` file; ValueError names the file."""
    try:
        with open(path, "rb") as file:
            return _read(file, path.stat().st_size)
    except (ValueError, EOFError, TypeError, SyntaxError) as error:
        raise ValueError(f"{path.name}: {error}") from None


def read_npz(path: Path, names: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """Those of the arrays ``names`` that a ``.npz`` file holds; ValueError names the file."""
    try:
        with zipfile.ZipFile(path) as content:
            found = {}
            for item in content.infolist():
                name = item.filename.removesuffix(".npy")
                if name in names:
                    with content.open(item) as file:
                        found[name] = _read(file, item.file_size)
            return found
    except (ValueError, EOFError, TypeError, SyntaxError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"{path.name}: {error}") from None
    except (zipfile.BadZipFile, OSError, zipfile.zlib.error) as error:  # type: ignore[attr-defined]
        if isinstance(error, FileNotFoundError | PermissionError):
            raise
        raise ValueError(f"{path.name}: cut or damaged ({error})") from None


def _read(file: IO[bytes], size: int) -> NDArray[Any]:
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"format {version} of numpy files, expected 1.0 or 2.0")
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read_header(file)
    if dtype.hasobject:
        raise ValueError("an array of Python objects; expected numbers")
    length = dtype.itemsize
    for count in shape:
        length *= int(count)
    if not 0 <= length <= min(size, LIMIT):
        raise ValueError(f"declares {length:,} bytes of {dtype} {shape}, the file has {size:,}: cut or damaged")
    content = file.read(length)
    if len(content) != length:
        raise ValueError(f"cut: {len(content):,} of {length:,} bytes of {dtype} {shape}")
    return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")
