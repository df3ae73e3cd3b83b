"""Where the cores of a mapped network lie on the mesh of a chip, and which links a message between two of them takes.

The compiler's own placement is not public. This one is simple and stated: layers in the graph's order fill the cores of
one router after the other, along rows that turn at their ends, so that neighbors in the network are neighbors on the
chip.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..helpers.tables import NoFigureError
from .fit import Fit
from .limits import Chip

Router = tuple[int, int]
"""(column, row)."""

Link = tuple[Router, Router]
"""From a router to a neighbor; each direction is a link of its own."""


@dataclass(frozen=True)
class Placement:
    """Router of every core.

    Args:
        chip: its mesh.
        routers: layer -> the router of each of its cores.
    """

    chip: Chip
    routers: Mapping[str, tuple[Router, ...]]


def place(fit: Fit) -> Placement:
    """Put the cores of all layers on the mesh of one chip.

    Raises:
        NoFigureError: a layer has no place on the chip, or the network takes more than one chip, between which no
            public figure describes the links.

    Example:
        >>> import numpy as np
        >>> from lava_mlsnn.loihi2 import fit
        >>> from lava_mlsnn.netx import Connection, Dense, Input, Layer, MultiLevel, NetGraph
        >>> dense = Connection(("input",), Dense(np.ones((100, 400), np.int32)))
        >>> graph = NetGraph(Input((400, 1, 1)), (Layer("fc", (dense,), (100, 1, 1), MultiLevel(1, 64)),))
        >>> dict(place(fit(graph)).routers)
        {'fc': ((0, 0),)}
    """
    chip, on_mesh = fit.chip, fit.chip.columns * fit.chip.rows * fit.chip.router_cores
    for layer in fit.layers:
        if layer.part is None:
            raise NoFigureError(f"layer {layer.name!r}: {layer.why}")
    if fit.cores > min(chip.cores, on_mesh):
        raise NoFigureError(
            f"{fit.cores} cores, one chip has {min(chip.cores, on_mesh)}: placement and traffic are those of one chip"
        )
    free = _serpentine(chip)
    return Placement(chip, {f.name: tuple(next(free) for _ in range(f.part.cores)) for f in fit.layers if f.part})


def route(start: Router, end: Router) -> Iterator[Link]:
    """The links of a message: along the row first, then along the column (XY routing).

    Example:
        >>> list(route((0, 0), (1, 1)))
        [((0, 0), (1, 0)), ((1, 0), (1, 1))]
    """
    x, y = start
    while (x, y) != end:
        before = (x, y)
        if x != end[0]:
            x += 1 if end[0] > x else -1
        else:
            y += 1 if end[1] > y else -1
        yield before, (x, y)


def _serpentine(chip: Chip) -> Iterator[Router]:
    """The router of each core of the chip, in the order in which cores are filled."""
    for row in range(chip.rows):
        columns = range(chip.columns) if row % 2 == 0 else range(chip.columns - 1, -1, -1)
        for column in columns:
            for _ in range(chip.router_cores):
                yield column, row
