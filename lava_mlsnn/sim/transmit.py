"""What one synapse does in one timestep: it chooses kernel and accumulator, and gives currents.

Reference: the synapses' own ``accumulate``. Sums are exact: from the largest event and the largest sum of weights
follows what an accumulator can reach, and that decides where it is kept:

- within 24 bits: straight in the layer's int32 currents, nothing to check;
- within 32 bits: in an int32 scratch, then shifted, counted where it leaves 24 bits, wrapped and added;
- beyond: in an int64 scratch, one event at a time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .convolve import EXACT, convolve
from .dot import convolve_bytes, instruction
from .event_lists import EventList
from .records import Memory, Tables
from .rows import effort
from .scatter import each_tap, scatter
from .simd import inlined, inner

INT24_MAX = 2**23 - 1
INT32_MAX = 2**31 - 1

DENSE_FROM = (0.9, 0.8, 0.45, 256.0)
"""From which density of the input, by :func:`~lava_mlsnn.sim.rows.effort`, and from how many output sites on the dense
path in float32 is faster: its weights are loaded once per few outputs. For that in bytes the instruction says it.
(Measured with benchmarks/engine.py.)"""

PER_EVENT = 4
"""Input channels that the search for a site's events costs as much as; with a stride, so many for each output."""

LARGE = 2**20
"""From so many on, a second cache does not hold the weights of a layer: each event fetches its own from afar."""

SOONER = 0.8
"""Part of that density from which a dense path is faster where weights are so many, or where outputs have a stride: an
event then meets only few weights side by side. (With 2.4 MB of weights both are even at a density of 0.34 on a core
that has the third cache to itself, at 0.2 where other cores use it, too.)"""

FLOATS, BYTES = range(2)


def dense_from() -> NDArray[np.float64]:
    """The thresholds of both dense paths, float64 (2, 4)."""
    chosen = instruction()
    return np.array([DENSE_FROM, DENSE_FROM if chosen is None else chosen.dense_from], np.float64)


@inner
def _settle(acc: Any, start: int, current: Any, target: int, n: int, link: Any) -> int:
    """Move n accumulators into the currents, shifted and wrapped; returns how many left 24 bits."""
    left, exponent, bits = 0, link.exponent, link.current_bits
    for i in range(n):
        x = np.int64(acc[start + i]) << exponent
        acc[start + i] = 0
        if x > INT24_MAX or x < -INT24_MAX - 1:
            left += 1
        if bits == 24:
            x = ((x + INT24_MAX + 1) & (2 * INT24_MAX + 1)) - INT24_MAX - 1
        current[target + i] = np.int32(np.int64(current[target + i]) + x)
    return left


@inner
def _is_full(link: Any, events: EventList, least: Any, path: int) -> bool:
    """Whether a dense path is faster than the events."""
    outputs, stride = link.out_height * link.out_width, link.stride_rows * link.stride_columns
    share = least[path, effort(events)] * link.channels / (link.channels + PER_EVENT * stride)
    if stride > 1 or link.channels * link.row > LARGE:
        share *= SOONER
    return outputs >= least[path, 3] and events.count >= share * events.size


@inlined
def transmit(tables: Tables, memory: Memory, link: Any, events: EventList, size: int) -> int:
    """Add the currents that a connection sends for an event list to those of a layer, which takes ``size`` of them.

    Returns how many of the sums left 24 bits.
    """
    control, work, constants = memory.control[0], memory.work, tables.constants
    if events.count == 0:
        return 0
    current = control.current
    reach = link.bound * max(events.max, -events.min)
    if link.wide or reach > INT32_MAX:
        if link.wide:
            each_tap(tables.wide_weights, constants, link, memory.wide, 0, work, events)
        else:
            each_tap(tables.weights, constants, link, memory.wide, 0, work, events)
        return _settle(memory.wide, 0, work, current, size, link)
    direct = link.exponent == 0 and reach <= INT24_MAX
    target = current if direct else control.scratch
    if events.min >= 0 and events.max <= link.most and _is_full(link, events, memory.dense_from, BYTES):
        convolve_bytes(tables.weights, constants, link, work, target, work, events, memory.bytes)
    elif link.dense and reach <= EXACT and _is_full(link, events, memory.dense_from, FLOATS):
        convolve(tables.weights, constants, link, work, target, work, events, memory.image)
    else:
        scatter(link.kernel, tables.weights, constants, link, work, target, work, events)
    if direct:
        return 0
    return _settle(work, target, work, current, size, link)
