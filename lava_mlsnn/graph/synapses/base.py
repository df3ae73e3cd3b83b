"""What every synapse kind states about itself; a kind is one file of this folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ...helpers.check import IntArray, Shape
from ...helpers.tables import NoFigureError
from ..fixed import Ints, Wide, wrap
from ..ranges import Floats, Range, linear
from ..spec import Spec

SYNAPSES: dict[str, type[Synapse]] = {}
"""Every kind by its name; a subclass of :class:`Synapse` that has a ``kind`` enters itself."""

ACCUMULATOR_BITS = 24
"""Width of a dendritic accumulator on Loihi, and of the one that Lava's Conv wraps to."""

WORD = 64
"""Bits of a word of synaptic memory."""

DENSE_BITS = 20
"""Bits per non-zero dense synapse, inferred from compiler logs: 16 words for 50 outputs, 21 for 64, 4 for 10."""

WEIGHT_BITS = 8
"""Bits per weight of a shared kernel: the safe upper bound; the logs show 5 to 8, depending on the weights."""


class Window(NamedTuple):
    """Geometry of a sliding window, each pair (rows, columns)."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1

    def hits(self, in_shape: Shape) -> NDArray[np.int64]:
        """Windows that hold each site of a map, int64 (H, W): borders respected.

        Example:
            >>> Window((3, 3), (1, 1), (1, 1)).hits((1, 3, 3)).tolist()
            [[4, 6, 4], [6, 9, 6], [4, 6, 4]]
        """
        axes = []
        for n, k, s, p, d in zip(in_shape[1:], self.kernel, self.stride, self.padding, self.dilation, strict=True):
            first = np.arange((n + 2 * p - d * (k - 1) - 1) // s + 1)[:, None] * s - p
            places = (first + d * np.arange(k)).ravel()
            axes.append(np.bincount(places[(places >= 0) & (places < n)], minlength=n))
        return (axes[0][:, None] * axes[1]).astype(np.int64)


class Keys(Protocol):
    """The group of a file from which a synapse is read: typed and checked, its errors name the layer and the key."""

    def has(self, key: str) -> bool:
        """Whether the group holds the key."""

    def integer(self, key: str, low: int = ...) -> int:
        """One integer >= ``low``."""

    def integers(self, key: str, lengths: tuple[int, ...]) -> tuple[int, ...]:
        """A short vector of integers >= 0."""

    def whole(self, key: str) -> IntArray:
        """A dataset of whole numbers."""


@dataclass(frozen=True, eq=False)
class Synapse(Spec):
    """Base of all synapse kinds: an integer, linear map from the spikes of source layers to currents in a dendrite.

    All weights are the integers that are computed with: 8 signed bits times a common power of two per synapse is what
    hardware stores (:func:`weight_exponent`). Shapes are (C, H, W); a vector is (features, 1, 1).

    Attributes:
        kind: name, also in files and tables.
        delay: timesteps between a spike and its current (1 on Lava and Loihi).
        current_bits: bits that the current wraps to.
        flat: whether it makes a vector (True), a map (False), or what it reads (None): the order of Lava's ports.
        priced_as: layer kind whose formula the energy models use for it.
        file_type: its name in files.
    """

    delay: ClassVar[int] = 1
    current_bits: ClassVar[int] = 32
    flat: ClassVar[bool | None] = None
    priced_as: ClassVar[str] = "identity"
    file_type: ClassVar[str] = ""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "kind" in cls.__dict__:
            SYNAPSES[cls.kind] = cls
            if "file_type" not in cls.__dict__:
                cls.file_type = cls.kind

    @classmethod
    def example(cls, in_shape: Shape) -> Synapse:
        """A small synapse of this kind for spikes of ``in_shape``, for tests and tables."""
        raise NotImplementedError(f"synapse {cls.kind!r} defines no example")

    def out_shape(self, in_shape: Shape) -> Shape:
        """Shape (C, H, W) of the current for spikes of shape ``in_shape``; ValueError if they do not fit."""
        raise NotImplementedError(f"synapse {self.kind!r} defines no out_shape")

    def accumulate(self, spikes: Any) -> Wide:
        """The exact linear map, before any wrap: slow, obviously right.

        **Shape:** spikes int (..., C, H, W) -> int64 (..., C', H', W').

        Raises:
            ValueError: a synapse with delays of its own, which needs the past (:meth:`accumulate_past`).
        """
        raise NotImplementedError(f"synapse {self.kind!r} defines no accumulate")

    def parts(self) -> tuple[tuple[int, Synapse], ...]:
        """(age, synapse): what it does as a sum of synapses without delays of their own, each reading older spikes."""
        return ((0, self),)

    def accumulate_past(self, past: Callable[[int], Any]) -> Wide:
        """The exact sums where ``past(d)`` are the spikes of d steps ago, int (..., C, H, W)."""
        return np.asarray(sum(part.accumulate(past(age)) for age, part in self.parts()), np.int64)

    def current(self, spikes: Any) -> Ints:
        """The current that Lava's synapse sends: :meth:`accumulate`, wrapped to ``current_bits``."""
        return wrap(self.accumulate(spikes), self.current_bits)

    @property
    def ages(self) -> tuple[int, ...]:
        """The different delays of its own, in timesteps, ascending; (0,) for none."""
        return tuple(age for age, _ in self.parts())

    def spread(self, spikes: Range, in_shape: Shape) -> Range:
        """Range of the accumulator of each output channel, for spikes of a range per input channel."""
        raise NotImplementedError(f"synapse {self.kind!r} defines no spread")

    def fan_out(self, in_shape: Shape) -> NDArray[np.int64]:
        """Synapses that leave each site of a map, int64 (C, H, W); borders respected, weights of zero counted."""
        raise NotImplementedError(f"synapse {self.kind!r} defines no fan_out")

    @property
    def weights(self) -> IntArray | None:
        """Weights as the chip stores them, output channel first; None if it has none."""
        return None

    @property
    def gain(self) -> float:
        """Largest factor from the spikes of a source to one current, over all its input sites."""
        if self.weights is None:
            return 1.0
        weight = np.abs(self.weights.astype(np.float64))
        return float(weight.max() if weight.ndim < 2 else weight.reshape(len(weight), -1).sum(axis=1).max())

    @property
    def window(self) -> Window | None:
        """Geometry of a sliding window, None if it has none."""
        return None

    def synaptic_words(self, channels: int, bits: int = WEIGHT_BITS) -> int:
        """64-bit words of synaptic memory on Loihi 2 for ``channels`` output channels (inferred from compiler logs)."""
        raise NoFigureError(f"no figure for the synaptic memory of a {self.kind} synapse")

    def rows_read(self, rows: int, height: int) -> int:
        """Input rows, of ``height``, that a core with ``rows`` output rows must receive (inference)."""
        if not self.delay:
            return 0
        if self.flat:
            return height
        window = self.window or Window((1, 1), (1, 1))
        return min((rows - 1) * window.stride[0] + window.dilation[0] * (window.kernel[0] - 1) + 1, height)

    def to_keys(self) -> Mapping[str, Any]:
        """Keys and values that describe it in a file, under stock NetX's names where stock has them."""
        return {}

    @classmethod
    def from_keys(cls, keys: Keys) -> Synapse:
        """Inverse of :meth:`to_keys`; ValueError if what the keys say does not fit together."""
        return cls()


def expect(keys: Keys, key: str, *wanted: int) -> None:
    """ValueError if a key that repeats what the weights say says something else."""
    found = keys.integers(key, (len(wanted),))
    if found != wanted:
        raise ValueError(f"{key!r} is {found}, the layer's other values say {wanted}")


def per_channel_range(weight: IntArray, in_channels: int, groups: int, spikes: Range) -> Range:
    """Range of sums of ``weight`` (O, ...) whose inputs belong to channels, some positions each."""
    positive, negative = (_sums(sign(weight, 0), in_channels, groups) for sign in (np.maximum, np.minimum))
    return linear(positive, negative, spikes)


def _sums(weight: IntArray, in_channels: int, groups: int) -> Floats:
    """Sums of weights from each input channel, float64 (O, C)."""
    outputs, per_group = len(weight), in_channels // groups
    sums = weight.reshape(outputs, per_group, -1).sum(axis=2, dtype=np.float64)
    wide = np.zeros((outputs, in_channels))
    for g in range(groups):
        rows = slice(g * outputs // groups, (g + 1) * outputs // groups)
        wide[rows, g * per_group : (g + 1) * per_group] = sums[rows]
    return wide


def kernel_words(taps: int, channels: int, bits: int) -> int:
    """Words of a kernel that all sites of a core share: taps (ceil(c b / 64) + [c > 64])."""
    return taps * (ceil(channels * bits / WORD) + (channels > WORD))


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
