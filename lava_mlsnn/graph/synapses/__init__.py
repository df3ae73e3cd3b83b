"""Synapses of a NetGraph: integer, linear maps from the spikes of source layers to currents in a dendrite.

Shapes are (C, H, W); a dense layer's output is (features, 1, 1). All weights are the integers that are computed with:
8 signed bits times a common power of two per synapse is what hardware stores (:func:`weight_exponent`).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np

from ...helpers.check import IntArray, Shape, int_array, positive_ints
from ..spec import Spec


@dataclass(frozen=True, eq=False)
class Synapse(Spec):
    """Base of all synapses. ``delay`` counts the timesteps between a spike and its current (1 on Lava and Loihi)."""

    kind: ClassVar[str]
    delay: ClassVar[int] = 1

    def out_shape(self, in_shape: Shape) -> Shape:
        """Shape (C, H, W) of the current for spikes of shape ``in_shape``; ValueError if they do not fit."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class Conv(Synapse):
    r"""2-D correlation, as torch.nn.Conv2d computes it.

    .. math:: a_{o,y,x} = \sum_{i,k,l} w_{o,i,k,l} z_{i, s y + d k - p, s x + d l - p}

    Args:
        weight: int32 (O, I / groups, Kh, Kw).
        stride, padding, dilation: (rows, columns), or one int for both.
        groups: number of channel groups.

    Shape:
        spikes (I, H, W) -> current (O, H', W') with H' = (H + 2 p - d (Kh - 1) - 1) // s + 1.

    Example:
        >>> Conv(np.ones((8, 3, 3, 3)), padding=1, stride=2).out_shape((3, 8, 8))
        (8, 4, 4)
    """

    kind: ClassVar[str] = "conv"
    weight: IntArray
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", int_array(self.weight, "conv weight", 4))
        for name, low in (("stride", 1), ("padding", 0), ("dilation", 1)):
            object.__setattr__(self, name, positive_ints(getattr(self, name), f"conv {name}", 2, low))
        (groups,) = positive_ints(self.groups, "conv groups", 1)
        object.__setattr__(self, "groups", groups)
        if 0 in self.weight.shape or self.weight.shape[0] % groups:
            raise ValueError(
                f"conv weight {self.weight.shape}: output channels must be a positive multiple of {groups=}"
            )

    def out_shape(self, in_shape: Shape) -> Shape:
        out_channels, per_group, *kernel = self.weight.shape
        if in_shape[0] != per_group * self.groups:
            raise ValueError(
                f"conv weight {self.weight.shape} with groups={self.groups} reads {per_group * self.groups} channels, "
                f"its input has shape {in_shape}"
            )
        size = [
            (n + 2 * p - d * (k - 1) - 1) // s + 1
            for n, k, s, p, d in zip(in_shape[1:], kernel, self.stride, self.padding, self.dilation, strict=True)
        ]
        if min(size) < 1:
            raise ValueError(
                f"conv kernel {tuple(kernel)}, dilation {self.dilation} is larger than its input {in_shape}"
            )
        return out_channels, size[0], size[1]


@dataclass(frozen=True, eq=False)
class Dense(Synapse):
    r"""Every input site to every output feature: :math:`a_o = \sum_i w_{o,i} z_i`, sites in (C, H, W) order.

    Args:
        weight: int32 (O, I).

    Shape:
        spikes (C, H, W) with C H W = I -> current (O, 1, 1).

    Example:
        >>> Dense(np.ones((10, 48))).out_shape((3, 4, 4))
        (10, 1, 1)
    """

    kind: ClassVar[str] = "dense"
    weight: IntArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", int_array(self.weight, "dense weight", 2))

    def out_shape(self, in_shape: Shape) -> Shape:
        if prod(in_shape) != self.weight.shape[1]:
            raise ValueError(
                f"dense weight {self.weight.shape} reads {self.weight.shape[1]} sites, "
                f"its input {in_shape} has {prod(in_shape)}"
            )
        return self.weight.shape[0], 1, 1


MAX_DELAY = 62
"""Longest delay of a synapse, in timesteps: 6 bits, of which stock NetX uses 0 .. 62."""


@dataclass(frozen=True, eq=False)
class DelayDense(Synapse):
    r"""A dense synapse whose spikes arrive late: :math:`a_o(t) = \sum_i w_{o,i} z_i(t - d_{o,i})`.

    Spikes from before the first step of a sample are zero. The delays are what the network computes, not the time that
    a synapse takes: they do not count towards a layer's depth.

    Args:
        weight: int32 (O, I).
        delays: int32 in 0 .. 62: (O, 1) per output, (1, I) per input, or (O, I). The shortest form is kept.

    Shape:
        spikes (C, H, W) with C H W = I -> current (O, 1, 1).

    Example:
        >>> DelayDense(np.ones((3, 2)), [[0, 5], [0, 5], [0, 5]]).delays.tolist()
        [[0, 5]]
    """

    kind: ClassVar[str] = "delay_dense"
    weight: IntArray
    delays: IntArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", int_array(self.weight, "dense weight", 2))
        delays = int_array(self.delays, "dense delays", 2)
        if delays.size == 0 or any(d not in (1, w) for d, w in zip(delays.shape, self.weight.shape, strict=True)):
            raise ValueError(f"dense delays of shape {delays.shape} do not fit the weight {self.weight.shape}")
        if delays.min() < 0 or delays.max() > MAX_DELAY:
            raise ValueError(f"dense delays: expected 0 .. {MAX_DELAY}, found {delays.min()} .. {delays.max()}")
        for short in (delays[:1, :1], delays[:, :1], delays[:1]):
            if np.all(delays == short):
                delays = short
                break
        if delays.shape == (1, 1):
            delays = np.broadcast_to(delays, (1, self.weight.shape[1]))
        object.__setattr__(self, "delays", int_array(delays, "dense delays"))

    def out_shape(self, in_shape: Shape) -> Shape:
        return Dense(self.weight).out_shape(in_shape)


@dataclass(frozen=True, eq=False)
class Pool(Synapse):
    """Sum pooling: a depthwise convolution of ones (an average's 1 / (Kh Kw) goes into the next scale).

    Shape:
        spikes (C, H, W) -> current (C, (H - Kh) // Sh + 1, (W - Kw) // Sw + 1).

    Example:
        >>> Pool((2, 2), (2, 2)).out_shape((8, 8, 8))
        (8, 4, 4)
    """

    kind: ClassVar[str] = "pool"
    kernel: tuple[int, int] = (2, 2)
    stride: tuple[int, int] = (2, 2)

    def __post_init__(self) -> None:
        for name in ("kernel", "stride"):
            object.__setattr__(self, name, positive_ints(getattr(self, name), f"pool {name}", 2))

    def out_shape(self, in_shape: Shape) -> Shape:
        size = [(n - k) // s + 1 for n, k, s in zip(in_shape[1:], self.kernel, self.stride, strict=True)]
        if min(size) < 1:
            raise ValueError(f"pool kernel {self.kernel} is larger than its input {in_shape}")
        return in_shape[0], size[0], size[1]


@dataclass(frozen=True, eq=False)
class Identity(Synapse):
    """One to one: a = weight * z. It carries residual connections.

    Args:
        weight: int32, () or one per channel (C,).

    Shape:
        (C, H, W) -> (C, H, W).
    """

    kind: ClassVar[str] = "identity"
    weight: IntArray = 1  # type: ignore[assignment]

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", int_array(self.weight, "identity weight", (0, 1)))

    def out_shape(self, in_shape: Shape) -> Shape:
        if self.weight.ndim and self.weight.shape[0] != in_shape[0]:
            raise ValueError(f"identity weight for {self.weight.shape[0]} channels, its input has shape {in_shape}")
        return in_shape


@dataclass(frozen=True, eq=False)
class Injection(Synapse):
    """The network's input put straight into a neuron's dendrite: no synapse, so no delay (stock NetX ``input`` blocks).

    Shape:
        (C, H, W) -> (C, H, W). Reads "input" only.
    """

    kind: ClassVar[str] = "injection"
    delay: ClassVar[int] = 0

    def out_shape(self, in_shape: Shape) -> Shape:
        return in_shape


SYNAPSES: dict[str, type[Synapse]] = {c.kind: c for c in (Conv, Dense, DelayDense, Pool, Identity, Injection)}


def weight_exponent(weight: IntArray) -> int:
    """Largest e with weight divisible by 2**e everywhere: hardware stores weight >> e in 8 bits and shifts by e.

    Example:
        >>> weight_exponent(np.array([-256, 254, 2], dtype=np.int32))
        1
    """
    bits = int(np.bitwise_or.reduce(np.abs(weight.astype(np.int64)), axis=None))
    return (bits & -bits).bit_length() - 1 if bits else 0


def fits_8_bits(weight: IntArray) -> bool:
    """Whether every weight is a signed 8-bit mantissa times 2**weight_exponent.

    Example:
        >>> fits_8_bits(np.array([-256, 254], dtype=np.int32)), fits_8_bits(np.array([129], dtype=np.int32))
        (True, False)
    """
    mantissa = weight.astype(np.int64) >> weight_exponent(weight)
    return not weight.size or bool(mantissa.min() >= -128 and mantissa.max() <= 127)
