"""Colors and axes that all pictures share."""

from __future__ import annotations

from typing import Any

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000")
"""Okabe and Ito's palette, which people with any kind of color vision can distinguish."""


def axes_or_new(axes: Any, size: tuple[float, float] = (6.4, 3.6)) -> Any:
    """``axes``, or those of a new figure of ``size`` inches, which a notebook shows."""
    if axes is not None:
        return axes
    from matplotlib import pyplot

    return pyplot.subplots(figsize=size, layout="constrained")[1]


def finish(axes: Any, legend: bool = True) -> Any:
    """Legend, where something has a label, and no spines at the top and at the right; returns the axes."""
    if legend and axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=8, frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return literal(axes)


def literal(artist: Any) -> Any:
    """Axes or figure whose texts are shown as they are: a name with two dollars is no formula; returns them."""
    from matplotlib.text import Text

    for text in artist.findobj(Text):
        text.set_parse_math(False)
    return artist


def integer_steps(axes: Any, steps: int) -> None:
    """Timesteps 1 .. T along x."""
    from matplotlib.ticker import MaxNLocator

    axes.set_xlim(0.5, steps + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=min(steps, 12), min_n_ticks=1))
    axes.set_xlabel("timestep")
