"""A dense synapse with a delay per synapse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

import numpy as np

from ...helpers.check import IntArray, Shape, int_array
from ..fixed import Wide
from ..spec import by
from .base import Synapse
from .dense import Dense, Matrix

MAX_DELAY = 62
"""Longest delay of a synapse, in timesteps: 6 bits, of which stock NetX uses 0 .. 62."""


@dataclass(frozen=True, eq=False)
class DelayDense(Matrix):
    r"""A dense synapse whose spikes arrive late: :math:`a_o(t) = \sum_i w_{o,i} z_i(t - d_{o,i})`.

    Spikes from before the first step of a sample are zero. The delays are what the network computes, not the time that
    a synapse takes: they do not count towards a layer's depth.

    Args:
        weight: int32 (O, I).
        delays: int32 in 0 .. 62: (O, 1) per output, (1, I) per input, or (O, I). The shortest form is kept.

    Shape:
        spikes (C, H, W) with C H W = I -> current (O, 1, 1).

    Example:
        >>> synapse = DelayDense(np.array([[1, 10]]), np.array([[0, 2]]))
        >>> past = [np.array([3, 4]), np.array([5, 6]), np.array([7, 8])]
        >>> synapse.accumulate_past(lambda d: past[d].reshape(2, 1, 1)).ravel()
        array([83])
        >>> DelayDense(np.ones((3, 2)), [[0, 5], [0, 5], [0, 5]]).delays.tolist()
        [[0, 5]]
    """

    kind: ClassVar[str] = "delay_dense"
    file_type: ClassVar[str] = "dense"
    delays: IntArray = field(metadata=by(partial(int_array, ndim=2)))

    @classmethod
    def example(cls, in_shape: Shape) -> DelayDense:
        return cls(Dense.example(in_shape).weight, int_array([[0], [2], [1], [0]], "delays"))

    def validate(self) -> None:
        delays = self.delays
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
        self._set("delays", int_array(delays, "dense delays"))

    def accumulate(self, spikes: Any) -> Wide:
        raise ValueError("a dense synapse with delays needs older spikes: expected a call of accumulate_past")

    def parts(self) -> tuple[tuple[int, Synapse], ...]:
        return tuple(
            (d, Dense(np.where(self.delays == d, self.weight, 0))) for d in map(int, np.unique(self.delays).tolist())
        )

    @property
    def ages(self) -> tuple[int, ...]:
        return tuple(np.unique(self.delays).tolist())

    def to_keys(self) -> Mapping[str, Any]:
        """Delays are one per output (what stock takes where they could be either), one per input, or a matrix."""
        delays, (outputs, inputs) = self.delays, self.weight.shape
        if delays.shape == (outputs, 1):
            stored = delays[:, 0]
        elif delays.shape == (1, inputs) and inputs != outputs:
            stored = delays[0]
        else:
            stored = np.broadcast_to(delays, (outputs, inputs))
        return {**super().to_keys(), "delay": stored}


def stock_delays(delays: IntArray, shape: tuple[int, ...]) -> IntArray:
    """Delays (O, 1), (1, I) or (O, I), as stock reads the key ``delay``.

    One number, one per output (first choice) or per input, or a matrix.

    Raises:
        ValueError: the values or the shape do not fit the weights of ``shape``.
    """
    if delays.size == 0 or delays.min() < 0 or delays.max() > MAX_DELAY:
        found = f"{delays.min()} .. {delays.max()}" if delays.size else "none"
        raise ValueError(f"'delay': expected 0 .. {MAX_DELAY}, found {found}")
    if delays.ndim == 0:
        return delays.reshape(1, 1)
    if delays.ndim == 1 and delays.size in shape:
        return delays.reshape((-1, 1) if delays.size == shape[0] else (1, -1))
    if delays.shape != shape:
        raise ValueError(f"'delay' of shape {delays.shape}: expected ({shape[0]},), ({shape[1]},) or {shape}")
    return delays
