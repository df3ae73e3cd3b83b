r"""Recurrent cells along the lines of windows as layers: a chain with one population per site of a line.

At site k of a line, with z = 0 before the first one,

.. math:: z_k = \mathrm{clip}(\lfloor (W x_k + U z_{k-1} + b) / \theta \rfloor, 0, N) .

Lines of all windows that begin at the same place are one population: a row of the map passes through the windows below
one another as through a single one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..helpers.check import IntArray, Shape
from .graph import Connection, Layer
from .neurons import MultiLevel, Relay
from .synapses import Conv
from .windows import WindowLayer, window_name

DIRECTIONS = {"row": (1, False), "column": (0, False), "row_back": (1, True), "column_back": (0, True)}
"""Name -> the axis of (rows, columns) along which a cell walks, and whether it begins at the end."""


def walk(direction: str, length: int) -> range:
    """The sites of a line in the order of a direction.

    >>> list(walk("row", 3)), list(walk("column_back", 3))
    ([0, 1, 2], [2, 1, 0])
    """
    return range(length - 1, -1, -1) if DIRECTIONS[direction][1] else range(length)


@dataclass(frozen=True)
class Scan:
    """A recurrent cell in integers.

    Args:
        direction: one of :data:`DIRECTIONS`.
        inward: W, int32 (C', C).
        recurrent: U, int32 (C', C').
        threshold, bias: int32 (C',).
        levels: N.
    """

    direction: str
    inward: IntArray
    recurrent: IntArray
    threshold: IntArray
    bias: IntArray
    levels: int


@dataclass(frozen=True)
class ScanLayer(WindowLayer):
    """A window layer whose windows hold the messages of recurrent cells.

    Args:
        in_shape: (C, H, W) with C the channels of all cells.
        read_shape: (C, H, W) of the sources.
        cells: with equally many channels. Channel c of cell d is channel c D + d of the windows, D cells in
            all.
    """

    read_shape: Shape = (1, 1, 1)
    cells: tuple[Scan, ...] = ()

    def layers(self) -> list[Layer]:
        chains = [layer for scan in self.cells for layer in self._chains(scan)]
        if self.windows.groups > 1:
            return [*chains, *super().layers()]
        return [*chains, *self._crops(), self._whole((window_name(self.name, 0),))]

    def _chains(self, scan: Scan) -> Iterator[Layer]:
        axis, _ = DIRECTIONS[scan.direction]
        shape = [len(scan.inward), *self.read_shape[1:]]
        shape[1 + axis] = 1
        again = Conv(scan.recurrent[:, :, None, None])
        for part in range(self.windows.grid[axis]):
            before = None
            for site in walk(scan.direction, self.windows.size[axis]):
                place = part * self.windows.step[axis] + site
                connections = [Connection(self.sources, _picked(scan.inward, axis, place, self.read_shape[1 + axis]))]
                if before is not None:
                    connections.append(Connection((before,), again))
                before = site_name(self.name, scan.direction, part, site)
                neuron = MultiLevel(scan.levels, scan.threshold)
                yield Layer(before, tuple(connections), (shape[0], shape[1], shape[2]), neuron, scan.bias)

    def _crops(self) -> list[Layer]:
        """The messages of all cells, put in their places."""
        shape = (self.in_shape[0], *self.windows.size)
        layers = []
        for p in range(self.windows.groups):
            corner = divmod(p, self.windows.grid[1])
            connections = []
            for cell, scan in enumerate(self.cells):
                axis, _ = DIRECTIONS[scan.direction]
                for site in range(self.windows.size[axis]):
                    source = site_name(self.name, scan.direction, corner[axis], site)
                    connections.append(Connection((source,), self._placed(cell, axis, site, corner[1 - axis])))
            layers.append(Layer(window_name(self.name, p), tuple(connections), shape, Relay()))
        return layers

    def _placed(self, cell: int, axis: int, site: int, part: int) -> Conv:
        """A line of sites -> its place in a window: put at ``site`` along ``axis``, cropped along the other one."""
        channels = self.in_shape[0] // len(self.cells)
        taps, dilation = (list(pair) for pair in self._taps())
        tap, padding = [part, part], [0, 0]
        length = self.windows.size[axis]
        padding[axis] = max(site, length - 1 - site)
        dilation[axis] = max(2 * padding[axis] + 1 - length, 1)
        taps[axis] = 1 if 2 * padding[axis] + 1 == length else 2
        tap[axis] = 0 if padding[axis] == site else 1  # the other tap is the line's mirror image
        weight = np.zeros((channels, len(self.cells), 1, *taps), np.int32)
        weight[:, cell, 0, tap[0], tap[1]] = 1
        return Conv(
            weight.reshape(-1, 1, *taps),
            padding=(padding[0], padding[1]),
            dilation=(dilation[0], dilation[1]),
            groups=channels,
        )


def _picked(weight: IntArray, axis: int, place: int, length: int) -> Conv:
    """A 1x1 convolution of one line of a map alone: its tap lies ``place`` from the map's edge, where another is 0."""
    kernel = np.zeros((*weight.shape, 2 if place else 1), np.int32)
    kernel[..., -1] = weight
    stride, dilation = [1, 1], [1, 1]
    stride[axis], dilation[axis] = length, max(place, 1)
    return Conv(np.expand_dims(kernel, 3 - axis), stride=(stride[0], stride[1]), dilation=(dilation[0], dilation[1]))


def site_name(name: str, direction: str, part: int, site: int) -> str:
    """Layer of the cells at a site of the lines that begin in the windows ``part``, both counted from 0."""
    return f"{name}.{direction}{part + 1}.site{site + 1}"
