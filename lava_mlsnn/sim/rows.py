"""The kernel of convolutions and dense synapses: rows of weights, summed in registers.

All output channels of a tap are neighbours in memory, and so are taps that fall on neighbouring output sites.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.core import cgutils

from .event_lists import EventList, make_list
from .scatter import scatters
from .simd import (
    I1,
    I8,
    I16,
    I32,
    I64,
    WIDTH,
    at,
    constant,
    has,
    in_pieces,
    inner,
    intrinsic,
    like,
    load,
    pointer_to,
    spread,
    store,
)

MOST = 255
"""So large a sum of absolute events fits a 16-bit sum of products with 8-bit weights: 255 * 128 < 2**15."""
SMALL = 31
"""Largest event for which products are summed in 16 bits: at least eight at once."""
AT_ONCE = 32
"""Events summed in registers: so many rows of weights can be fetched side by side, more wear out the prefetcher."""
BLOCKS = 6, 4, 2, 1
"""Vectors that are summed over all events side by side: six are a row of three taps of 64 channels in 16 bits."""
PAIR_BLOCKS = 3, 2, 1
"""The same in registers of bytes, each of which becomes two of sums."""
ALL_BYTES = 64
"""Bytes of the largest registers."""


class _Sweep(NamedTuple):
    """What :func:`adder` works on: target[i] += the sum over events e in first .. end - 1 of value times weight i."""

    builder: Any
    target: Any  # int32
    base: Any  # int8: the row of event number k begins at base[k * row]
    row: Any
    events: Any  # int32: the number of event e is events[e], its value events[e + values]
    first: Any
    end: Any
    values: Any

    def weights(self, e: ir.Value, i: ir.Value) -> ir.Value:
        b = self.builder
        index = b.sext(b.load(b.gep(self.events, [e])), I64)
        return b.gep(self.base, [b.add(b.mul(index, self.row), i)])

    def value(self, e: ir.Value) -> ir.Value:
        return self.builder.load(self.builder.gep(self.events, [self.builder.add(e, self.values)]))

    def zeros(self, shape: ir.Type, count: int) -> list[ir.Value]:
        sums = [cgutils.alloca_once(self.builder, shape) for _ in range(count)]
        for total in sums:
            self.builder.store(constant(shape, 0), total)
        return sums

    def add(self, total: ir.Value, i: ir.Value) -> None:
        """Add sums to the accumulators from number i on."""
        b = self.builder
        lanes = total.type.count if isinstance(total.type, ir.VectorType) else 1
        place, wide = b.gep(self.target, [i]), like(I32, total.type)
        store(b, b.add(load(b, place, lanes), total if total.type == wide else b.sext(total, wide)), place)


def _one_by_one(s: _Sweep, i: ir.Value, width: int, product_bits: int) -> None:
    """Columns i .. i + width - 1, one event after the other."""
    b, bits = s.builder, max(product_bits, 16)
    kind = ir.IntType(bits)
    size = min(width, WIDTH * 32 // bits)
    pieces, shape = range(0, width, size), ir.VectorType(kind, size) if size > 1 else kind
    sums = s.zeros(shape, len(pieces))
    with cgutils.for_range_slice(b, s.first, s.end, I64(1), intp=I64) as (e, _):
        source = s.weights(e, i)
        if width > WIDTH:
            for ahead in range(0, width, 64):
                prefetch(b, b.gep(source, [I64(width + ahead)]))
        if product_bits > 8:
            factor = s.value(e)
            factor = spread(b, b.trunc(factor, kind) if bits < 32 else factor, size)
        for piece, total in zip(pieces, sums, strict=True):
            weight = b.sext(load(b, b.gep(source, [I64(piece)]), size), shape)
            if product_bits > 8:
                weight = b.mul(weight, factor)
            b.store(b.add(b.load(total), weight), total)
    for piece, total in zip(pieces, sums, strict=True):
        s.add(b.load(total), b.add(i, I64(piece)))


def _two_by_two(s: _Sweep, i: ir.Value, width: int, chunk: int) -> None:
    """The same for values of 0 .. :data:`SMALL`, two events at a time: one instruction multiplies pairs of bytes and
    adds the two products. ``chunk`` is how many bytes a register has."""
    b, half = s.builder, chunk // 2
    one_byte, words, pieces = ir.VectorType(I8, chunk), ir.VectorType(I16, half), range(0, width, chunk)
    name = f"llvm.x86.{'avx512.pmaddubs.w.512' if chunk == ALL_BYTES else 'avx2.pmadd.ub.sw'}"
    multiply = cgutils.get_or_insert_function(b.module, ir.FunctionType(words, (one_byte, one_byte)), name)
    lanes = [range(start, start + 8) for start in range(0, chunk, 16)]  # registers are interleaved by 16 bytes
    mixed = [
        ir.Constant(ir.VectorType(I32, chunk), [k + of for lane in lanes for k in (*lane,) for of in (up, chunk + up)])
        for up in (0, 8)
    ]
    sums = [s.zeros(words, 2) for _ in pieces]
    with cgutils.for_range_slice(b, s.first, s.end, I64(2), intp=I64) as (e, _):
        following = b.add(e, I64(1))
        there = b.icmp_signed("<", following, s.end)
        following = b.select(there, following, e)
        second = b.select(there, s.value(following), I32(0))
        factor = b.trunc(b.or_(s.value(e), b.shl(second, I32(8))), I16)
        factors = b.bitcast(spread(b, factor, half), one_byte)
        sources = [s.weights(event, i) for event in (e, following)]
        for source in sources:
            for piece in pieces:
                prefetch(b, b.gep(source, [I64(width + piece)]))
        for piece, pair in zip(pieces, sums, strict=True):
            weights = [load(b, b.gep(source, [I64(piece)]), chunk) for source in sources]
            for total, mask in zip(pair, mixed, strict=True):
                products = b.call(multiply, (factors, b.shuffle_vector(*weights, mask)))
                b.store(b.add(b.load(total), products), total)
    for piece, pair in zip(pieces, sums, strict=True):
        totals = [b.load(total) for total in pair]
        for k in range(0, chunk, WIDTH):  # 8 sums of the first and 8 of the second make 16 neighbours
            order = [k // 2 + n + of for of in (0, half) for n in range(8)]
            some = b.shuffle_vector(*totals, ir.Constant(ir.VectorType(I32, WIDTH), order))
            s.add(some, b.add(i, I64(piece + k)))


def adder(product_bits: int, pairs: bool = False) -> Any:
    """``add(acc, a, weights, start, shape, work, events)``: add a row of weights for every event.

    With ``shape`` = (row, n) and ``events`` = (j, end, size), for every e in j .. end - 1:
    acc[a : a + n] += work[e + size] * weights[start + row * work[e] : ... + n].

    A block of columns is summed over all events in registers, in ``product_bits`` (16 or 32), before it touches the
    int32 accumulators; the caller sees to it that (end - j) * max|value| * 128 fits. ``product_bits`` 8 stands for
    values that are all one: no multiplication, sums in 16 bits.

    With ``pairs`` values are 0 .. :data:`SMALL`, and two events are added at a time; where :func:`takes_pairs`.

    Rows lie far apart, in caches far away. While a block is summed, the next one of the same row is fetched.
    """

    @intrinsic
    def add(typingctx: Any, acc: Any, a: Any, weights: Any, start: Any, shape: Any, work: Any, events: Any) -> Any:
        long = types.int64
        signature = types.void(acc, long, weights, long, types.UniTuple(long, 2), work, types.UniTuple(long, 3))

        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            row, n = (builder.extract_value(args[4], k) for k in range(2))
            first, end, values = (builder.extract_value(args[6], k) for k in range(3))
            target, base, numbers = (
                pointer_to(context, builder, sig.args[k], args[k], args[k + 1] if k < 5 else I64(0)) for k in (0, 2, 5)
            )
            sweep = _Sweep(builder, target, base, row, numbers, first, end, values)
            chunk = _bytes_in_pairs() if pairs else 0
            if pairs and not chunk:  # never reached
                return context.get_dummy_value()
            lanes = WIDTH * 32 // max(product_bits, 16)
            blocks = [chunk * count for count in PAIR_BLOCKS] if chunk else [lanes * count for count in BLOCKS]

            def emit(i: ir.Value, width: int) -> None:
                if width in blocks and chunk:
                    _two_by_two(sweep, i, width, chunk)
                else:
                    _one_by_one(sweep, i, width, product_bits)

            in_pieces(builder, n, (*blocks, *([WIDTH] if blocks[-1] > WIDTH else []), 1), emit)
            return context.get_dummy_value()

        return signature, codegen

    return add


def _bytes_in_pairs() -> int:
    """Bytes of the registers that :func:`_two_by_two` can use on the processor that numba compiles for, 0 for none."""
    return ALL_BYTES if has("avx512bw") else ALL_BYTES // 2 if has("avx2") else 0


@intrinsic
def takes_pairs(typingctx: Any) -> Any:
    """Whether products of two unsigned events at a time are at hand; decided at compile time."""
    able = bool(_bytes_in_pairs())
    return types.boolean(), lambda context, builder, sig, args: I1(able)


def prefetch(builder: ir.IRBuilder, pointer: ir.Value, locality: int = 3) -> None:
    """Begin to bring a cache line near; any address will do, a wrong one is ignored.

    Args:
        locality: 3 for the first cache, 2 for the second.
    """
    kind = ir.FunctionType(ir.VoidType(), (pointer.type, I32, I32, I32))
    function = builder.module.declare_intrinsic("llvm.prefetch", (pointer.type,), kind)
    builder.call(function, (pointer, I32(0), I32(locality), I32(1)))  # read, data


ONES, PRODUCTS, WIDE_PRODUCTS = range(3)
_add_ones, _add_pairs, _add_small, _add_large = adder(8), adder(16, pairs=True), adder(16), adder(32)


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
    make_list(work, events)
    flat, width, row, features = link.flat, link.width, link.row, link.out_channels
    out_stride, kernel_stride = link.out_width * features, link.kernel_width * features
    down, across = link.rows_tap_step * kernel_stride, link.columns_tap_step * features
    out_down, out_across = link.rows_out_step * out_stride, link.columns_out_step * features
    offsets, first, size, weight = events.offsets, events.first, events.size, link.weight
    level, at_once = effort(events), AT_ONCE
    if level == PRODUCTS:
        at_once = min(AT_ONCE, MOST // max(events.max, -events.min))
    pairs = level == PRODUCTS and takes_pairs() and events.min >= 0
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
                    elif pairs:
                        _add_pairs(acc, a, weights, start, shape, work, some)
                    elif level == PRODUCTS:
                        _add_small(acc, a, weights, start, shape, work, some)
                    else:
                        _add_large(acc, a, weights, start, shape, work, some)
            j = end
