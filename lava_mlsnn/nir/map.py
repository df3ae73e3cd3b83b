"""Linear nodes of NIR as maps of real numbers: what they compute, and the integer synapse that comes nearest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..graph.size import LARGEST
from ..graph.synapses import Conv, DelayDense, Dense, Identity, Pool, Synapse
from ..graph.synapses.delay_dense import MAX_DELAY
from ..helpers.check import Shape, int_array

Floats = NDArray[np.float64]

FINEST = 30
"""Largest binary exponent of a weight: beyond it no current fits a register."""


@dataclass(frozen=True, eq=False)
class Map:
    """A linear map of (C, H, W).

    Args:
        kind: "conv", "dense", "pool" (depthwise, every weight of a channel the same) or "identity".
        weight: float64 (O, I / groups, Kh, Kw), (O, I), (C, 1, Kh, Kw) or (C,).
        stride, padding, dilation: (rows, columns) of a conv or pool.
        groups: channel groups of a conv.
        delays: steps, of a dense one: (O, 1) or (1, I).
    """

    kind: str
    weight: Floats
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1
    delays: NDArray[np.int64] | None = None

    def late(self, steps: Floats, what: str) -> Map:
        """The map for inputs that are ``steps`` (C, H, W) late; ValueError, with ``what``, if no synapse does that."""
        if self.kind == "identity":
            require_values(len(steps) ** 2, 1, LARGEST, what)
            return Map("dense", np.diag(np.broadcast_to(self.weight, (len(steps),)))).late(steps, what)
        if self.kind != "dense":
            raise ValueError(f"{what}: a {self.kind} of delayed spikes: synapses with delays are dense")
        if steps.max() > MAX_DELAY:
            raise ValueError(f"{what}: a delay of {steps.max():g} steps: expected at most {MAX_DELAY}")
        return replace(self, delays=steps.reshape(1, -1).astype(np.int64))

    def times(self, factor: Floats | float) -> Map:
        """The map with its output multiplied by ``factor``, one number or one per output channel."""
        scale = np.asarray(factor, np.float64).reshape(-1, *[1] * (self.weight.ndim - 1))
        return replace(self, weight=self.weight * scale)

    def out_shape(self, in_shape: Shape) -> Shape:
        """Shape of the output for an input of ``in_shape``; ValueError if they do not fit."""
        return self.synapse(np.zeros(self.weight.shape, np.int32)).out_shape(in_shape)

    def synapse(self, weight: NDArray[Any]) -> Synapse:
        """This map as a synapse of the integers ``weight``."""
        if self.kind == "dense":
            return Dense(weight) if self.delays is None else DelayDense(weight, int_array(self.delays, "delays"))
        if self.kind == "identity":
            return Identity(weight[0] if np.all(weight == weight[0]) else weight)
        if self.kind == "pool" and self.padding == (0, 0) and np.all(weight == 1):
            return Pool((weight.shape[2], weight.shape[3]), self.stride)
        return Conv(weight, self.stride, self.padding, self.dilation, self.groups)

    def __call__(self, values: Floats) -> Floats:
        """The output, float64 (..., C', H', W'), for values (..., C, H, W); with delays, (T, ..., C, H, W)."""
        if self.delays is not None:
            parts = []
            for d in np.unique(self.delays):
                part = replace(self, weight=np.where(self.delays == d, self.weight, 0.0), delays=None)
                parts.append(part(np.concatenate([np.zeros_like(values[:d]), values])[: len(values)]))
            return np.asarray(np.sum(parts, axis=0))
        if self.kind == "dense":
            flat = values.reshape(*values.shape[:-3], -1) @ self.weight.T
            return flat.reshape(*flat.shape, 1, 1)
        if self.kind == "identity":
            return values * self.weight[:, None, None]
        return _correlate(self, values)

    def largest(self, low: float, high: float) -> float:
        """Largest absolute output of any channel for values in ``low`` .. ``high``."""
        weight = self.weight.reshape(len(self.weight), -1)
        positive, negative = np.maximum(weight, 0).sum(axis=1), np.minimum(weight, 0).sum(axis=1)
        top, bottom = positive * high + negative * low, positive * low + negative * high
        return float(np.maximum(np.abs(top), np.abs(bottom)).max(initial=0.0))


def _correlate(conv: Map, values: Floats) -> Floats:
    *batch, channels, height, width = values.shape
    out_channels, rows, columns = conv.out_shape((channels, height, width))
    (ph, pw), (sh, sw), (dh, dw), groups = conv.padding, conv.stride, conv.dilation, conv.groups
    padded = np.pad(values, [(0, 0)] * len(batch) + [(0, 0), (ph, ph), (pw, pw)])
    weight = conv.weight.reshape(groups, out_channels // groups, *conv.weight.shape[1:])
    out = np.zeros((*batch, groups, out_channels // groups, rows, columns))
    for k in range(weight.shape[-2]):
        for m in range(weight.shape[-1]):
            tap = padded[..., k * dh :: sh, m * dw :: sw][..., :rows, :columns]
            tap = tap.reshape(*batch, groups, channels // groups, rows, columns)
            out += np.einsum("...gihw,goi->...gohw", tap, weight[..., k, m], optimize=True)
    return out.reshape(*batch, out_channels, rows, columns)


def require_values(count: int, steps: int, most: int, where: str = "calibration_images") -> None:
    """ValueError for more values, ``count`` in each step, than anybody meant to compute with."""
    if count * steps > most:
        raise ValueError(
            f"{where}: {count:,} values in each of {steps:,} timesteps, {count * steps:,} in all: expected at most "
            f"{most:,}; fewer calibration images, or from_nir(..., largest=N), on the command line --largest N, make "
            "room"
        )


def identity(channels: int, weight: Floats | float = 1.0) -> Map:
    """One to one, multiplied by ``weight``."""
    return Map("identity", np.broadcast_to(np.asarray(weight, np.float64), (channels,)).copy())


def pool(channels: int, kernel: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int], mean: bool) -> Map:
    """Sum or, if ``mean``, average over windows; what is padded counts as zeros."""
    weight = np.full((channels, 1, *kernel), 1 / prod(kernel) if mean else 1.0)
    return Map("pool", weight, stride, padding, groups=channels)


def exponent(weight: Floats, bits: int) -> int:
    """Largest e for which round(weight 2**e) fits ``bits`` signed bits; smaller if that is exact already.

    Example:
        >>> exponent(np.array([0.3, -0.7]), 8), exponent(np.array([3.0, -2.0]), 8), exponent(np.array([0.25, 1]), 8)
        (7, 0, 2)
    """
    e, extremes = FINEST, np.array([weight.min(initial=0.0), weight.max(initial=0.0)])
    while e > -FINEST and not fits(np.rint(np.ldexp(extremes, e)), bits):
        e -= 1
    top = np.ldexp(weight, e)
    if np.array_equal(top, np.rint(top)):
        while e > 0 and not np.any(np.rint(np.ldexp(weight, e)).astype(np.int64) & 1):
            e -= 1
    return e


def fits(integers: Floats, bits: int) -> bool:
    """Whether all of ``integers`` are within ``bits`` signed bits."""
    half = 2.0 ** (bits - 1)
    return bool(integers.min(initial=0.0) >= -half and integers.max(initial=0.0) < half)
