"""What one's own images are: numbers, shape, classes, values, and what is wrong with them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from . import own
from ._published import Finding
from .dataset import Dataset, Images

NAMED = 5
"""Classes or images that a finding names; of the rest it gives the number."""


def check(path: Path, options: Mapping[str, Any]) -> list[Finding]:
    """Images at a path with the options of :func:`lava_mlsnn.data.own.load`, read once and looked at."""
    try:
        dataset = own.load(path, **options)
    except (ValueError, FileNotFoundError) as error:
        return [Finding("content", False, str(error))]
    return list(_findings(dataset))


def _findings(dataset: Dataset) -> Iterator[Finding]:
    sides = {
        "training": (dataset.train_images, dataset.train_labels),
        "test": (dataset.test_images, dataset.test_labels),
    }
    steps = "" if dataset.steps is None else f" in {dataset.steps} steps"
    yield Finding("content", True, dataset.source)
    numbers = " and ".join(f"{len(labels):,} {side}" for side, (_, labels) in sides.items())
    yield Finding("images", True, f"{numbers} images of (C, H, W) = {dataset.shape}{steps}")
    for side, (_, labels) in sides.items():
        if len(labels):
            counts = np.bincount(labels, minlength=dataset.num_classes)
            missing = [name for name, count in zip(dataset.labels, counts, strict=True) if not count]
            detail = f"{dataset.num_classes} of {counts.min():,} to {counts.max():,} images"
            detail += f"; none of {_some(missing)}" if missing else ""
            yield Finding(f"{side} classes", not missing, detail)
    yield _values(dataset, [images for images, _ in sides.values() if len(images)])
    known = {_fingerprint(image) for image in dataset.train_images}
    both = [str(i) for i, image in enumerate(dataset.test_images) if _fingerprint(image) in known]
    detail = (
        f"{len(both)} test images are training images, too: number {_some(both)}" if both else "no image is in both"
    )
    yield Finding("split", not both, detail)


def _values(dataset: Dataset, parts: list[Images]) -> Finding:
    """Pixels in use, and images that show nothing."""
    low, high = min(int(images.min()) for images in parts), max(int(images.max()) for images in parts)
    detail = f"{low} .. {high} of 0 .. {2**dataset.bits - 1}, one step counts {dataset.input_scale:g}"
    flat = sum(int(image.min() == image.max()) for images in parts for image in images)
    if flat:
        detail += f"; {flat:,} images have one value everywhere"
    bits = max(high.bit_length(), 1)
    if bits < dataset.bits and low != high:
        detail += f"; {bits} bits hold them: bits={bits},input_scale={1 / (2**bits - 1):g} uses the whole range"
    return Finding("values", not flat, detail)


def _fingerprint(image: Any) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(image).tobytes(), digest_size=16).digest()


def _some(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
