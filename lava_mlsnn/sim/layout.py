"""How synapses lie in memory for the kernels: tables of taps, and weights with contiguous output channels.

Populations are stored (H, W, C): neuron (c, y, x) is number (y W + x) C + c, channels of one site side by side.
An event at a site adds, for every kernel row that meets an output row, one *run*: neighbouring taps of the kernel that
fall on neighbouring output sites, so that weights and accumulators are both read in one sweep.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..graph.synapses import Conv, DelayDense, Dense, Identity, Injection, Pool, Synapse, fits_8_bits, weight_exponent
from ..helpers.check import Shape

ROWS, PLAIN, ONE_TO_ONE = range(3)
"""Kernels: rows of all output channels per event (conv, dense); any groups (pool too); identity and injection."""


@dataclass(frozen=True)
class Table:
    """Runs of every input row or column, one after the other: those of coordinate i are first[i] .. first[i + 1] - 1.

    **Shape:** first (n + 1,); tap, length, out (runs,): position of the first tap, number of taps, first output.
    """

    first: NDArray[np.int32]
    tap: NDArray[np.int32]
    length: NDArray[np.int32]
    out: NDArray[np.int32]


@dataclass(frozen=True)
class Window:
    """A kernel along one axis: ``n`` input and ``out`` output coordinates."""

    n: int
    out: int
    kernel: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1

    @property
    def reach(self) -> int:
        """Length of the padded input that the outputs see."""
        return (self.out - 1) * self.stride + self.dilation * (self.kernel - 1) + 1

    def order(self) -> list[int]:
        """Taps in the order of storage: those that meet one input coordinate lie side by side, outputs ascending.

        Tap k meets coordinate i if i + padding - dilation k is a multiple of the stride; that is a class of k modulo
        stride / gcd(stride, dilation), and within it a smaller k falls on a larger output.

        Example:
            >>> Window(8, 8, 3, padding=1).order(), Window(8, 4, 4, stride=2, padding=1).order()
            ([2, 1, 0], [2, 0, 3, 1])
        """
        classes = self.stride // gcd(self.stride, self.dilation)
        return sorted(range(self.kernel), key=lambda k: (k % classes, -k))

    def table(self, merge: bool) -> Table:
        """Runs of every coordinate; without ``merge`` each is one tap long and taps keep the kernel's order.

        Example:
            >>> table = Window(3, 3, 3, padding=1).table(merge=True)
            >>> table.length.tolist(), table.out.tolist()
            ([2, 3, 2], [0, 0, 1])
        """
        position = {k: i for i, k in enumerate(self.order() if merge else range(self.kernel))}
        first, runs = [0], []
        for i in range(self.n):
            hits = []
            for k in range(self.kernel):
                out, rest = divmod(i + self.padding - self.dilation * k, self.stride)
                if rest == 0 and 0 <= out < self.out:
                    hits.append((position[k], out))
            here: list[list[int]] = []
            for tap, out in sorted(hits):
                if merge and here and here[-1][0] + here[-1][1] == tap and here[-1][2] + here[-1][1] == out:
                    here[-1][1] += 1
                else:
                    here.append([tap, 1, out])
            runs += here
            first.append(len(runs))
        columns = np.asarray(runs, np.int32).reshape(-1, 3)
        return Table(np.asarray(first, np.int32), columns[:, 0], columns[:, 1], columns[:, 2])


@dataclass(frozen=True)
class Layout:
    """A synapse ready for the kernels.

    Args:
        kernel: ROWS, PLAIN or ONE_TO_ONE.
        weight: int8 mantissas, or int32 where they do not fit; one row per input channel (ROWS of a dense layer: per
            input neuron, and that for every delay), (rows, Kh, Kw, output channels of its group).
        exponent: the currents are shifted left by this much.
        bound: largest sum of absolute weights, with the exponent, that one output neuron can see.
        groups: number of channel groups.
        flat: whether site and channel are one index (dense).
        rows, columns: the kernel along both axes.
    """

    kernel: int
    weight: NDArray[Any]
    exponent: int
    bound: int
    groups: int
    flat: bool
    rows: Window
    columns: Window

    def tables(self) -> tuple[Table, Table]:
        """Runs of all input rows, of all input columns."""
        return self.rows.table(merge=False), self.columns.table(merge=self.kernel == ROWS)


def lates(synapse: DelayDense) -> list[int]:
    """The delays that occur, and none: every one has rows of its own, in this order.

    Example:
        >>> lates(DelayDense(np.ones((2, 2)), [[3, 1]]))
        [0, 1, 3]
    """
    return [int(d) for d in np.union1d([0], synapse.delays)]


def arrange(synapse: Synapse, in_shape: Shape) -> Layout:
    """The layout of any synapse for spikes of shape (C, H, W).

    Example:
        >>> arrange(Dense(np.ones((10, 12))), (3, 2, 2)).weight.shape
        (12, 1, 1, 10)
    """
    _, height, width = in_shape
    _, out_height, out_width = synapse.out_shape(in_shape)
    if isinstance(synapse, Dense | DelayDense):
        parts = [synapse.weight]
        if isinstance(synapse, DelayDense):
            parts = [np.where(synapse.delays == d, synapse.weight, 0) for d in lates(synapse)]
        features = len(synapse.weight)
        stacked = [part.reshape(features, *in_shape).transpose(2, 3, 1, 0) for part in parts]
        weight = np.stack(stacked).reshape(-1, 1, 1, features)
        return _layout(ROWS, weight, 1, True, Window(1, 1, 1), Window(1, 1, 1))
    if isinstance(synapse, Conv):
        kernel, stride, padding, dilation = synapse.weight.shape[2:], synapse.stride, synapse.padding, synapse.dilation
        rows = Window(height, out_height, kernel[0], stride[0], padding[0], dilation[0])
        columns = Window(width, out_width, kernel[1], stride[1], padding[1], dilation[1])
        groups = synapse.groups
        weight = synapse.weight.reshape(groups, -1, *synapse.weight.shape[1:]).transpose(0, 2, 3, 4, 1)
        weight = weight.reshape(in_shape[0], *kernel, -1)
        if groups == 1:
            return _layout(ROWS, weight[:, :, columns.order()], 1, False, rows, columns)
        return _layout(PLAIN, weight, groups, False, rows, columns)
    if isinstance(synapse, Pool):
        rows = Window(height, out_height, synapse.kernel[0], synapse.stride[0])
        columns = Window(width, out_width, synapse.kernel[1], synapse.stride[1])
        return _layout(PLAIN, np.ones((in_shape[0], *synapse.kernel, 1), np.int32), in_shape[0], False, rows, columns)
    if isinstance(synapse, (Identity, Injection)):
        one = np.asarray(getattr(synapse, "weight", 1), np.int32)
        weight = np.broadcast_to(one, in_shape[:1]).reshape(-1, 1, 1, 1)
        rows, columns = Window(height, height, 1), Window(width, width, 1)
        return _layout(ONE_TO_ONE, weight, in_shape[0], False, rows, columns)
    raise TypeError(f"no kernel for a synapse of type {type(synapse).__name__}")


def _layout(kernel: int, weight: NDArray[Any], groups: int, flat: bool, rows: Window, columns: Window) -> Layout:
    wide = np.abs(weight.astype(np.int64))
    per_output = wide.reshape(groups, -1, *weight.shape[1:]).sum(axis=(1, 2, 3))
    exponent = 0 if weight.min() >= -128 and weight.max() <= 127 else weight_exponent(weight)
    fits = fits_8_bits(weight)
    mantissa = (weight >> exponent).astype(np.int8) if fits else weight.astype(np.int32)
    bound = int(per_output.max())
    return Layout(kernel, np.ascontiguousarray(mantissa), exponent if fits else 0, bound, groups, flat, rows, columns)
