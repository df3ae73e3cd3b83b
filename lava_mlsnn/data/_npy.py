"""Numpy's files with bounded memory and one clear error: nothing declared is allocated, objects are refused."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..helpers.doors import OBJECTS, reason

LIMIT, RATIO = 1 << 28, 64
"""Bytes of the arrays of an archive: as many as LIMIT, or RATIO times those of the file if these are more."""


def read_npy(path: Path) -> NDArray[Any]:
    """The array of a ``.npy`` file as a read-only memory map; ValueError names the file."""
    with _guarded(path):
        return np.lib.format.open_memmap(path, mode="r")


def read_npz(path: Path, names: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """Those of the arrays ``names`` that a ``.npz`` file holds; ValueError names the file."""
    with _guarded(path):
        if not zipfile.is_zipfile(path):
            raise ValueError("cut or damaged, or another file; expected an archive of arrays (.npz)")
        with np.load(path, allow_pickle=False) as content:
            found = [name for name in names if name in content.files]
            declared = sum(item.file_size for item in content.zip.infolist() if item.filename[:-4] in found)
            limit = max(LIMIT, RATIO * path.stat().st_size)
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
