"""Sizes of a layer, and how many synapses they make: what every energy model counts with."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral
from typing import Any

from ..helpers.check import integer
from .options import Options

KINDS = ("conv", "dense", "pool", "add", "barrier", "identity", "flatten")
"""Kinds of layers. "barrier" and "identity" (relays, residual connections) are extensions of the published model."""


@dataclass(frozen=True)
class Geometry:
    """Sizes of a layer; shapes are (C, H, W), (C,) or any tuple whose product is the number of sites.

    Args:
        kind: one of :data:`KINDS`.
        in_shape, out_shape: maps without padding.
        kernel, stride: (rows, columns) of convolution and pooling.
        groups: channel groups of a convolution.
        bias: whether there is a bias per output channel, or the number of biases.
        border: zero border around the output map that is counted with it (0: the map itself).
        padding: zeros on each side of the input; None: the fewest with which the kernel gives ``out_shape``.
        dilation: distance between the taps of the kernel.
        pairs: synapses of the layer, pairs of an input and an output site, borders respected; None: from the above.

    Raises:
        ValueError: names the argument, its value and what is accepted.

    Example:
        >>> g = Geometry("conv", (3, 32, 32), (64, 16, 16), (3, 3), (2, 2))
        >>> g.weights, g.kernel_size, g.kernel_steps, g.dense_macs
        (1728, 9, 4, 442368)
        >>> g.synapses, round(g.synapses / g.n_in / 64, 2)  # 47 of 48 taps of each axis lie on the map
        (424128, 2.16)
    """

    kind: str
    in_shape: tuple[int, ...]
    out_shape: tuple[int, ...]
    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    groups: int = 1
    bias: bool | int = False
    border: tuple[int, int] = (0, 0)
    padding: tuple[int, int] | None = None
    dilation: tuple[int, int] = (1, 1)
    pairs: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind: expected one of {', '.join(KINDS)}, got {self.kind!r}")
        object.__setattr__(self, "in_shape", _shape(self.in_shape, "in_shape"))
        object.__setattr__(self, "out_shape", _shape(self.out_shape, "out_shape"))
        for name, low in (("kernel", 1), ("stride", 1), ("border", 0), ("dilation", 1)):
            object.__setattr__(self, name, _pair(getattr(self, name), name, low))
        object.__setattr__(self, "groups", integer(self.groups, "groups", 1))
        if self.kind not in ("conv", "pool"):
            for name in ("kernel", "stride", "dilation"):
                object.__setattr__(self, name, (1, 1))
            object.__setattr__(self, "padding", None)
        self._check()
        if self.padding is not None:
            object.__setattr__(self, "padding", _pair(self.padding, "padding", 0))
            sizes = tuple(axis.windows() for axis in self._axes)
            if sizes != self.out_shape[1:]:
                raise ValueError(
                    f"padding: expected one with which the kernel gives {self.out_shape}, {self.padding} gives {sizes}"
                )

    def _check(self) -> None:
        if self.kind in ("conv", "pool"):
            for name in ("in_shape", "out_shape"):
                if len(getattr(self, name)) != 3:
                    raise ValueError(f"{name} of a {self.kind} layer: expected (C, H, W), got {getattr(self, name)}")
        if self.groups > 1 and self.kind != "conv":
            raise ValueError(f"groups: only a conv layer has groups, got {self.groups} for {self.kind}")
        if self.in_shape[0] % self.groups or self.out_shape[0] % self.groups:
            raise ValueError(
                f"groups: expected a divisor of {self.in_shape[0]} and {self.out_shape[0]} channels, got {self.groups}"
            )
        if any(self.border) and len(self.out_shape) != 3:
            raise ValueError(f"border: expected an out_shape (C, H, W) with it, got {self.out_shape}")
        if self.kind in ("add", "barrier", "identity", "flatten") and self.n_in != self.n_out:
            raise ValueError(
                f"{self.kind}: expected as many output as input sites, got {self.in_shape} -> {self.out_shape}"
            )
        if self.kind == "pool" and self.in_shape[0] != self.out_shape[0]:
            raise ValueError(f"pool: expected the same channels in and out, got {self.in_shape} -> {self.out_shape}")

    @property
    def n_in(self) -> int:
        """Sites of the input map."""
        return math.prod(self.in_shape)

    @property
    def n_out(self) -> int:
        """Sites of the output map, with its border."""
        if not any(self.border):
            return math.prod(self.out_shape)
        channels, rows, columns = self.out_shape
        return channels * (rows + 2 * self.border[0]) * (columns + 2 * self.border[1])

    @property
    def c_in(self) -> int:
        """Input channels of the weight matrix: all sites for a dense layer."""
        return self.n_in if self.kind == "dense" else self.in_shape[0]

    @property
    def c_out(self) -> int:
        """Output channels of the weight matrix: all sites for a dense layer."""
        return self.n_out if self.kind == "dense" else self.out_shape[0]

    @property
    def kernel_size(self) -> int:
        """K, the positions of the kernel."""
        return math.prod(self.kernel)

    @property
    def kernel_steps(self) -> int:
        """Kc, the output positions that one input site reaches when the stride skips some."""
        return math.prod(math.ceil(k / s) for k, s in zip(self.kernel, self.stride, strict=True))

    @property
    def weights(self) -> int:
        """|W|, the number of weights (0 for layers without)."""
        if self.kind not in ("conv", "dense"):
            return 0
        return self.c_out * self.c_in * self.kernel_size // self.groups

    @property
    def biases(self) -> int:
        """|b|, the number of biases."""
        return self.c_out if self.bias is True else int(self.bias)

    @property
    def dense_macs(self) -> int:
        """M, the multiply-accumulates of the same layer in an ANN (Eq 1.1, 2.1), groups divided."""
        return self.n_out * self.c_in * self.kernel_size // self.groups

    @property
    def synapses(self) -> int:
        """Pairs of an input and an output site that a weight joins; zeros around the map are no input sites."""
        if self.pairs is not None:
            return self.pairs
        if self.kind == "dense":
            return self.n_in * self.n_out
        if self.kind not in ("conv", "pool"):
            return self.n_in
        channels = self.c_out // self.groups if self.kind == "conv" else 1
        return channels * self.c_in * math.prod(axis.reached() for axis in self._axes)

    def channels(self, options: Options) -> float:
        """Output channels that an event reaches."""
        if self.kind not in ("conv", "dense"):
            return 1.0
        return self.c_out if options.grouped == "full" else self.c_out / self.groups

    def fanout(self, options: Options) -> tuple[float, float]:
        """Synapses per event: (those that are accumulated, those whose weight and potential are accessed)."""
        if options.strided == "exact":
            reached = self.synapses * self._ungrouped(options) / self.n_in
            return reached, reached
        channels = self.channels(options)
        accessed = self.kernel_size if self.kind in ("conv", "dense") else self.kernel_steps
        return self.kernel_steps * channels, accessed * channels

    def macs(self, options: Options) -> float:
        """Multiply-accumulates of the same layer in an ANN: M, or only those of input sites where counting is exact."""
        return float((self.synapses if options.strided == "exact" else self.dense_macs) * self._ungrouped(options))

    def _ungrouped(self, options: Options) -> int:
        """What the counts are multiplied by where groups are ignored."""
        return self.groups if options.grouped == "full" else 1

    @property
    def _axes(self) -> tuple[_Axis, _Axis]:
        rows, columns = (
            _Axis(*sizes) for sizes in zip(
                self.in_shape[1:], self.out_shape[1:], self.kernel, self.stride, self.padding or (None, None),
                self.dilation, strict=True,
            )
        )  # fmt: skip
        return rows, columns


@dataclass(frozen=True)
class _Axis:
    """One axis of a sliding window."""

    size: int
    out: int
    kernel: int
    stride: int
    padding: int | None
    dilation: int

    @property
    def _reach(self) -> int:
        return self.dilation * (self.kernel - 1) + 1

    def windows(self) -> int:
        """Positions of the window."""
        return (self.size + 2 * (self.padding or 0) - self._reach) // self.stride + 1

    def reached(self) -> int:
        """Pairs of a position of the window and a tap of it that lies on the map."""
        padding = self.padding
        if padding is None:
            padding = max(0, -((self.size - self._reach - (self.out - 1) * self.stride) // 2))
        found = 0
        for tap in range(self.kernel):
            at = self.dilation * tap - padding  # the tap's place in the first window
            first = max(0, -(at // self.stride))
            last = min(self.out - 1, (self.size - 1 - at) // self.stride)
            found += max(0, last - first + 1)
        return found


def _shape(value: Any, what: str) -> tuple[int, ...]:
    items = _items(value, what)
    if not items:
        raise ValueError(f"{what}: expected positive integers, got {value!r}")
    return tuple(integer(item, what, 1) for item in items)


def _pair(value: Any, what: str, low: int) -> tuple[int, int]:
    items = _items(value, what)
    if len(items) == 1:
        items *= 2
    if len(items) != 2:
        raise ValueError(f"{what}: expected (rows, columns) or one integer, got {value!r}")
    return integer(items[0], what, low), integer(items[1], what, low)


def _items(value: Any, what: str) -> tuple[Any, ...]:
    if isinstance(value, Integral):
        return (value,)
    try:
        return tuple(value)
    except TypeError:
        raise ValueError(f"{what}: expected integers, got {value!r}") from None
