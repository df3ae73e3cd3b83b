"""What neurons behind a batch norm per timestep share."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, TypeVar

import numpy as np

from ...helpers.check import IntArray, int_array
from ..fixed import Wide, per_channel, wrap
from ..ranges import Range, clip
from ..spec import by
from .base import Neuron

MAX_MANTISSA = 2**15 - 1
"""Largest mantissa of a per-step scale: signed 16 bits."""

MAX_SHIFT = 31
"""Largest shift of a batch norm per timestep: words have 32 bits."""

S = TypeVar("S", bound="Stepwise")


def _shortest(table: IntArray, what: str) -> IntArray:
    """(C, 1) where all steps are the same: one form for one meaning."""
    if table.shape[1] and np.array_equal(table, np.broadcast_to(table[:, :1], table.shape)):
        return int_array(table[:, :1], what)
    return table


def _mantissas(value: Any, what: str) -> IntArray:
    table = int_array(value, what, 2)
    size = np.abs(table.astype(np.int64))
    if size.size and size.max() > MAX_MANTISSA:
        raise ValueError(f"{what}: expected -{MAX_MANTISSA} .. {MAX_MANTISSA}, found {table.flat[size.argmax()]}")
    return _shortest(table, what)


def _shifts(value: Any, what: str) -> IntArray:
    shift = int_array(value, what, 1)
    if shift.size and (shift.min() < 0 or shift.max() > MAX_SHIFT):
        raise ValueError(f"{what}: expected 0 .. {MAX_SHIFT}, found {shift.tolist()}")
    return shift


def _offsets(value: Any, what: str) -> IntArray:
    return _shortest(int_array(value, what, 2), what)


@dataclass(frozen=True, eq=False)
class Stepwise(Neuron):
    r"""Base of neurons whose input passes a batch norm per timestep (BNTT, [VicenteSola2022], sec. 3.2.2), in integers.

    .. math:: x_{c,t} = \big((a_c\, m_{c,t} + \lfloor 2^{s_c} / 2 \rfloor) >> s_c\big) + o_{c,t}

    Steps t count from the one at which the state of the layer was last zeroed, from 0 to T - 1, then from 0 again;
    without resets, from the first step that is meant for the layer.

    Args:
        scale: mantissas m, signed 16 bits, int32 (C, T), or (C, 1) for the same in all steps.
        shift: s in 0 .. 31, int32 (C,).
        offset: o, int32 (C, T) or (C, 1); these neurons have no other bias.
    """

    has_bias: ClassVar[bool] = False
    scale: IntArray = field(metadata=by(_mantissas))
    shift: IntArray = field(metadata=by(_shifts))
    offset: IntArray = field(metadata=by(_offsets))

    def validate(self) -> None:
        scale, shift, offset = self.scale.shape, self.shift.shape, self.offset.shape
        if 0 in (*scale, *offset) or shift != scale[:1] or shift != offset[:1]:
            raise ValueError(
                f"{self.kind}: expected scale (C, T), shift (C,) and offset (C, T), got {scale}, {shift} and {offset}"
            )

    @property
    def columns(self) -> int:
        """Number of steps that differ: T, or 1."""
        return max(self.scale.shape[1], self.offset.shape[1])

    @property
    def table_words(self) -> int:
        return 2 * self.columns

    def check_population(self, channels: int) -> None:
        if len(self.shift) != channels:
            raise ValueError(f"a {self.kind} neuron with parameters of {len(self.shift)} channels, expected {channels}")

    def check_steps(self, timesteps: int) -> None:
        for name in ("scale", "offset"):
            columns = getattr(self, name).shape[1]
            if columns not in (1, timesteps):
                raise ValueError(f"{self.kind} {name} of {columns} steps: expected 1 or T = {timesteps}")

    def shorten(self: S, timesteps: int) -> S:
        return replace(self, scale=self.scale[:, :timesteps], offset=self.offset[:, :timesteps])

    def scaled(self, current: Any, bias: IntArray | None, channel_axis: int, t: int) -> Wide:
        """x in step t."""
        self._no_bias(bias)

        def of(values: IntArray) -> Wide:
            return per_channel(values, np.ndim(current), channel_axis)

        scale, offset = (table[:, t % table.shape[1]] for table in (self.scale, self.offset))
        shift = of(self.shift)
        product = wrap(np.asarray(current, np.int64)).astype(np.int64) * of(scale)
        return wrap(((product + ((1 << shift) >> 1)) >> shift) + of(offset)).astype(np.int64)

    def scaled_range(self, current: Range, t: int) -> Range:
        """Range of x in step t."""
        scale, offset = (table[:, t % table.shape[1]].astype(np.float64) for table in (self.scale, self.offset))
        unit = 2.0**self.shift
        ends = [np.floor((end * scale + np.floor(unit / 2)) / unit) + offset for end in current]
        return clip(np.minimum(*ends), np.maximum(*ends))


def stepwise_example(channels: int, timesteps: int) -> tuple[IntArray, IntArray, IntArray]:
    """Scale, shift and offset that differ in channels and steps."""
    table = np.arange(channels * timesteps).reshape(channels, timesteps)
    shift = np.arange(channels) % 4
    return int_array(table - 3, "scale"), int_array(shift, "shift"), int_array(table % 5 - 1, "offset")
