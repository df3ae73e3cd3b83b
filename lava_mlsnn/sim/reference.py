"""The slow, obviously right engine, as functions: what each kind of neuron and synapse states in :mod:`..graph`.

They define what every other engine computes; the Lava ProcessModels of single layers call them. They are pure:
arguments are never written to. Numbers are computed in int64 and wrapped where Lava's registers wrap.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..graph.fixed import Ints, Wide, decay, overflows, wrap
from ..graph.neurons import Neuron, State
from ..graph.synapses import Synapse
from ..helpers.check import IntArray

__all__ = ["Ints", "State", "Wide", "accumulate", "accumulate_late", "current", "decay", "initial_state", "overflows"]
__all__ += ["step", "wrap"]


def current(synapse: Synapse, spikes: Any) -> Ints:
    """Current that Lava's synapse sends for ``spikes``: :func:`accumulate`, wrapped to 24 bits by Conv, else to 32.

    **Shape:** spikes int (..., C, H, W) -> int32 (..., C', H', W') with (C', H', W') = synapse.out_shape((C, H, W)).

    Example:
        >>> import numpy as np
        >>> from lava_mlsnn.netx import Dense
        >>> current(Dense(np.array([[2, -1]])), np.array([3, 4]).reshape(2, 1, 1)).ravel()
        array([2], dtype=int32)
    """
    return _known(synapse, Synapse).current(spikes)


def current_bits(synapse: Synapse) -> int:
    """Bits that the current of a synapse wraps to: 24 for Conv, as Lava's, else 32."""
    return synapse.current_bits


def accumulate(synapse: Synapse, spikes: Any) -> Wide:
    """The exact linear map of a synapse, int64, before any wrap.

    **Shape:** spikes int (..., C, H, W) -> int64 (..., C', H', W').
    """
    return _known(synapse, Synapse).accumulate(spikes)


def accumulate_late(synapse: Synapse, spikes: Callable[[int], Any]) -> Wide:
    """The exact sums of a synapse with delays, int64: every delay's weights times what was sent that long ago.

    Args:
        synapse: its weights and delays.
        spikes: ``spikes(d)`` are those of d steps ago, int (..., C, H, W).

    **Shape:** int64 (..., O, 1, 1).
    """
    return _known(synapse, Synapse).accumulate_past(spikes)


def initial_state(neuron: Neuron, shape: tuple[int, ...]) -> dict[str, Ints]:
    """The state at the start of a sample: zeros, int32, by the names that Lava gives them.

    Example:
        >>> from lava_mlsnn.netx import LIF
        >>> sorted(initial_state(LIF(vth=10), (2, 1, 1)))
        ['u', 'v']
    """
    return _known(neuron, Neuron).initial_state(shape)


def step(
    neuron: Neuron, state: State, current: Any, bias: IntArray | None = None, channel_axis: int = -3, t: int = 0
) -> tuple[Ints, dict[str, Ints]]:
    """One timestep of a population: :meth:`lava_mlsnn.graph.neurons.Neuron.step`."""
    return _known(neuron, Neuron).step(state, current, bias, channel_axis, t)


def _known(value: Any, base: type) -> Any:
    if not isinstance(value, base):
        raise TypeError(f"no reference for a {base.__name__.lower()} of type {type(value).__name__}")
    return value
