"""Axes that several items draw alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..plot import COLOURS
from ..plot import finish as finish
from .findings import Spread


def lines(axes: Any, curves: Mapping[str, Mapping[Any, Spread]], scale: float = 1.0) -> None:
    """Mean over x with the standard deviation as bars, one line per name."""
    for color, (name, points) in zip(COLOURS, curves.items(), strict=False):
        xs = sorted(points)
        means = [points[x].mean / scale for x in xs]
        errors = [0.0 if points[x].std != points[x].std else points[x].std / scale for x in xs]
        axes.errorbar(xs, means, errors, marker="o", markersize=4, capsize=3, color=color, label=name)
    finish(axes)


def bars(axes: Any, names: Sequence[str], groups: Mapping[str, Sequence[Spread]], scale: float = 1.0) -> None:
    """Groups of bars with the standard deviation, one group per name."""
    width = 0.8 / len(groups)
    for i, (label, spreads) in enumerate(groups.items()):
        places = [j + width * (i - (len(groups) - 1) / 2) for j in range(len(names))]
        errors = [0.0 if s.std != s.std else s.std / scale for s in spreads]
        means = [s.mean / scale for s in spreads]
        axes.bar(places, means, width * 0.94, yerr=errors, capsize=2, color=COLOURS[i % len(COLOURS)], label=label)
    axes.set_xticks(range(len(names)), names, fontsize=8)
    finish(axes)
