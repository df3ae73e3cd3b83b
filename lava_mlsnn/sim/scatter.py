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

from .layout import ONE_TO_ONE, ROWS
from .program import Link, Slot
from .simd import add_rows, inlined, inner

INT24_MAX = 2**23 - 1
INT32_MAX = 2**31 - 1
SMALL = 31
"""Largest event of which eight fit a 16-bit sum of products with 8-bit weights: 8 * 31 * 128 < 2**15."""

_ones = {group: add_rows(group, 8) for group in (1, 2, 4, 8)}
_small = {group: add_rows(group, 16) for group in (1, 2, 4, 8)}
_large = {group: add_rows(group, 32) for group in (1, 4)}
_one1, _one2, _one4, _one8 = (_ones[group] for group in (1, 2, 4, 8))
_small1, _small2, _small4, _small8 = (_small[group] for group in (1, 2, 4, 8))
_large1, _large4 = (_large[group] for group in (1, 4))


@inner
def _add_ones(acc: Any, a: int, weights: Any, start: int, row: int, n: int, work: Any, j: int, end: int) -> None:
    """Rows of the events j .. end of a list, all of value one, in groups of eight and what is left."""
    while j + 8 <= end:
        rows = (
            start + work[j] * row,
            start + work[j + 1] * row,
            start + work[j + 2] * row,
            start + work[j + 3] * row,
            start + work[j + 4] * row,
            start + work[j + 5] * row,
            start + work[j + 6] * row,
            start + work[j + 7] * row,
        )
        _one8(acc, a, weights, rows, _NONE8, n)
        j += 8
    if end - j >= 4:
        rows4 = start + work[j] * row, start + work[j + 1] * row, start + work[j + 2] * row, start + work[j + 3] * row
        _one4(acc, a, weights, rows4, _NONE4, n)
        j += 4
    if end - j >= 2:
        _one2(acc, a, weights, (start + work[j] * row, start + work[j + 1] * row), _NONE2, n)
        j += 2
    if j < end:
        _one1(acc, a, weights, (start + work[j] * row,), _NONE1, n)


_NONE1, _NONE2, _NONE4, _NONE8 = ((np.int32(0),) * group for group in (1, 2, 4, 8))


@inner
def _add_small(
    acc: Any, a: int, weights: Any, start: int, row: int, n: int, work: Any, j: int, end: int, values: int
) -> None:
    """The same for events of at most SMALL; the value of event j is work[j + values]."""
    while j + 8 <= end:
        rows = (
            start + work[j] * row,
            start + work[j + 1] * row,
            start + work[j + 2] * row,
            start + work[j + 3] * row,
            start + work[j + 4] * row,
            start + work[j + 5] * row,
            start + work[j + 6] * row,
            start + work[j + 7] * row,
        )
        v = j + values
        factors = work[v], work[v + 1], work[v + 2], work[v + 3], work[v + 4], work[v + 5], work[v + 6], work[v + 7]
        _small8(acc, a, weights, rows, factors, n)
        j += 8
    v = j + values
    if end - j >= 4:
        rows4 = start + work[j] * row, start + work[j + 1] * row, start + work[j + 2] * row, start + work[j + 3] * row
        _small4(acc, a, weights, rows4, (work[v], work[v + 1], work[v + 2], work[v + 3]), n)
        j += 4
        v += 4
    if end - j >= 2:
        _small2(acc, a, weights, (start + work[j] * row, start + work[j + 1] * row), (work[v], work[v + 1]), n)
        j += 2
        v += 2
    if j < end:
        _small1(acc, a, weights, (start + work[j] * row,), (work[v],), n)


@inner
def _add_large(
    acc: Any, a: int, weights: Any, start: int, row: int, n: int, work: Any, j: int, end: int, values: int
) -> None:
    """The same for events of any size whose sums fit 32 bits."""
    while j + 4 <= end:
        v = j + values
        rows = start + work[j] * row, start + work[j + 1] * row, start + work[j + 2] * row, start + work[j + 3] * row
        _large4(acc, a, weights, rows, (work[v], work[v + 1], work[v + 2], work[v + 3]), n)
        j += 4
    while j < end:
        _large1(acc, a, weights, (start + work[j] * row,), (work[j + values],), n)
        j += 1


@inlined
def _rows(
    weights: Any, constants: Any, link: Any, acc: Any, target: int, work: Any, events: int, slot: Any, size: int
) -> None:
    """Conv with one group, or dense: all output channels of a tap are neighbours."""
    channels, height, width = link[Link.CHANNELS], link[Link.HEIGHT], link[Link.WIDTH]
    row, features = link[Link.ROW], link[Link.OUT_CHANNELS]
    largest = max(slot[Slot.MAX], -slot[Slot.MIN])
    ones = slot[Slot.MAX] == 1 and slot[Slot.MIN] == 1
    if link[Link.FLAT]:
        height, width = 1, 1
    sites = link[Link.HEIGHT] * link[Link.WIDTH]
    first = events + sites + 1
    rows_first, rows_tap, rows_out = link[Link.ROWS_FIRST], link[Link.ROWS_TAP], link[Link.ROWS_OUT]
    columns_first, columns_tap = link[Link.COLUMNS_FIRST], link[Link.COLUMNS_TAP]
    columns_length, columns_out = link[Link.COLUMNS_LENGTH], link[Link.COLUMNS_OUT]
    for y in range(height):
        for x in range(width):
            site = y * width + x
            j, end = work[events + site], work[events + site + 1]
            if link[Link.FLAT]:
                j, end = 0, slot[Slot.COUNT]
            if j == end:
                continue
            origin = link[Link.WEIGHT] - site * channels * row
            for r in range(constants[rows_first + y], constants[rows_first + y + 1]):
                tap_row = constants[rows_tap + r] * link[Link.KERNEL_WIDTH]
                out_row = constants[rows_out + r] * link[Link.OUT_WIDTH]
                for c in range(constants[columns_first + x], constants[columns_first + x + 1]):
                    start = origin + (tap_row + constants[columns_tap + c]) * features
                    a = target + (out_row + constants[columns_out + c]) * features
                    n = constants[columns_length + c] * features
                    if ones:
                        _add_ones(acc, a, weights, start, row, n, work, first + j, first + end)
                    elif largest <= SMALL:
                        _add_small(acc, a, weights, start, row, n, work, first + j, first + end, size)
                    else:
                        _add_large(acc, a, weights, start, row, n, work, first + j, first + end, size)


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
        work, wide_work: of the worker; currents lie at ``current``, the scratch accumulator at ``scratch``.
        events, slot: where the list lies in ``work`` and what is known of it.
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
    if link[Link.KERNEL] == ROWS:
        _rows(weights, constants, link, work, target, work, events, slot, size)
    elif link[Link.KERNEL] == ONE_TO_ONE:
        _one_to_one(weights, link, work, target, work, events, slot, size)
    else:
        _any(weights, constants, link, work, target, work, events, slot, size)
    if direct:
        return 0
    return _settle(work, scratch, work, current, out_size, exponent, bits)
