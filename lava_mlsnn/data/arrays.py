"""From arrays to a Dataset: the order of axes, whole numbers out of floats, labels, what is held out for tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..helpers.check import finite, integer
from .dataset import Dataset, Images, Labels, split

SPLIT_SEED = 20250
"""Seed of the split of data that come without one."""

SHARE = 0.2
"""Share of each class that is held out of data that come without a split."""

MOST_CLASSES = 1 << 16
"""Each gets a name: one large label would be as many."""

PIECE = 1 << 22
"""Numbers that are converted at a time."""

WANTED = "(N, C, H, W), or (N, C, H, W, T) for images that come step by step"


@dataclass(frozen=True, eq=False)
class Part:
    """Images (N, C, H, W[, T]), numbers of any type, and their labels (N,)."""

    images: NDArray[Any]
    labels: Labels


@dataclass(frozen=True)
class Wish:
    """How arrays become a Dataset; None leaves the choice to the data.

    Args:
        test: share of each class that is held out for tests, 0 .. 1, of data without a split.
        bits: width of a pixel.
        input_scale: value of one integer step.
        labels: names of the classes.
    """

    test: float | None = None
    bits: int | None = None
    input_scale: float | None = None
    labels: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.test is not None:
            finite(self.test, "option test", low=0, high=1)
        if self.bits is not None:
            integer(self.bits, "option bits", 1, 24)
        if self.input_scale is not None:
            finite(self.input_scale, "option input_scale", positive=True)


def part(images: Any, labels: Any, order: str | None = None) -> Part:
    """Arrays as images and labels that fit each other.

    Args:
        images: numbers (N, C, H, W) or (N, C, H, W, T); also (N, H, W), which is gray, and (N, features).
        labels: whole numbers (N,) or (N, 1).
        order: the order of the axes if it is another one, such as "NTCHW" or "TNCHW" or "NHWC".

    Raises:
        ValueError: arrays that do not fit each other; suggests the order of the axes.

    Example:
        >>> part(np.zeros((5, 2, 1, 8, 8)), [0, 1], "TNCHW").images.shape
        (2, 1, 8, 8, 5)
    """
    images, found = np.asarray(images), _labels(labels)
    if images.dtype.kind not in "biuf":
        raise ValueError(f"images of {images.dtype} {images.shape}, expected numbers {WANTED}")
    images = ordered(images, order) if order is not None else _as_usual(images, len(found))
    if len(images) != len(found):
        raise ValueError(f"{len(found)} labels for {len(images)} images, of shape {images.shape}")
    return Part(images, found)


def ordered(images: NDArray[Any], order: str) -> NDArray[Any]:
    """Images with their axes in the order (N, C, H, W[, T]); ``order`` names the axes as they are."""
    axes = order.upper()
    if len(set(axes)) != len(axes) or not set("NHW") <= set(axes) <= set("NCHWT"):
        raise ValueError(f"order {order!r}: expected N, H, W and, where there are such axes, C and T, each once")
    if images.ndim != len(axes):
        raise ValueError(f"order {order!r}: {len(axes)} axes for images of shape {images.shape}")
    if "C" not in axes:
        images, axes = np.expand_dims(images, 0), f"C{axes}"
    return images.transpose([axes.index(axis) for axis in "NCHWT" if axis in axes])


def _as_usual(images: NDArray[Any], count: int) -> NDArray[Any]:
    """Images whose order nobody has named; ValueError if it looks like another one than the usual."""
    shape = images.shape
    if images.ndim == 2:
        return images[:, :, None, None]
    if images.ndim == 3:
        return images[:, None]
    if images.ndim not in (4, 5):
        raise ValueError(f"images of shape {shape}, expected {WANTED}")
    likely = _likely_order(shape, count)
    if likely:
        places = ", ".join(str(likely.index(axis)) for axis in "NCHWT" if axis in likely)
        raise ValueError(
            f"images of shape {shape} look like ({', '.join(likely)}), expected {WANTED}: give order={likely!r}, or "
            f"permute them with images.transpose({places}) (of a tensor, permute)"
        )
    return images


def _likely_order(shape: tuple[int, ...], count: int) -> str:
    """Another order of the axes than the usual one that a shape suggests, if it does."""
    if len(shape) == 4:
        return "NHWC" if shape[3] in (1, 3, 4) and min(shape[1:3]) > 4 else ""
    first = "TN" if shape[0] != count and shape[1] == count else "NT"
    usual = shape[2] == shape[3] or (shape[1] <= 4 and shape[3] != shape[4])
    return f"{first}CHW" if first == "TN" or (not usual and (shape[3] == shape[4] or shape[2] <= 4)) else ""


def _labels(labels: Any) -> Labels:
    found = np.asarray(labels)
    if found.ndim == 2 and found.shape[1] == 1:
        found = found[:, 0]
    if found.ndim != 1:
        hint = "; of one-hot rows, give labels.argmax(1)" if found.ndim == 2 else ""
        raise ValueError(f"labels of shape {found.shape}, expected (N,){hint}")
    if found.dtype.kind not in "iuf" or not (np.isfinite(found).all() and (found == np.trunc(found)).all()):
        raise ValueError(f"labels of {found.dtype}, expected whole numbers")
    if found.size and (found.min() < 0 or found.max() >= MOST_CLASSES):
        raise ValueError(f"labels {found.min()} .. {found.max()}, expected classes 0, 1, 2 ... {MOST_CLASSES - 1}")
    return found.astype(np.int64)


def dataset(name: str, parts: Mapping[str, Part], wish: Wish, source: str, counts: bool = False) -> Dataset:
    """The Dataset of some parts.

    Args:
        name: of the data.
        parts: "train" and "test" (one may be missing), or "all" alone, which is split.
        wish: what is asked of the data.
        source: where they come from, the beginning of a sentence.
        counts: whether pixels are numbers of events, each of which counts 1.0.

    Raises:
        ValueError: numbers that are no images or do not fit what is asked for; begins with ``name``.
    """
    try:
        kinds = {str(part.images.dtype.kind) for part in parts.values()}
        bits = wish.bits or _bits(parts, 8 if kinds & set("bf") else 1)
        scale = wish.input_scale or (1.0 if counts else 1 / (2**bits - 1))
        worst, images = 0.0, {}
        for key, one in parts.items():
            images[key], off = whole(one.images, bits, scale)
            worst = max(worst, off)
        labels = {key: one.labels for key, one in parts.items()}
        highest = max((int(one.max(initial=-1)) for one in labels.values()), default=-1)
        names = wish.labels or tuple(str(i) for i in range(highest + 1))
        said = [source, _said_of_floats(kinds, scale, worst), _divide(images, labels, wish.test)]
        empty = next(iter(images.values()))[:0], np.zeros(0, np.int64)
        return Dataset(
            name=name,
            train_images=images.get("train", empty[0]),
            train_labels=labels.get("train", empty[1]),
            test_images=images.get("test", empty[0]),
            test_labels=labels.get("test", empty[1]),
            input_scale=scale,
            bits=bits,
            labels=names,
            source=", ".join(text for text in said if text) + ".",
        )
    except ValueError as error:
        raise ValueError(f"{name}: {str(error).removeprefix(f'{name}: ')}") from None


def _bits(parts: Mapping[str, Part], least: int) -> int:
    """8, or as many as the largest of whole numbers needs."""
    largest = max(
        (int(one.images.max(initial=0)) for one in parts.values() if one.images.dtype.kind in "iu"), default=0
    )
    return max(8, least, largest.bit_length())


def whole(images: NDArray[Any], bits: int, scale: float) -> tuple[Images, float]:
    """Unsigned integers below 2**bits, and by how much the worst of floats was rounded.

    Whole numbers stay what they are; floats are divided by ``scale`` and rounded.

    Raises:
        ValueError: negative numbers, numbers that do not fit, and floats that are no multiples of a scale in 0 .. 1.

    Example:
        >>> pixels, off = whole(np.array([0.0, 0.5, 1.0]), 8, 1 / 255)
        >>> pixels.tolist(), round(off, 4)
        ([0, 128, 255], 0.002)
    """
    dtype = np.uint8 if bits <= 8 else np.uint16 if bits <= 16 else np.uint32
    if images.dtype.kind != "f":
        if images.size and images.dtype.kind == "i" and int(images.min()) < 0:
            raise ValueError(f"images {images.min()} .. {images.max()}, expected whole numbers from 0 on")
        if images.size and int(images.max()) >= 2**bits:
            raise ValueError(f"pixel {images.max()} does not fit {bits} bits")
        return np.ascontiguousarray(
            images, dtype if images.dtype.kind != "u" or images.dtype.itemsize > 2 else None
        ), 0.0
    found, worst, bound = np.empty(images.shape, dtype), 0.0, 2**bits - 1
    rows = max(1, PIECE // max(1, int(np.prod(images.shape[1:]))))
    for start in range(0, len(images), rows):
        piece = images[start : start + rows].astype(np.float64) / scale
        if not (np.isfinite(piece).all() and piece.min() >= -1e-3 and piece.max() <= bound + 1e-3):
            raise ValueError(_no_pixels(images, scale * bound))
        steps = np.rint(piece)
        worst = max(worst, scale * float(np.abs(piece - steps).max()))
        found[start : start + rows] = steps
    return found, worst


def _no_pixels(images: NDArray[Any], bound: float) -> str:
    low, high = np.nanmin(images), np.nanmax(images)
    if np.isfinite(images).all() and (images == np.trunc(images)).all() and low >= 0:
        advice = "whole numbers are taken as integers: images.astype(np.uint8)"
    else:
        advice = "leave out a normalization (mean and standard deviation), or give input_scale"
    return f"images are floats {low:.4g} .. {high:.4g}, expected 0 .. {bound:.4g}; {advice}"


def _said_of_floats(kinds: set[str], scale: float, worst: float) -> str:
    if "f" not in kinds:
        return ""
    rounded = "exactly" if worst < 1e-6 else f"off by at most {worst:.2g}"
    return f"floats as multiples of {scale:.6g}, {rounded}"


def _divide(images: dict[str, Images], labels: dict[str, Labels], share: float | None) -> str:
    """Divide the part "all" into "train" and "test"; says how."""
    if "all" not in images:
        counts = " and ".join(f"{len(labels[part])} {word}" for part, word in PARTS.items() if part in labels)
        return f"{counts} images"
    share = SHARE if share is None else share
    pixels, classes = images.pop("all"), labels.pop("all")
    if share in (0, 1):
        part = "test" if share else "train"
        images[part], labels[part] = pixels, classes
        return f"all {len(classes)} images for {'tests' if share else 'training'} (test={share:g})"
    try:
        rows = dict(zip(PARTS, split(classes, share, SPLIT_SEED), strict=True))
    except ValueError as error:
        raise ValueError(f"{error}; test=1 tests all images, test=0 none") from None
    for part, chosen in rows.items():
        images[part], labels[part] = pixels[chosen], classes[chosen]
    return (
        f"{len(labels['train'])} training and {len(labels['test'])} test images (test={share:g}: that share of each "
        f"class, seed {SPLIT_SEED})"
    )


PARTS = {"train": "training", "test": "test"}
