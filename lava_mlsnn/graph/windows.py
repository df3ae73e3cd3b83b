r"""Windows of a feature map ([Yao2023], section 3.1), and the layers that a group-sequential window layer becomes.

A map of L x L sites is cut into groups. Normal windows tile it (size L / 2 per divided axis); dilated windows are
larger by one half, M = 3L / 4, start at 0 and at L / 4, and overlap on w_o = 2M - L sites per
divided axis (Algorithm 1).

Membranes are sequential: group p starts from what group p - 1 left. For the plain sum this needs no message but spikes:
with :math:`V_p = V_{p-1} + a_p + b - \theta z_p` and :math:`V_0 = 0`, what group p compares with its threshold is

.. math:: H_p = V_{p-1} + a_p + b = \sum_{j \le p} a_j + p\,b - \theta \sum_{j < p} z_j ,

one convolution of the sum of the windows 1 .. p, and an identity of weight :math:`-\theta` from the earlier groups.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import floor

import numpy as np
from numpy.typing import NDArray

from ..helpers.check import IntArray, Shape, positive_ints
from .graph import Connection, Layer
from .neurons import MultiLevel, Relay
from .synapses import Conv, Identity

GRIDS = {1: (1, 1), 2: (2, 1), 4: (2, 2)}
"""Number of groups -> windows along rows and columns."""


@dataclass(frozen=True)
class Windows:
    """The windows of a map.

    Args:
        height, width: sites of the map.
        groups: 1, 2 (upper and lower) or 4 (row by row), p of the paper.
        dilated: whether windows are larger by one half and overlap; one group is the whole map either way.

    Raises:
        ValueError: another number of groups, or a map whose sides the windows do not divide.

    Source:
        [Yao2023], section 3.1 and Algorithm 1.

    Example:
        >>> Windows(8, 8, 4, dilated=True).size, Windows(8, 8, 4, dilated=True).offsets
        ((6, 6), ((0, 0), (0, 2), (2, 0), (2, 2)))
    """

    height: int
    width: int
    groups: int = 4
    dilated: bool = False

    def __post_init__(self) -> None:
        positive_ints((self.height, self.width), "windowed map", 2)
        if self.groups not in GRIDS:
            raise ValueError(f"window groups: expected one of {', '.join(map(str, GRIDS))}, got {self.groups!r}")
        part = 4 if self.dilated else 2
        for length, count in zip((self.height, self.width), self.grid, strict=True):
            if count > 1 and length % part:
                kind = "dilated" if self.dilated else "normal"
                raise ValueError(
                    f"{kind} windows of {self.groups} groups on a map of {self.height} x {self.width}: expected sides "
                    f"that are multiples of {part} where they are divided"
                )

    @property
    def grid(self) -> tuple[int, int]:
        """Windows along rows and columns."""
        return GRIDS[self.groups]

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of a window."""
        lengths = ((self.height, self.grid[0]), (self.width, self.grid[1]))
        rows, columns = (n if k == 1 else 3 * n // 4 if self.dilated else n // 2 for n, k in lengths)
        return rows, columns

    @property
    def step(self) -> tuple[int, int]:
        """Distance between two windows along rows and columns, 0 where there is one."""
        return self.height - self.size[0], self.width - self.size[1]

    @property
    def offsets(self) -> tuple[tuple[int, int], ...]:
        """Upper left corner of each window, in the order in which the groups fire."""
        (rows, columns), (down, right) = self.grid, self.step
        return tuple((i * down, j * right) for i in range(rows) for j in range(columns))

    @cached_property
    def cover(self) -> NDArray[np.int64]:
        """How many windows hold each site: the weights 1, 2 and 4 of the condensation.

        **Shape:** int64 (height, width).

        >>> Windows(4, 4, 4, dilated=True).cover.tolist()
        [[1, 2, 2, 1], [2, 4, 4, 2], [2, 4, 4, 2], [1, 2, 2, 1]]
        """
        found = np.zeros((self.height, self.width), np.int64)
        for row, column in self.offsets:
            found[row : row + self.size[0], column : column + self.size[1]] += 1
        found.flags.writeable = False
        return found

    @property
    def covers(self) -> tuple[int, ...]:
        """The different values of :attr:`cover`."""
        return tuple(int(c) for c in np.unique(self.cover))


@dataclass(frozen=True)
class WindowLayer:
    """A window layer in integers.

    Args:
        name: its layers are ``name.window1`` .., ``name.group1`` .., and ``name`` or ``name.cover1``, ``.cover2`` ..
        sources: layers whose summed spikes it reads.
        in_shape: (C, H, W) of these.
        windows: of the map.
        synapse: what computes the current within a window; keeps rows and columns.
        threshold, bias: int32 (C,).
        levels: N of its neurons.
        chained: whether a group starts from the membranes that the group before it left.
        region: Th_R of the region threshold, 0 <= Th_R < 1.
    """

    name: str
    sources: tuple[str, ...]
    in_shape: Shape
    windows: Windows
    synapse: Conv
    threshold: IntArray
    bias: IntArray
    levels: int
    chained: bool
    region: float = 0.1

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the layers whose summed spikes are the recomposed map."""
        covers = self.windows.covers
        return (self.name,) if len(covers) == 1 else tuple(cover_name(self.name, cover) for cover in covers)

    def layers(self) -> list[Layer]:
        """Window, group and recomposition layers, in topological order; one layer for one group."""
        if self.windows.groups == 1:
            return [self._whole(self.sources)]
        return [*self._crops(), *self._groups(), *self._recomposed()]

    def _whole(self, sources: tuple[str, ...]) -> Layer:
        """The neurons of a single group."""
        neuron = MultiLevel(self.levels, self.threshold)
        connection = Connection(sources, self.synapse)
        return Layer(self.name, (connection,), self.synapse.out_shape(self.in_shape), neuron, self.bias)

    def _crops(self) -> list[Layer]:
        shape = (self.in_shape[0], *self.windows.size)
        return [
            Layer(window_name(self.name, p), (Connection(self.sources, self._crop(p)),), shape, Relay())
            for p in range(self.windows.groups)
        ]

    def _crop(self, group: int) -> Conv:
        """A depthwise convolution with one tap: the tap's place is the window's."""
        taps, dilation = self._taps()
        return Conv(self._one_hot(group, self.in_shape[0], taps), dilation=dilation, groups=self.in_shape[0])

    def _groups(self) -> list[Layer]:
        channels, height, width = self.synapse.out_shape((self.in_shape[0], *self.windows.size))
        layers = []
        for p in range(self.windows.groups):
            first = 0 if self.chained else p
            windows = tuple(window_name(self.name, j) for j in range(first, p + 1))
            connections = [Connection(windows, self.synapse)]
            if p > first:
                before = tuple(group_name(self.name, j) for j in range(p))
                connections.append(Connection(before, Identity(self._reset())))
            bias = np.asarray(self.bias) * len(windows)
            neuron = MultiLevel(self.levels, self.threshold)
            name = group_name(self.name, p)
            layers.append(Layer(name, tuple(connections), (channels, height, width), neuron, bias))
        return layers

    def _reset(self) -> IntArray:
        """What a spike of an earlier group takes away: its threshold."""
        weight = -np.asarray(self.threshold)
        found: IntArray = weight[:1].reshape(()) if np.all(weight == weight[0]) else weight
        return found

    def _recomposed(self) -> list[Layer]:
        """One population per cover count c: it fires :math:`\\lceil s / c - Th_R \\rceil` where c windows lie.

        s is the sum of the groups' spikes at a site; elsewhere a bias keeps the population silent.
        """
        channels = self.synapse.weight.shape[0]
        taps, dilation = self._taps()
        last = self.windows.groups - 1  # the tap that reads a window at its own place is the opposite one
        connections = tuple(
            Connection(
                (group_name(self.name, p),),
                Conv(
                    self._one_hot(last - p, channels, taps),
                    padding=self.windows.step,
                    dilation=dilation,
                    groups=channels,
                ),
            )
            for p in range(self.windows.groups)
        )
        shape = (channels, self.windows.height, self.windows.width)
        silent = -self.windows.groups * self.levels
        layers = []
        for name, cover in zip(self.outputs, self.windows.covers, strict=True):
            bias = None
            if len(self.outputs) > 1:
                inside = cover - 1 - floor(cover * self.region)
                bias = np.broadcast_to(np.where(self.windows.cover == cover, inside, silent), shape)
            layers.append(Layer(name, connections, shape, MultiLevel(self.levels, np.array(cover, np.int32)), bias))
        return layers

    def _taps(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Taps along rows and columns, and the distance between them."""
        rows, columns = (max(step, 1) for step in self.windows.step)
        return self.windows.grid, (rows, columns)

    def _one_hot(self, group: int, channels: int, taps: tuple[int, int]) -> IntArray:
        weight = np.zeros(taps[0] * taps[1], np.int32)
        weight[group] = 1
        return np.tile(weight.reshape(1, 1, *taps), (channels, 1, 1, 1))


def window_name(name: str, group: int) -> str:
    """Layer that holds the input of a group, counted from 0."""
    return f"{name}.window{group + 1}"


def group_name(name: str, group: int) -> str:
    """Layer of the neurons of a group, counted from 0."""
    return f"{name}.group{group + 1}"


def cover_name(name: str, cover: int) -> str:
    """Layer of the recomposed map where ``cover`` windows lie."""
    return f"{name}.cover{cover}"


def check_region(region: float) -> float:
    """Th_R as a float; ValueError outside 0 <= Th_R < 1."""
    if isinstance(region, bool) or not isinstance(region, (int, float)) or not 0 <= region < 1:
        raise ValueError(f"region threshold: expected 0 <= Th_R < 1, or None, got {region!r}")
    return float(region)


__all__ = ["GRIDS", "WindowLayer", "Windows", "check_region", "cover_name", "group_name", "window_name"]
