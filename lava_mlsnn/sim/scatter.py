"""Event-driven synapses: every event adds the weights it meets to the accumulators of a layer.

Reference: :func:`lava_mlsnn.sim.reference.accumulate`. Sums are exact: from the largest event and the largest sum of
weights follows what an accumulator can reach, and that decides where it is kept:

- within 24 bits: straight in the layer's int32 currents, nothing to check;
- within 32 bits: in an int32 scratch, then shifted, counted where it leaves 24 bits, wrapped and added;
- beyond: in an int64 scratch, one event at a time.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .dense import EXACT, convolve
from .layout import ONE_TO_ONE, ROWS
from .rows import add_events
from .simd import at, inlined, inner
from .tables import Link, Slot

INT24_MAX = 2**23 - 1
INT32_MAX = 2**31 - 1
MOST = 255
"""So large a sum of absolute events fits a 16-bit sum of products with 8-bit weights: 255 * 128 < 2**15."""
SMALL = 31
"""Largest event for which products are summed in 16 bits: at least eight at once."""
AT_ONCE = 32
"""Events summed in registers: so many rows of weights can be fetched side by side, more wear out the prefetcher."""

ONES, PRODUCTS, WIDE_PRODUCTS = range(3)
DENSE_FROM = (0.9, 0.8, 0.45, 256.0)
"""From which density of the input, by effort, and from how many output sites on the dense path is faster: its weights
are loaded once per few outputs (benchmarks/engine.py measures both)."""

_add_ones, _add_small, _add_large = add_events(8), add_events(16), add_events(32)


@inner
def _effort(slot: Any) -> int:
    """What the events of a list ask for: nothing but sums, products in 16 bits, in 32 bits."""
    if slot[Slot.MAX] == 1 and slot[Slot.MIN] == 1:
        return ONES
    return PRODUCTS if max(slot[Slot.MAX], -slot[Slot.MIN]) <= SMALL else WIDE_PRODUCTS


@inner
def _part(n: int, most: int) -> int:
    """The first of as few parts of n as possible, none above ``most``, all of about one size."""
    parts = -(-n // most)
    return -(-n // parts)


@inlined
def _rows(
    weights: Any, constants: Any, link: Any, acc: Any, target: int, work: Any, events: int, slot: Any, size: int
) -> None:
    """Conv with one group, or dense: all output channels of a tap are neighbours."""
    flat, width, sites = link[Link.FLAT], link[Link.WIDTH], link[Link.HEIGHT] * link[Link.WIDTH]
    row, features, weight = link[Link.ROW], link[Link.OUT_CHANNELS], link[Link.WEIGHT]
    out_stride, kernel_stride = link[Link.OUT_WIDTH] * features, link[Link.KERNEL_WIDTH] * features
    row_of_site = link[Link.CHANNELS] * row
    rows_first, rows_tap, rows_out = link[Link.ROWS_FIRST], link[Link.ROWS_TAP], link[Link.ROWS_OUT]
    columns_first, columns_tap = link[Link.COLUMNS_FIRST], link[Link.COLUMNS_TAP]
    columns_length, columns_out = link[Link.COLUMNS_LENGTH], link[Link.COLUMNS_OUT]
    first, count = events + sites + 1, slot[Slot.COUNT]
    effort, at_once = _effort(slot), AT_ONCE
    if effort == PRODUCTS:
        at_once = min(AT_ONCE, MOST // max(slot[Slot.MAX], -slot[Slot.MIN]))
    y, x = 0, -1
    for site in range(1 if flat else sites):
        x += 1
        if x == width:
            y, x = y + 1, 0
        j, last = first, first + count
        if not flat:
            j, last = first + at(work, events + site), first + at(work, events + site + 1)
        origin = weight - site * row_of_site
        while j < last:
            end = last if last - j <= at_once else j + _part(last - j, at_once)
            for r in range(at(constants, rows_first + y), at(constants, rows_first + y + 1)):
                tap_row, out_row = at(constants, rows_tap + r) * kernel_stride, at(constants, rows_out + r) * out_stride
                for c in range(at(constants, columns_first + x), at(constants, columns_first + x + 1)):
                    start = origin + tap_row + at(constants, columns_tap + c) * features
                    a = target + out_row + at(constants, columns_out + c) * features
                    n = at(constants, columns_length + c) * features
                    if effort == ONES:
                        _add_ones(acc, a, weights, start, row, work, j, end, size, n)
                    elif effort == PRODUCTS:
                        _add_small(acc, a, weights, start, row, work, j, end, size, n)
                    else:
                        _add_large(acc, a, weights, start, row, work, j, end, size, n)
            j = end


@inner
def _any(
    weights: Any, constants: Any, link: Any, acc: Any, target: int, work: Any, events: int, slot: Any, size: int
) -> None:
    """Any synapse, one event and tap at a time: grouped kernels, pools, and all that needs wide weights or sums."""
    channels, height, width = link[Link.CHANNELS], link[Link.HEIGHT], link[Link.WIDTH]
    row, features, own = link[Link.ROW], link[Link.OUT_CHANNELS], link[Link.OUT_GROUP]
    first = events + height * width + 1
    if link[Link.FLAT]:
        channels, height, width = size, 1, 1
    for y in range(height):
        for x in range(width):
            site = y * width + x
            j, end = work[events + site], work[events + site + 1]
            if link[Link.FLAT]:
                j, end = 0, slot[Slot.COUNT]
            for e in range(first + j, first + end):
                channel, value = work[e] - site * channels, np.int64(work[e + size])
                group = channel // link[Link.IN_GROUP]
                for r in range(constants[link[Link.ROWS_FIRST] + y], constants[link[Link.ROWS_FIRST] + y + 1]):
                    tap_row = constants[link[Link.ROWS_TAP] + r] * link[Link.KERNEL_WIDTH]
                    out_row = constants[link[Link.ROWS_OUT] + r] * link[Link.OUT_WIDTH]
                    for c in range(
                        constants[link[Link.COLUMNS_FIRST] + x], constants[link[Link.COLUMNS_FIRST] + x + 1]
                    ):
                        tap, out = constants[link[Link.COLUMNS_TAP] + c], constants[link[Link.COLUMNS_OUT] + c]
                        w = link[Link.WEIGHT] + channel * row + (tap_row + tap) * own
                        a = target + (out_row + out) * features + group * own
                        for i in range(constants[link[Link.COLUMNS_LENGTH] + c] * own):
                            acc[a + i] += value * weights[w + i]


@inner
def _one_to_one(weights: Any, link: Any, acc: Any, target: int, work: Any, events: int, slot: Any, size: int) -> None:
    """Identity and injection."""
    channels = link[Link.CHANNELS]
    first = events + link[Link.HEIGHT] * link[Link.WIDTH] + 1
    for e in range(first, first + slot[Slot.COUNT]):
        i = work[e]
        acc[target + i] += np.int64(work[e + size]) * weights[link[Link.WEIGHT] + i % channels]


@inner
def _settle(acc: Any, start: int, current: Any, target: int, n: int, exponent: int, bits: int) -> int:
    """Move accumulators into the currents, shifted and wrapped; returns how many left 24 bits."""
    left = 0
    for i in range(n):
        x = np.int64(acc[start + i]) << exponent
        acc[start + i] = 0
        if x > INT24_MAX or x < -INT24_MAX - 1:
            left += 1
        if bits == 24:
            x = ((x + INT24_MAX + 1) & (2 * INT24_MAX + 1)) - INT24_MAX - 1
        current[target + i] = np.int32(np.int64(current[target + i]) + x)
    return left


@inlined
def transmit(
    weights: Any,
    wide_weights: Any,
    constants: Any,
    link: Any,
    bound: float,
    work: Any,
    wide_work: Any,
    image: Any,
    dense_from: Any,
    current: int,
    scratch: int,
    events: int,
    slot: Any,
    size: int,
    out_size: int,
) -> int:
    """Add the current of one synapse, for the event list at ``events``; returns how many sums left 24 bits.

    Args:
        weights, wide_weights, constants, link, bound: of the program.
        work, wide_work, image: of the worker; currents lie at ``current``, the scratch accumulator at ``scratch``.
        events, slot: where the list lies in ``work`` and what is known of it.
        dense_from: when to take the dense path, see :data:`DENSE_FROM`.
        size, out_size: neurons of the source and of the layer.
    """
    if slot[Slot.COUNT] == 0:
        return 0
    reach = bound * max(slot[Slot.MAX], -slot[Slot.MIN])
    exponent, bits = link[Link.EXPONENT], link[Link.BITS]
    if link[Link.WIDE] or reach > INT32_MAX:
        if link[Link.WIDE]:
            _any(wide_weights, constants, link, wide_work, 0, work, events, slot, size)
        else:
            _any(weights, constants, link, wide_work, 0, work, events, slot, size)
        return _settle(wide_work, 0, work, current, out_size, exponent, bits)
    direct = exponent == 0 and reach <= INT24_MAX
    target = current if direct else scratch
    outputs = link[Link.OUT_HEIGHT] * link[Link.OUT_WIDTH]
    full = outputs >= dense_from[3] and slot[Slot.COUNT] >= dense_from[_effort(slot)] * size
    if link[Link.DENSE] and full and reach <= EXACT:
        convolve(weights, constants, link, work, target, work, events, slot, size, image)
    elif link[Link.KERNEL] == ROWS:
        _rows(weights, constants, link, work, target, work, events, slot, size)
    elif link[Link.KERNEL] == ONE_TO_ONE:
        _one_to_one(weights, link, work, target, work, events, slot, size)
    else:
        _any(weights, constants, link, work, target, work, events, slot, size)
    if direct:
        return 0
    return _settle(work, scratch, work, current, out_size, exponent, bits)
