"""How a synapse lies in memory for the kernels: tables of taps, and weights with contiguous output channels.

Populations are stored (H, W, C): neuron (c, y, x) is number (y W + x) C + c, channels of one site side by side.
An event at a site adds, for every kernel row that meets an output row, one *run*: neighbouring taps of the kernel that
fall on neighbouring output sites, so that weights and accumulators are both read in one sweep.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import gcd
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ...graph.synapses import Synapse, fits_8_bits, weight_exponent
from ...helpers.check import Shape
from ..rows import rows as rows_kernel


@dataclass(frozen=True)
class Table:
    """Runs of every input row or column: coordinate i has count[i] of them, each of length[i] taps.

    Run r begins with the tap at position tap[i] + r tap_step, which falls on output out[i] + r out_step; so a table
    grows with the input and not with the kernel.

    **Shape:** count, length, tap, out (n,).
    """

    count: NDArray[np.int32]
    length: NDArray[np.int32]
    tap: NDArray[np.int32]
    out: NDArray[np.int32]
    tap_step: int
    out_step: int


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
            >>> table.count.tolist(), table.length.tolist(), table.out.tolist()
            ([1, 1, 1], [2, 3, 2], [0, 0, 1])
        """
        common = gcd(self.stride, self.dilation)
        classes, down = self.stride // common, self.dilation // common
        # Taps that meet a coordinate lie within low .. high, ``classes`` apart; the output of each is ``down`` less.
        base = np.arange(self.n) + self.padding
        low = np.maximum(-((self.stride * (self.out - 1) - base) // self.dilation), 0)
        high = np.minimum(base // self.dilation, self.kernel - 1)
        low += (base // common * pow(down, -1, classes) - low) % classes
        count = np.where((base % common == 0) & (low <= high), (high - low) // classes + 1, 0)
        length, first = np.ones(self.n, np.int64), np.where(count > 0, low, 0)
        tap_step, out_step, position = classes, -down, np.arange(self.kernel)
        if merge:
            first += classes * np.maximum(count - 1, 0)
            tap_step, out_step, position = 1, down, np.argsort(self.order())
            if down == 1:  # neighbors in storage, and so are their outputs
                length, count = count, count > 0
        out = (base - self.dilation * first) // self.stride
        i4, tap = np.int32, position[first]
        return Table(count.astype(i4), length.astype(i4), tap.astype(i4), out.astype(i4), tap_step, out_step)


@dataclass(frozen=True)
class Layout:
    """A synapse ready for a kernel.

    Args:
        kernel: one of :data:`lava_mlsnn.sim.scatter.KERNELS`.
        weight: int8 mantissas, or int32 where they do not fit; one row per input channel (of a flat layout: per input
            neuron, and that for every delay), (rows, Kh, Kw, output channels of its group).
        exponent: the currents are shifted left by this much.
        bound: largest sum of absolute weights, with the exponent, that one output neuron can see.
        groups: number of channel groups.
        flat: whether site and channel are one index (dense).
        rows, columns: the kernel along both axes.
        delays: ascending from 0, each with rows of its own.
    """

    kernel: Any
    weight: NDArray[Any]
    exponent: int
    bound: int
    groups: int
    flat: bool
    rows: Window
    columns: Window
    delays: tuple[int, ...]

    @property
    def dense(self) -> bool:
        """Whether the dense path can compute it."""
        return self.kernel is rows_kernel and not self.flat and self.weight.dtype == np.int8

    def tables(self) -> tuple[Table, Table]:
        """Runs of all input rows, of all input columns."""
        return self.rows.table(merge=False), self.columns.table(merge=self.kernel is rows_kernel)


S = TypeVar("S", bound=Synapse)
_ARRANGERS: dict[str, Callable[[Any, Shape], Layout]] = {}


def compiles(*kinds: type[Synapse]) -> Callable[[Callable[[S, Shape], Layout]], Any]:
    """Decorator of ``f(synapse, in_shape) -> layout(...)``, which says how the engine computes synapses of a class."""

    def register(function: Callable[[S, Shape], Layout]) -> Any:
        _ARRANGERS.update({synapse.kind: function for synapse in kinds})
        return function

    return register


def arrange(synapse: Synapse, in_shape: Shape) -> Layout:
    """The layout of a synapse for spikes of shape (C, H, W).

    Raises:
        TypeError: no file in this folder compiles synapses of that kind.

    Example:
        >>> from lava_mlsnn.netx import Dense
        >>> arrange(Dense(np.ones((10, 12))), (3, 2, 2)).weight.shape
        (12, 1, 1, 10)
    """
    if synapse.kind not in _ARRANGERS:
        raise TypeError(f"no kernel for a synapse of type {type(synapse).__name__}")
    return _ARRANGERS[synapse.kind](synapse, in_shape)


def layout(
    kernel: Any,
    weight: NDArray[Any],
    rows: Window,
    columns: Window,
    *,
    groups: int = 1,
    flat: bool = False,
    delays: tuple[int, ...] = (0,),
) -> Layout:
    """A :class:`Layout` of integer weights (rows, Kh, Kw, features): 8-bit mantissas and an exponent where they fit."""
    wide = np.abs(weight.astype(np.int64))
    bound = int(wide.reshape(groups, -1, *weight.shape[1:]).sum(axis=(1, 2, 3)).max())
    exponent = 0 if weight.min() >= -128 and weight.max() <= 127 else weight_exponent(weight)
    fits = fits_8_bits(weight)
    mantissa = np.ascontiguousarray((weight >> exponent).astype(np.int8) if fits else weight.astype(np.int32))
    return Layout(kernel, mantissa, exponent if fits else 0, bound, groups, flat, rows, columns, delays)
