"""When a layer resets, which step of a sample it computes, and how old the spikes are that it reads."""

from __future__ import annotations

import numpy as np

from ..graph.graph import Connection, Layer, NetGraph
from ..graph.synapses import DelayDense, Synapse


def phase(step: int, depth: int, interval: int, offset: int, period: int) -> tuple[int, int]:
    """(age, t) of a layer: steps since its reset, 0 in the step that begins with one; index of the step in the sample.

    Compiled code calls this function, too.

    Args:
        step: the timestep, from 1.
        depth: of the layer: it is so many steps behind the input.
        interval: steps between resets; 0 for none. The age is the step then: nothing was sent before the first.
        offset: phase of the resets.
        period: T. A reset begins a sample.

    Example:
        >>> [phase(step, depth=1, interval=3, offset=0, period=2) for step in (1, 2, 3, 4, 5)]
        [(2, 0), (0, 0), (1, 1), (2, 0), (0, 0)]
        >>> [phase(step, depth=1, interval=0, offset=0, period=2) for step in (1, 2, 3)]
        [(1, 1), (2, 0), (3, 1)]
    """
    if interval > 0:
        age = (step - offset - 1 - depth) % interval
        return age, age % period
    return step, (step - depth - 1) % period


def lag(graph: NetGraph, layer: Layer, connection: Connection, source: str) -> int:
    """How many steps old the spikes of ``source`` are that ``layer`` reads in a pipeline."""
    return connection.synapse.delay + graph.delay(layer, connection, source)


def delays(synapse: Synapse) -> tuple[int, ...]:
    """The delays that are part of what a synapse computes, ascending from 0; (0,) for most.

    Example:
        >>> delays(DelayDense(np.ones((2, 2)), [[3, 1]]))
        (0, 1, 3)
    """
    return tuple(np.union1d([0], synapse.delays).tolist()) if isinstance(synapse, DelayDense) else (0,)
