"""What a network takes on a Loihi 2."""

from __future__ import annotations

from math import ceil
from typing import Any

from ..loihi2 import Fit
from .style import COLOURS, axes_or_new, literal

COLUMNS = 12


def cores(fit: Fit, axes: Any = None) -> Any:
    """A square per core in the order of the layers, each layer in a color; cores of the last chip that are free, empty.

    It shows how many there are, not where the compiler puts them.

    Args:
        fit: of :func:`lava_mlsnn.loihi2.fit`.
        axes: where to draw; None makes a new figure.

    Returns:
        The axes.
    """
    from matplotlib.patches import Rectangle

    total = fit.chip.cores * max(fit.chips, 1)
    columns = min(COLUMNS * max(fit.chips, 1), 4 * COLUMNS)
    axes = axes_or_new(axes, (min(11, 3.4 + 0.22 * columns), max(2.2, 0.6 + 0.22 * ceil(total / columns))))
    place = 0
    for index, layer in enumerate(layer for layer in fit.layers if layer.part):
        assert layer.part is not None
        label = f"{layer.name}: {layer.part.cores}, bound by {layer.part.binding(fit.chip).replace('_', ' ')}"
        look: dict[str, Any] = {
            "facecolor": COLOURS[index % len(COLOURS)],
            "alpha": 1 if index < len(COLOURS) else 0.55,
        }
        for i in range(layer.part.cores):
            corner = (place % columns, place // columns)
            axes.add_patch(Rectangle(corner, 0.88, 0.88, label=label if not i else None, **look))
            place += 1
    for free in range(place, total):
        corner = (free % columns, free // columns)
        axes.add_patch(Rectangle(corner, 0.88, 0.88, facecolor="none", edgecolor="#bbbbbb", linewidth=0.6))
    axes.set_xlim(-0.2, columns)
    axes.set_ylim(ceil(total / columns) + 0.1, -0.2)
    axes.set_aspect("equal")
    axes.axis("off")
    axes.set_title(f"{fit.cores} of {total} cores, {fit.chips} chip{'s' * (fit.chips != 1)}", fontsize=10, loc="left")
    if place:
        axes.legend(fontsize=7, frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    return literal(axes)
