"""Time in a network that runs in Lava: when a layer starts, when its state is zeroed, and which steps are a sample's.

Lava counts timesteps from 1. An image that enters at step s reaches the layer of depth d at step s + d, so everything
that separates samples passes through the network as a wave: each layer starts, and resets, d steps after the input.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from lava_mlsnn.helpers.check import integer, positive_ints


@dataclass(frozen=True)
class Resets:
    """When the state of a population is zeroed, before the integration of a step.

    Args:
        interval: steps between two resets, None for no resets.
        offset: a reset is at each step with ``step % interval == offset % interval``, as in lava.proc.lif.LIFReset.
        start: first step in which the population computes.

    Raises:
        ValueError: an argument is no integer, or one out of range; the message names it.

    Example:
        >>> resets = Resets(interval=3, offset=5)
        >>> [resets.at(step) for step in range(1, 6)], resets.since(7)
        ([False, True, False, False, True], 2)
    """

    interval: int | None = None
    offset: int = 0
    start: int = 1

    def __post_init__(self) -> None:
        if self.interval is not None:
            object.__setattr__(self, "interval", positive_ints(self.interval, "reset_interval", 1)[0])
        object.__setattr__(self, "offset", integer(self.offset, "reset_offset", -(2**31), 2**31 - 1))
        object.__setattr__(self, "start", positive_ints(self.start, "start", 1)[0])

    @staticmethod
    def of_layer(interval: int | None, offset: int, depth: int) -> Resets:
        """Those of the layer of ``depth`` in a network with NetX's ``reset_interval`` and ``reset_offset``."""
        return Resets(interval, offset + 1 + depth, depth + 1)

    @staticmethod
    def of_process(proc_params: Mapping[str, Any]) -> Resets:
        """Those that a Process was made with."""
        return Resets(proc_params["reset_interval"], proc_params["reset_offset"], proc_params.get("start", 1))

    @property
    def arguments(self) -> dict[str, Any]:
        """Arguments of a Process that can be reset."""
        return {"reset_interval": self.interval, "reset_offset": self.offset}

    @property
    def gated(self) -> dict[str, Any]:
        """Arguments of a Process that waits for the first input to arrive."""
        return {**self.arguments, "start": self.start}

    def at(self, step: int) -> bool:
        """Whether the state is zeroed in this step."""
        return self.interval is not None and (step - self.offset) % self.interval == 0

    def since(self, step: int) -> int:
        """Steps since the state was last zeroed or, without resets, since the first step."""
        return step - self.start if self.interval is None else (step - self.offset) % self.interval


def sample_steps(series: NDArray[Any], depth: int, samples: int, timesteps: int) -> NDArray[Any]:
    """A series per Lava timestep in sample time: step t of sample k is at k T + t + depth.

    **Shape:** (steps, ...) -> (samples, T, ...).

    Raises:
        ValueError: the series is shorter.
    """
    stop = depth + samples * timesteps
    if stop > len(series):
        raise ValueError(
            f"{samples} samples of {timesteps} steps at depth {depth} need {stop} recorded steps, got {len(series)}"
        )
    return series[depth:stop].reshape(samples, timesteps, *series.shape[1:])
