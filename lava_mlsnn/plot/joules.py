"""Energy: by term, by layer and term, and against accuracy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..energy import Report
from ..helpers.units import joules
from .style import COLOURS, axes_or_new, finish


def stacked(
    axes: Any, bars: Sequence[tuple[str, Mapping[str, float]]], unit: float = 1e-6, across: bool = False
) -> Any:
    """A bar per name, its parts on top of one another; a part has one color in all bars.

    Args:
        axes: where to draw.
        bars: name and, for each part, the value.
        unit: what one on the axis is.
        across: whether bars lie.

    Returns:
        The axes.
    """
    parts = list(dict.fromkeys(part for _, values in bars for part in values))
    places, ends = range(len(bars)), [0.0] * len(bars)
    for index, part in enumerate(parts):
        values = [found.get(part, 0.0) / unit for _, found in bars]
        color = COLOURS[index % len(COLOURS)]
        if across:
            axes.barh(places, values, 0.72, left=ends, color=color, label=part)
        else:
            axes.bar(places, values, 0.62, bottom=ends, color=color, label=part)
        ends = [end + value for end, value in zip(ends, values, strict=True)]
    if across:
        axes.set_yticks(places, [name for name, _ in bars], fontsize=8)
        axes.invert_yaxis()
    else:
        axes.set_xticks(places, [name for name, _ in bars], fontsize=8)
    return finish(axes)


def energy(reports: Report | Mapping[str, Report], axes: Any = None) -> Any:
    """Joules of one inference by term: a bar per report, its total above it.

    Args:
        reports: of :func:`lava_mlsnn.energy.estimate`; several by name.
        axes: where to draw; None makes a new figure.

    Returns:
        The axes.
    """
    named = {reports.network: reports} if isinstance(reports, Report) else reports
    axes = stacked(axes_or_new(axes, (1.8 + 1.3 * len(named), 3.6)), [(name, r.terms) for name, r in named.items()])
    for place, report in enumerate(named.values()):
        axes.text(place, report.total * 1e6, joules(report.total), ha="center", va="bottom", fontsize=9)
    axes.margins(y=0.08)
    axes.legend(fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    axes.set_ylabel(f"µJ per inference, {', '.join(dict.fromkeys(r.model for r in named.values()))}")
    return axes


def energy_layers(report: Report, axes: Any = None) -> Any:
    """Joules of one inference by layer and term: a bar per layer.

    Args:
        report: of :func:`lava_mlsnn.energy.estimate`.
        axes: where to draw; None makes a new figure.

    Returns:
        The axes.
    """
    axes = axes_or_new(axes, (6.4, 1.2 + 0.28 * len(report.layers)))
    stacked(axes, [(layer.name, layer.terms) for layer in report.layers], across=True)
    axes.set_xlabel(f"µJ per inference, {report.model}, {report.network}")
    return axes


def tradeoff(points: Mapping[str, tuple[float, float]], axes: Any = None) -> Any:
    """Accuracy against energy: a point per network.

    Args:
        points: name -> (joules of one inference, share of right labels).
        axes: where to draw; None makes a new figure.

    Returns:
        The axes.
    """
    axes = axes_or_new(axes)
    for index, (name, (energy, accuracy)) in enumerate(points.items()):
        color = COLOURS[index % len(COLOURS)]
        axes.plot(energy * 1e6, 100 * accuracy, "o", color=color)
        axes.annotate(name, (energy * 1e6, 100 * accuracy), (5, 3), textcoords="offset points", fontsize=8, color=color)
    axes.margins(0.2)
    axes.set_xlabel("µJ per inference")
    axes.set_ylabel("accuracy in %")
    return finish(axes)
