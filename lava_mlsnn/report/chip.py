"""The cores of a network on the mesh of a chip, as a picture: a PNG, or the geometry of the page's drawing."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from pathlib import Path
from typing import Any

from ..helpers.files import replacing
from ..helpers.units import count
from ..plot.style import literal
from .picture import COLOURS

PITCH, SIDE = 100, 56
"""Distance of two routers and side of one, in units of the drawing."""


def chip_layout(traffic: Mapping[str, Any]) -> dict[str, Any]:
    """Geometry of the drawing of :meth:`lava_mlsnn.loihi2.Traffic.to_dict`.

    Returns:
        width, height; ``routers``: (x, y) of each, ``entry`` where the input enters; ``cores``: (x, y, side, number of
        the layer, color) of each in use; ``links``: (x0, y0, x1, y1, width, messages), the busiest first; ``layers``:
        (number, name, cores, color).
    """
    mesh = traffic["mesh"]
    taken: dict[tuple[int, int], int] = {}
    across = ceil(mesh["router_cores"] ** 0.5)
    side = SIDE / across
    cores, layers = [], []
    for index, (name, routers) in enumerate(traffic["routers"].items()):
        color = COLOURS[index % len(COLOURS)]
        layers.append((index + 1, name, len(routers), color))
        for column, row in routers:
            slot = taken.get((column, row), 0)
            taken[column, row] = slot + 1
            x, y = _corner(column, row)
            cores.append((x + side * (slot % across), y + side * (slot // across), side, index + 1, color))
    most = max((link["messages"] for link in traffic["links"]), default=0) or 1
    links = []
    for link in traffic["links"]:
        (x0, y0), (x1, y1) = _center(*link["from"]), _center(*link["to"])
        dx, dy = (x1 > x0) - (x1 < x0), (y1 > y0) - (y1 < y0)
        aside = (5 * -dy, 5 * dx)  # the two directions of a pair of routers run side by side
        ends = [x0 + dx * SIDE / 2 + aside[0], y0 + dy * SIDE / 2 + aside[1]]
        ends += [x1 - dx * SIDE / 2 + aside[0], y1 - dy * SIDE / 2 + aside[1]]
        links.append((*ends, 1 + 5 * link["messages"] / most, link["messages"]))
    return {
        "width": mesh["columns"] * PITCH,
        "height": mesh["rows"] * PITCH,
        "side": SIDE,
        "routers": [_corner(c, r) for r in range(mesh["rows"]) for c in range(mesh["columns"])],
        "cores": cores,
        "links": links,
        "layers": layers,
        "entry": _corner(*traffic["entry"]),
    }


def chip_picture(title: str, traffic: Mapping[str, Any], path: str | Path) -> Path:
    """Write a PNG of the cores of each layer on the mesh, and of the links by their messages per timestep."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch, Rectangle

    plan = chip_layout(traffic)
    figure = Figure(figsize=(plan["width"] / 80 + 1.5, plan["height"] / 80 + 0.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for x, y in plan["routers"]:
        axes.add_patch(Rectangle((x, y), SIDE, SIDE, facecolor="none", edgecolor="0.6"))
    for x, y, side, number, color in plan["cores"]:
        axes.add_patch(Rectangle((x, y), side, side, facecolor=color, edgecolor="white"))
        axes.text(x + side / 2, y + side / 2, str(number), ha="center", va="center", fontsize=8, color=ink(color))
    for place, (x0, y0, x1, y1, width, _) in enumerate(plan["links"]):
        color = "#D55E00" if place == 0 else "0.4"
        arrow = {"arrowstyle": "-|>", "linewidth": width / 2, "color": color, "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", (x1, y1), (x0, y0), arrowprops=arrow)
    x, y = plan["entry"]
    axes.text(x, y - 4, "input", fontsize=8, va="bottom")
    names = [Patch(color=color, label=f"{n} {name}: {cores}") for n, name, cores, color in plan["layers"]]
    axes.legend(handles=names, title="cores of layer", fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
    axes.set(xlim=(0, plan["width"]), ylim=(plan["height"], 0), aspect="equal")
    axes.set_axis_off()
    figure.suptitle(f"{title}\n{busiest_text(traffic)}", fontsize=10, x=0.01, ha="left")
    literal(figure)
    with replacing(path) as part:
        figure.savefig(part, format="png", dpi=110, metadata={"Software": None})
    return Path(path)


def ink(color: str) -> str:
    """Black or white, whichever can be read on a color.

    Example:
        >>> ink("#F0E442"), ink("#0072B2")
        ('#000000', '#ffffff')
    """
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return "#000000" if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else "#ffffff"


def busiest_text(traffic: Mapping[str, Any]) -> str:
    """The busiest link and its messages in words."""
    if not traffic["links"]:
        return "no message leaves its router"
    link = traffic["links"][0]
    return (
        f"busiest link: router {tuple(link['from'])} to {tuple(link['to'])}, "
        f"{count(link['messages'])} messages per timestep ({traffic['assumption']})"
    )


def _corner(column: int, row: int) -> tuple[float, float]:
    margin = (PITCH - SIDE) / 2
    return column * PITCH + margin, row * PITCH + margin


def _center(column: int, row: int) -> tuple[float, float]:
    return column * PITCH + PITCH / 2, row * PITCH + PITCH / 2
