"""Recurrent cells along the lines of windows, in float mode and with integers ([Yao2023], Table 6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from ..graph.scans import DIRECTIONS, ScanLayer, site_name, walk
from ..graph.scans import Scan as IntegerScan
from ..graph.windows import Windows, window_name
from ..neuron import MultiLevel, functional
from .core import Block, Connection, on_grid
from .integer import Dyadic, Quantization, power_of_two
from .signal import Signal
from .window import Window
from .windowed import one_step

CLIP = 2.0
"""Where messages within a mixer saturate, in standard deviations of what the batch norm before them lets through."""


class Scan(Block):
    """A recurrent cell along lines of sites: a 1x1 convolution with batch norm, plus a linear map of its last message.

    Args:
        channels, hidden: features of a site and of the cell.
        direction: one of :data:`lava_mlsnn.graph.scans.DIRECTIONS`.
        levels: N of its messages.
    """

    neuron: MultiLevel

    def __init__(self, channels: int, hidden: int, direction: str, levels: int) -> None:
        norm, again = nn.BatchNorm2d(hidden), nn.Conv2d(hidden, hidden, 1, bias=False)
        with torch.no_grad():  # states in 0 .. 1 begin with what a tanh, in -1 .. 1, would
            norm.bias.fill_(CLIP / 2)
            again.weight.mul_(CLIP)
        read = Connection(nn.Conv2d(channels, hidden, 1, bias=False), norm)
        super().__init__([read, Connection(again)], MultiLevel(levels, CLIP, grad="ste"))
        self.direction, self.hidden = direction, hidden

    @property
    def axis(self) -> int:
        """Axis of (rows, columns) that it walks along."""
        return DIRECTIONS[self.direction][0]

    def lines(self, maps: Tensor, windows: Windows, q: Quantization | None) -> Tensor:
        """Messages z / N, or z with ``q``, of the lines that begin in each row or column of windows.

        Shape:
            maps: (N, C, H, W). Returns (windows along the axis, N, hidden, H, W), with as many sites along the axis as
            a window has.
        """
        starts, axis = range(windows.grid[self.axis]), 2 + self.axis
        step, length = windows.step[self.axis], windows.size[self.axis]
        dyadic = None if q is None else self.dyadic(self.specification(q))
        drive, weight = self._driven(maps.unsqueeze(-1), dyadic)
        sites = torch.cat([drive.narrow(axis, part * step, length) for part in starts]).unbind(axis)
        sent: dict[int, Tensor] = {}
        state: Tensor | None = None
        for site in walk(self.direction, length):
            current = sites[site]
            if state is not None:
                current = current + torch.einsum("oi,bil->bol", weight, state)
            state = sent[site] = self._fired(current.unsqueeze(-1), dyadic).squeeze(-1)
        return torch.stack([sent[site] for site in range(length)], axis).unflatten(0, (len(starts), -1))

    def _driven(self, x: Tensor, dyadic: Dyadic | None) -> tuple[Tensor, Tensor]:
        """The current of each site (N, hidden, H, W) and the weight of the last message (hidden, hidden)."""
        read, again = self.connections
        if dyadic is None:
            return read(x).squeeze(-1), cast(nn.Conv2d, again.synapse).weight.flatten(1)
        with torch.backends.nnpack.flags(enabled=False):  # its Winograd transforms are not exact on integers
            drive = read.apply_weight(x, dyadic.weights[0]).squeeze(-1)
        return drive + dyadic.bias.reshape(-1, 1, 1), dyadic.weights[1].flatten(1)

    def _fired(self, current: Tensor, dyadic: Dyadic | None) -> Tensor:
        neuron = self.neuron
        if dyadic is None:
            z, _ = functional.multilevel(current, None, CLIP, neuron.levels, neuron.alpha, neuron.grad)
            return z / neuron.levels
        current = current if current.device.type == "cpu" else on_grid(current, dyadic.exponent)
        return neuron.fire_integers(current, power_of_two(dyadic.exponent, current.dtype))

    def specification(self, q: Quantization) -> Quantization:
        """``q`` with its own messages as second input."""
        levels = self.neuron.levels
        return replace(q, inputs=(q.inputs[0], Signal((self.hidden, 1, 1), float(levels), levels)))

    def integers(self, q: Quantization) -> IntegerScan:
        """The integer cell; ValueError if a sum can leave 24 bits."""
        full = self.specification(q)
        weights, bias, exponent = self.dyadic(full).checked(full)
        inward, again = (weight.flatten(1).numpy() for weight in weights)
        threshold = (2**exponent).expand(len(bias)).numpy()
        return IntegerScan(self.direction, inward, again, threshold, bias.numpy(), self.neuron.levels)


class _Cells(nn.ModuleList):
    """A list of cells, so that their type is known."""

    if TYPE_CHECKING:

        def __iter__(self) -> Iterator[Scan]: ...


class ScanWindow(Window):
    r"""Recurrent cells along the rows and the columns of windows; batch norm and neurons.

    The state h of a cell is a message of N levels, a clipped staircase in place of tanh. At site k of a line,

    .. math:: u_k = \mathrm{norm}(W x_k) + U h_{k-1}, \quad h_k = \mathrm{clip}(\lfloor N u_k / c \rfloor, 0, N) / N

    with c = :data:`CLIP`. It lies in 0 .. 1 instead of -1 .. 1, which U and the norm's bias make up for, and is 0
    before the first site; each window begins its lines anew. Channel c of cell d, of D, is channel c D + d of the
    neurons.

    In integers each site of a line is a population, which answers a step after the site before it. W and U share a
    power of two per channel: where N is many times the levels of the input, W is large beside U, and U has few bits.

    Args:
        in_features: channels.
        out_features: channels, a multiple of 2, or of 4 with ``both``.
        messages: N of the cells.
        both: whether cells also walk from the end of a line to its beginning.
        options: neuron, groups, dilated, fusion, theta, region, see :class:`Windowed`.

    Example:
        >>> layer = ScanWindow(3, 8, messages=15, neuron=MultiLevel(4, 0.5), dilated=True, fusion="group")
        >>> layer(torch.rand(2, 3, 8, 8, 1)).shape
        torch.Size([2, 8, 8, 8, 1])
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        messages: int,
        both: bool = False,
        **options: Any,
    ) -> None:
        directions = list(DIRECTIONS)[: 4 if both else 2]
        if out_features % len(directions):
            name = "birnn" if both else "rnn"
            raise ValueError(f"a {name} mixer of {out_features} channels: expected a multiple of {len(directions)}")
        super().__init__(out_features, out_features, 1, **options)
        one = nn.Conv2d(out_features, out_features, 1, groups=out_features, bias=False)
        one.weight = nn.Parameter(torch.ones_like(one.weight), requires_grad=False)  # the norm has weights
        self.synapse_connection.synapse = one
        hidden = out_features // len(directions)
        self.cells = _Cells(Scan(in_features, hidden, direction, messages) for direction in directions)
        self.out_features = out_features

    def parts(self, maps: Tensor, windows: Windows) -> Tensor:
        return self._gathered([cell.lines(maps, windows, self.quantization) for cell in self.cells], windows)

    def _gathered(self, lines: list[Tensor], windows: Windows) -> Tensor:
        """Lines of all cells -> (groups, N, C', h, w)."""
        found = []
        for p, corner in enumerate(windows.offsets):
            place = divmod(p, windows.grid[1])
            shares = []
            for cell, sent in zip(self.cells, lines, strict=True):
                other = 1 - cell.axis
                shares.append(sent[place[cell.axis]].narrow(2 + other, corner[other], windows.size[other]))
            found.append(torch.stack(shares, 2).flatten(1, 2))
        return torch.stack(found)

    def heard(self, x: Signal) -> Signal:
        """What the neurons read where the cells read ``x``: their messages."""
        levels = next(iter(self.cells)).neuron.levels
        return Signal((self.out_features, *x.shape[1:]), float(levels), levels)

    def specification(self, q: Quantization) -> Quantization:
        return super().specification(replace(q, inputs=(self.heard(q.inputs[0]),)))

    def dyadic(self, q: Quantization) -> Dyadic:
        return super().dyadic(replace(q, inputs=(self.heard(q.inputs[0]),)))

    def signal(self, *inputs: Signal) -> Signal:
        for cell in self.cells:
            read: Connection = next(iter(cell.connections))
            read.out_shape(inputs[0].shape)
        return super().signal(self.heard(inputs[0]))

    def layer(self, name: str, sources: tuple[str, ...], q: Quantization) -> ScanLayer:
        plain = super().layer(name, sources, replace(q, inputs=(self.heard(q.inputs[0]),)))
        cells = tuple(cell.integers(q) for cell in self.cells)
        return ScanLayer(**vars(plain), read_shape=q.inputs[0].shape, cells=cells)

    def layer_spikes(self, name: str, x: Tensor) -> Iterator[tuple[str, Tensor]]:
        yield from super().layer_spikes(name, x)
        maps = one_step(x)
        windows = self.windows(maps.shape)
        lines = [cell.lines(maps, windows, self.quantization) for cell in self.cells]
        for cell, sent in zip(self.cells, lines, strict=True):
            for part, line in enumerate(sent):
                for site, z in enumerate(line.split(1, 2 + cell.axis)):
                    yield site_name(name, cell.direction, part, site), z.unsqueeze(-1)
        if windows.groups == 1:
            yield window_name(name, 0), self._gathered(lines, windows)[0].unsqueeze(-1)
