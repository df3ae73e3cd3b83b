"""The kernel of convolutions and dense synapses: rows of weights, summed in registers.

All output channels of a tap are neighbours in memory, and so are taps that fall on neighbouring output sites.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from .event_lists import EventList
from .scatter import scatters
from .simd import I32, I64, WIDTH, at, constant, in_pieces, inner, intrinsic, like, load, pointer_to, spread, store

MOST = 255
"""So large a sum of absolute events fits a 16-bit sum of products with 8-bit weights: 255 * 128 < 2**15."""
SMALL = 31
"""Largest event for which products are summed in 16 bits: at least eight at once."""
AT_ONCE = 32
"""Events summed in registers: so many rows of weights can be fetched side by side, more wear out the prefetcher."""
BLOCKS = 6, 4, 2, 1
"""Vectors that are summed over all events side by side: six are a row of three taps of 64 channels in 16 bits."""


def add_events(product_bits: int) -> Any:
    """``add(acc, a, weights, start, shape, work, events)``: add a row of weights for every event.

    With ``shape`` = (row, n) and ``events`` = (j, end, size), for every e in j .. end - 1:
    acc[a : a + n] += work[e + size] * weights[start + row * work[e] : ... + n].

    A block of columns is summed over all events in registers, in ``product_bits`` (16 or 32), before it touches the
    int32 accumulators; the caller sees to it that (end - j) * max|value| * 128 fits. ``product_bits`` 8 stands for
    values that are all one: no multiplication, sums in 16 bits.

    Rows lie far apart, in caches far away. While a block is summed, the next one of the same row is fetched.
    """
    ones, bits = product_bits == 8, max(product_bits, 16)
    kind = ir.IntType(bits)
    lanes = WIDTH * 32 // bits
    widths = *(vectors * lanes for vectors in BLOCKS), *([WIDTH] if lanes > WIDTH else []), 1

    @intrinsic
    def add(typingctx: Any, acc: Any, a: Any, weights: Any, start: Any, shape: Any, work: Any, events: Any) -> Any:
        long = types.int64
        signature = types.void(acc, long, weights, long, types.UniTuple(long, 2), work, types.UniTuple(long, 3))

        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            acc_array, a, weight_array, start, pair, work_array, triple = args
            row, n = (builder.extract_value(pair, k) for k in range(2))
            first, end, values = (builder.extract_value(triple, k) for k in range(3))
            target = pointer_to(context, builder, sig.args[0], acc_array, a)
            base = pointer_to(context, builder, sig.args[2], weight_array, start)
            events = pointer_to(context, builder, sig.args[5], work_array, I64(0))

            def emit(i: ir.Value, width: int) -> None:
                size = min(width, lanes)
                pieces = range(0, width, size)
                shape = ir.VectorType(kind, size) if size > 1 else kind
                sums = [cgutils.alloca_once(builder, shape) for _ in pieces]
                for total in sums:
                    builder.store(constant(shape, 0), total)
                here = builder.gep(base, [i])
                with cgutils.for_range_slice(builder, first, end, I64(1), intp=I64) as (e, _):
                    index = builder.sext(builder.load(builder.gep(events, [e])), I64)
                    source = builder.gep(here, [builder.mul(index, row)])
                    if width > WIDTH:
                        for ahead in range(0, width, 64):
                            prefetch(builder, builder.gep(source, [I64(width + ahead)]))
                    if not ones:
                        factor = builder.load(builder.gep(events, [builder.add(e, values)]))
                        factor = spread(builder, builder.trunc(factor, kind) if bits < 32 else factor, size)
                    for piece, total in zip(pieces, sums, strict=True):
                        weight = load(builder, builder.gep(source, [I64(piece)]), size)
                        weight = builder.sext(weight, shape)
                        if not ones:
                            weight = builder.mul(weight, factor)
                        builder.store(builder.add(builder.load(total), weight), total)
                for piece, total in zip(pieces, sums, strict=True):
                    place = builder.gep(target, [builder.add(i, I64(piece))])
                    wide = builder.load(total)
                    wide = builder.sext(wide, like(I32, shape)) if bits < 32 else wide
                    store(builder, builder.add(load(builder, place, size), wide), place)

            in_pieces(builder, n, widths, emit)
            return context.get_dummy_value()

        return signature, codegen

    return add


def prefetch(builder: ir.IRBuilder, pointer: ir.Value) -> None:
    """Begin to bring a cache line near; any address will do, a wrong one is ignored."""
    kind = ir.FunctionType(ir.VoidType(), (pointer.type, I32, I32, I32))
    function = builder.module.declare_intrinsic("llvm.prefetch", (pointer.type,), kind)
    builder.call(function, (pointer, I32(0), I32(3), I32(1)))  # read, keep in all caches, data


ONES, PRODUCTS, WIDE_PRODUCTS = range(3)
_add_ones, _add_small, _add_large = add_events(8), add_events(16), add_events(32)


@inner
def effort(events: EventList) -> int:
    """What the events of a list ask for: nothing but sums (0), products in 16 bits (1), in 32 bits (2)."""
    if events.max == 1 and events.min == 1:
        return ONES
    return PRODUCTS if max(events.max, -events.min) <= SMALL else WIDE_PRODUCTS


@inner
def _part(n: int, most: int) -> int:
    """The first of as few parts of n as possible, none above ``most``, all of about one size."""
    parts = -(-n // most)
    return -(-n // parts)


@scatters
def rows(weights: Any, constants: Any, link: Any, acc: Any, target: int, work: Any, events: EventList) -> None:
    """Synapses of one group; see :data:`lava_mlsnn.sim.scatter.KERNELS` for the arguments."""
    flat, width, row, features = link.flat, link.width, link.row, link.out_channels
    out_stride, kernel_stride = link.out_width * features, link.kernel_width * features
    down, across = link.rows_tap_step * kernel_stride, link.columns_tap_step * features
    out_down, out_across = link.rows_out_step * out_stride, link.columns_out_step * features
    offsets, first, size, weight = events.offsets, events.first, events.size, link.weight
    level, at_once = effort(events), AT_ONCE
    if level == PRODUCTS:
        at_once = min(AT_ONCE, MOST // max(events.max, -events.min))
    y, x = 0, -1
    for site in range(1 if flat else link.height * width):
        x += 1
        if x == width:
            y, x = y + 1, 0
        j, last = first, first + events.count
        if not flat:
            j, last = first + at(work, offsets + site), first + at(work, offsets + site + 1)
        origin = weight - site * events.channels * row
        origin += at(constants, link.rows_tap + y) * kernel_stride + at(constants, link.columns_tap + x) * features
        corner = target + at(constants, link.rows_out + y) * out_stride + at(constants, link.columns_out + x) * features
        shape = row, at(constants, link.columns_length + x) * features
        while j < last:
            end = last if last - j <= at_once else j + _part(last - j, at_once)
            for r in range(at(constants, link.rows_count + y)):
                for c in range(at(constants, link.columns_count + x)):
                    start, a = origin + r * down + c * across, corner + r * out_down + c * out_across
                    some = j, end, size
                    if level == ONES:
                        _add_ones(acc, a, weights, start, shape, work, some)
                    elif level == PRODUCTS:
                        _add_small(acc, a, weights, start, shape, work, some)
                    else:
                        _add_large(acc, a, weights, start, shape, work, some)
            j = end
