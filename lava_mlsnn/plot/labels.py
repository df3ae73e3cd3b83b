"""Predictions beside the truth."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..helpers.check import IntArray, int_array, texts
from .style import COLOURS, axes_or_new, literal


def confusion(predicted: ArrayLike, labels: ArrayLike, names: Sequence[str] = (), axes: Any = None) -> Any:
    """How often each class is taken for each other: a row per class, a column per prediction.

    Args:
        predicted: ``run.labels``, integers (N,).
        labels: the right ones, integers (N,).
        names: of the classes; their numbers without.
        axes: where to draw; None makes a new figure.

    Returns:
        The axes.

    Raises:
        ValueError: arrays of different lengths, what is no class, or a class without a name where others have one.
    """
    names = texts(names, "names")
    found, right = _pair(predicted, labels, names)
    classes = len(names) or max(found.max(initial=0), right.max(initial=0)) + 1
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (right, found), 1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes = axes_or_new(axes, (2 + 0.32 * classes, 1.4 + 0.32 * classes))
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in zip(*np.nonzero(counts), strict=True):
        color = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, str(counts[row, column]), ha="center", va="center", fontsize=7, color=color)
    shown = names or [str(i) for i in range(classes)]
    axes.set_xticks(range(classes), shown, fontsize=8, rotation=90 * any(len(name) > 3 for name in shown))
    axes.set_yticks(range(classes), shown, fontsize=8)
    axes.set_xlabel("prediction")
    axes.set_ylabel("label")
    return literal(axes)


def images(
    pixels: Any, predicted: ArrayLike, labels: ArrayLike, names: Sequence[str] = (), count: int = 24, axes: Any = None
) -> Any:
    """Images with their predictions, wrong ones in red with the right label behind.

    Args:
        pixels: (N, C, H, W) or (N, C, H, W, T), of which the mean over T is shown; C is 1 or 3, of others the mean.
            N may be 0, as where a network errs on no image: the picture then says so.
        predicted, labels, names: as of :func:`confusion`.
        count: how many of the first to show.
        axes: where to draw; None makes a new figure.

    Returns:
        The axes.

    Raises:
        ValueError: another shape, or as of :func:`confusion`.
    """
    shown, names = np.asarray(pixels[:count], np.float64), texts(names, "names")
    found, right = _pair(predicted, labels, names)
    if shown.ndim not in (4, 5) or len(shown) != min(count, len(found)):
        raise ValueError(f"images: expected (N, C, H, W) or (N, C, H, W, T), N = {len(found)}, got {np.shape(pixels)}")
    if not len(shown):
        axes = axes_or_new(axes, (2.4, 0.6))
        axes.text(0.5, 0.5, "no images", ha="center", va="center", transform=axes.transAxes)
        axes.axis("off")
        return literal(axes)
    shown = shown.mean(axis=-1) if shown.ndim == 5 else shown
    shown = shown.transpose(0, 2, 3, 1) if shown.shape[1] == 3 else shown.mean(axis=1)
    shown = (shown - shown.min()) / max(np.ptp(shown), 1e-9)
    columns = min(8, len(shown))
    axes = axes_or_new(axes, (columns * 0.9, ceil(len(shown) / columns) * 1.15))
    height, width = shown.shape[1:3]
    for i, image in enumerate(shown):
        left, top = i % columns * width * 1.1, i // columns * height * 1.35
        axes.imshow(image, cmap="gray_r", vmin=0, vmax=1, extent=(left, left + width, top + height, top))
        name = [names[label] if names else str(label) for label in (int(found[i]), int(right[i]))]
        text, color = (name[0], "black") if found[i] == right[i] else (f"{name[0]} ({name[1]})", COLOURS[5])
        axes.text(left + width / 2, top - height * 0.04, text, ha="center", va="bottom", fontsize=8, color=color)
    axes.set_xlim(0, columns * width * 1.1)
    axes.set_ylim(ceil(len(shown) / columns) * height * 1.35, -height * 0.3)
    axes.axis("off")
    return literal(axes)


def _pair(predicted: ArrayLike, labels: ArrayLike, names: Sequence[str]) -> tuple[IntArray, IntArray]:
    found, right = int_array(predicted, "predictions"), int_array(labels, "labels")
    if found.shape != right.shape or found.ndim != 1:
        raise ValueError(f"predictions and labels: expected two (N,), got {found.shape} and {right.shape}")
    for what, classes in (("predictions", found), ("labels", right)):
        if classes.min(initial=0) < 0 or (names and classes.max(initial=0) >= len(names)):
            accepted = f"0 .. {len(names) - 1}, as there are {len(names)} names" if names else "classes from 0 on"
            raise ValueError(f"{what}: expected {accepted}, found {classes.min()} .. {classes.max()}")
    return found, right
