"""Event lists: where a layer's spikes are written down, site by site.

A list in ``work`` is, for ``size`` neurons at ``sites`` sites: where each site's events begin and the last one's end
(sites + 1 numbers), the neurons that fired (size), what they sent (size), and what all neurons sent, in bytes. Its
slot says how many there are. Hardly a branch of the search depends on where the spikes are, which no processor could
foresee.

At high activity every reader of a layer, or of the input, takes a dense path, which looks at the bytes alone: what was
so active in the step before (:data:`MANY`) then writes nothing else, and who does need its list makes it
(:func:`make_list`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from .sent_bytes import copy_bytes, spread_bytes, sum_bytes
from .simd import I1, I32, I64, WIDTH, at, constant, has, inner, intrinsic, load, pointer_to, spread, store

MANY = 0.25
"""From this share of non-zero values on, no list is written where all readers can do without. (Lower than where they
begin to: a list made on demand costs hardly more, one that nobody reads 5 to 7 % of VGG16's time.)"""
BEYOND = 64
"""So many elements after a stretch of neurons are read, and ignored, when their spikes are collected."""


class EventList(NamedTuple):
    """A list in ``work``: event e < count is neuron work[first + e], its value work[first + size + e].

    The events of site s begin with number work[offsets + s]. The lowest bytes of all values, zeros included, lie side
    by side from element first + 2 * size of work on: the values themselves if they are in 0 .. 255.
    """

    offsets: Any
    first: Any
    size: Any
    channels: Any
    count: Any
    max: Any  # of the values
    min: Any
    listed: Any  # whether there is more than the bytes
    scratch: Any  # place in work for the values of a site


@inner
def event_list(place: int, sites: int, channels: int, slot: Any, scratch: int) -> EventList:
    """The list at work[place], as its slot describes it now."""
    first, size = place + sites + 1, sites * channels
    return EventList(place, first, size, channels, slot.count, slot.max, slot.min, slot.listed, scratch)


def length(sites: int, size: int) -> int:
    """Elements of ``work`` that a list needs.

    Example:
        >>> length(sites=4, size=12)
        48
    """
    return sites + 1 + 2 * size + (size + 3) // 4 + BEYOND // 4


@intrinsic
def nonzero_mask(typingctx: Any, array: Any, start: Any) -> Any:
    """Bit k is set where element start + k of an int32 array is not zero, for 64 elements, as uint64."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        pointer = pointer_to(context, builder, sig.args[0], *args)
        mask = I64(0)
        for k in range(0, 64, WIDTH):
            values = load(builder, builder.gep(pointer, [I64(k)]), WIDTH)
            bits = builder.icmp_signed("!=", values, constant(values.type, 0))
            part = builder.zext(builder.bitcast(bits, ir.IntType(WIDTH)), I64)
            mask = builder.or_(mask, builder.shl(part, I64(k)))
        return mask

    return types.uint64(array, types.int64), codegen


def append_bits(most: int) -> Any:
    """``append(work, mask, number, values, indices_to, values_to)``: the first ``most`` bits that are set in a mask.

    For the k-th bit b: work[indices_to + k] = number + b and work[values_to + k] = work[values + b]. If there are fewer
    bits, the rest is nonsense: b is 64 then. No branch depends on the mask. Returns what is left of it.
    """

    @intrinsic
    def append(typingctx: Any, work: Any, mask: Any, number: Any, values: Any, indices_to: Any, values_to: Any) -> Any:
        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            array, mask, number, *offsets = args
            begin, indices, copies = (pointer_to(context, builder, sig.args[0], array, offset) for offset in offsets)
            for k in range(most):
                bit = builder.cttz(mask, I1(0))
                value = builder.load(builder.gep(begin, [bit]))
                builder.store(builder.trunc(builder.add(number, bit), I32), builder.gep(indices, [I64(k)]))
                builder.store(value, builder.gep(copies, [I64(k)]))
                mask = builder.and_(mask, builder.sub(mask, I64(1)))
            return mask

        long = types.int64
        return types.uint64(work, types.uint64, long, long, long, long), codegen

    return append


@intrinsic
def bits_set(typingctx: Any, mask: Any) -> Any:
    """How many bits are set in a uint64."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return types.int64(types.uint64), codegen


@intrinsic
def can_compress(typingctx: Any) -> Any:
    """Whether the processor moves the chosen lanes of a vector to its begin (AVX-512); decided at compile time."""
    able = has("avx512f")
    return types.boolean(), lambda context, builder, sig, args: I1(able)


@intrinsic
def append_all(typingctx: Any, work: Any, mask: Any, number: Any, values: Any, indices_to: Any, values_to: Any) -> Any:
    """What :func:`append_bits` does, for all bits; up to :data:`WIDTH` elements after the last one become nonsense."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        array, mask, number, *offsets = args
        begin, indices, copies = (pointer_to(context, builder, sig.args[0], array, offset) for offset in offsets)
        vector, bits = ir.VectorType(I32, WIDTH), ir.VectorType(I1, WIDTH)
        kind = ir.FunctionType(vector, (vector, vector, bits))
        compress = cgutils.get_or_insert_function(builder.module, kind, f"llvm.x86.avx512.mask.compress.v{WIDTH}i32")
        count, nothing = I64(0), constant(vector, 0)
        for k in range(0, 64, WIDTH):
            part = builder.trunc(builder.lshr(mask, I64(k)), ir.IntType(WIDTH))
            chosen = builder.bitcast(part, bits)
            ramp = ir.Constant(vector, list(range(k, k + WIDTH)))
            places = builder.add(spread(builder, builder.trunc(number, I32), WIDTH), ramp)
            found = load(builder, builder.gep(begin, [I64(k)]), WIDTH)
            for lanes, to in ((places, indices), (found, copies)):
                store(builder, builder.call(compress, (lanes, nothing, chosen)), builder.gep(to, [count]))
            count = builder.add(count, builder.zext(builder.ctpop(part), I64))
        return context.get_dummy_value()

    long = types.int64
    return types.void(work, types.uint64, long, long, long, long), codegen


AT_ONCE = 8
"""Events written without a look at how many there are: at 10 % activity there are six in 64 neurons."""
_append_some, _append_one = append_bits(AT_ONCE), append_bits(1)


@inner
def clear(slot: Any) -> None:
    """An empty event list."""
    slot.count = slot.max = slot.min = slot.sum = 0
    slot.listed = 1


@inner
def begin(node: Any, slot: Any) -> None:
    """An empty event list of a node, to be written or, where the bytes will do, to be left out."""
    clear(slot)
    slot.listed = not (node.bytes_suffice and slot.before >= MANY * node.size)


@inner
def collect(work: Any, values: int, events: EventList, slot: Any, first_site: int, sites: int) -> None:
    """Append the non-zero ones of the values of ``sites`` sites, which begin at work[values], to a list and its slot.

    Sites must come in order, into a cleared slot; after the last one the list's end is written and it is summed up.
    :data:`BEYOND` elements after those of the last site are read, too.
    """
    channels, size, offsets, first = events.channels, events.size, events.offsets + first_site, events.first
    count, listed = slot.count, slot.listed
    for i in range(0, sites * channels, 64):
        copy_bytes(work, values + i, first + 2 * size, first_site * channels + i)
    for site in range(sites if listed else 0):
        work[offsets + site] = count
        here, neuron = values + site * channels, (first_site + site) * channels
        for c in range(0, channels, 64):
            count = _append(work, here + c, channels - c, events, neuron + c, count)
    slot.count = count
    if offsets + sites + 1 == first:
        if listed:
            work[offsets + sites] = count
            _sum_up(work, first + size, slot)
        else:
            slot.count, slot.max, slot.min, slot.sum = sum_bytes(work, first + 2 * size, size)
        slot.before = slot.count


@inner
def make_list(work: Any, events: EventList) -> None:
    """The list of which only the bytes were written; nothing if it is there."""
    if events.listed:
        return
    channels, offsets, count = events.channels, events.offsets, 0
    for site in range(events.size // channels):
        work[offsets + site] = count
        for c in range(0, channels, 64):
            neuron = site * channels + c
            spread_bytes(work, events.scratch, events.first + 2 * events.size, neuron)
            count = _append(work, events.scratch, channels - c, events, neuron, count)
    work[events.first - 1] = count


@inner
def _append(work: Any, here: int, n: int, events: EventList, neuron: int, count: int) -> int:
    """Append the non-zero ones of the first n, at most 64, values at work[here], of neurons from ``neuron`` on.

    Returns how many events there are then.
    """
    first, size, mask = events.first, events.size, _mask(work, here, n)
    last = count + bits_set(mask)
    if can_compress() and last + WIDTH <= size:
        append_all(work, mask, neuron, here, first + count, first + count + size)
        return last
    while count < last:
        to = first + count
        if count + AT_ONCE <= size:
            mask = _append_some(work, mask, neuron, here, to, to + size)
            count = min(count + AT_ONCE, last)
        else:
            mask = _append_one(work, mask, neuron, here, to, to + size)
            count += 1
    return count


@inner
def _sum_up(work: Any, first: int, slot: Any) -> None:
    """What a slot tells of the values of its list, which begin at work[first]."""
    if slot.count == 0:
        clear(slot)
        return
    total, largest, smallest = 0, -(2**31), 2**31
    for e in range(first, first + slot.count):
        value = at(work, e)
        total += abs(value)
        largest, smallest = max(largest, value), min(smallest, value)
    slot.sum, slot.max, slot.min = total, largest, smallest


@inner
def _mask(work: Any, start: int, n: int) -> Any:
    """Bits of the non-zero ones among the first n, at most 64, values."""
    mask = nonzero_mask(work, start)
    return mask if n >= 64 else mask & np.uint64((1 << n) - 1)
