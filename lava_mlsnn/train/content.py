"""Digests of what a data set holds: equal content is the same data to a training, whatever its name."""

from __future__ import annotations

import hashlib
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from torch import nn

from ..block import quantization_of
from ..data import Dataset

CHUNK = 1 << 24
"""Bytes that are hashed at a time, so that a memory map is never held in memory as a whole."""

_DIGESTS: WeakKeyDictionary[Dataset, dict[str, str]] = WeakKeyDictionary()
"""A Dataset cannot change, so each of its parts is read once."""


def digest(dataset: Dataset, part: str) -> str:
    """Digest (32 hexadecimal digits) of the images and labels of one part, "train" or "test".

    Example:
        >>> from lava_mlsnn import data
        >>> digits = data.load("digits")
        >>> digest(digits, "train") == digest(data.load("digits"), "train") != digest(digits, "test")
        True
    """
    known = _DIGESTS.setdefault(dataset, {})
    if part not in known:
        found = hashlib.blake2b(digest_size=16)
        for array in (getattr(dataset, f"{part}_images"), getattr(dataset, f"{part}_labels")):
            _feed(found, array)
        known[part] = found.hexdigest()
    return known[part]


def fingerprint(dataset: Dataset) -> dict[str, Any]:
    """All of a data set that decides what a network learns and scores on it, JSON-ready; not its name.

    Shapes (for frames with T), dtypes, digests of pixels and labels of both parts, input scale, bits and classes.
    """
    parts = {
        part: {"shape": list(images.shape), "dtype": images.dtype.name, "digest": digest(dataset, part)}
        for part, images in (("train", dataset.train_images), ("test", dataset.test_images))
    }
    return {**parts, "input_scale": dataset.input_scale, "bits": dataset.bits, "classes": list(dataset.labels)}


def network_digest(net: nn.Module) -> str:
    """Digest (32 hexadecimal digits) of a network's architecture, weights and mode."""
    config = getattr(net, "config", None) or repr(net)
    found = hashlib.blake2b(repr((config, quantization_of(net))).encode(), digest_size=16)
    for name, value in net.state_dict().items():
        found.update(name.encode())
        _feed(found, value.detach().cpu().reshape(-1).double().numpy())
    return found.hexdigest()


def _feed(found: Any, array: NDArray[Any]) -> None:
    """Hash the values in C order and little-endian, whatever the layout in memory."""
    rows = max(1, CHUNK // max(1, array.dtype.itemsize * int(np.prod(array.shape[1:]))))
    for start in range(0, len(array), rows):
        found.update(np.ascontiguousarray(array[start : start + rows], array.dtype.newbyteorder("<")).data)
