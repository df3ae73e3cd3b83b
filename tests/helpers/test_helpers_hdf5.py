"""HDF5 files of others, at every door that reads them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from lava_mlsnn import netx
from lava_mlsnn.data import formats

TEXT, SEQUENCE = b"\x19\x01\x01\x00", b"\x19\xff\xff\xff"
"""Type of a text of variable length, and the same damaged: a sequence."""


def attribute(file: h5py.File) -> None:
    file.attrs["format"] = "x"


def node(file: h5py.File) -> None:
    file["node/type"] = "NIRGraph"


def column(file: h5py.File) -> None:
    for name in "xyt":
        file[f"events/{name}"] = [1, 2]
    file["events/p"] = ["a", "b"]


def geometry(file: h5py.File) -> None:
    for name in "xytp":
        file[f"events/{name}"] = [1, 1]
    file.attrs["geometry"] = "3x4"


@pytest.mark.parametrize(
    ("make", "read"),
    [
        (attribute, netx.load),
        (node, lambda path: netx.from_nir(path, np.ones((1, 2, 1, 1)), timesteps=1)),
        (column, formats.read),
        (geometry, formats.read),
    ],
)
def test_a_text_that_became_a_sequence_is_refused(
    make: Callable[[h5py.File], None], read: Callable[[Path], Any], tmp_path: Path
) -> None:
    """Reading it would be a segmentation fault in h5py."""
    if make is node:
        pytest.importorskip("nir")
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        make(file)
    content = path.read_bytes()
    assert TEXT in content
    path.write_bytes(content.replace(TEXT, SEQUENCE))
    with pytest.raises(ValueError, match=r"^x\.h5: .*expected numbers or texts, found references or sequences"):
        read(path)
