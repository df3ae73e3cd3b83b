"""The inner loop of event-driven synapses: rows of weights, summed in registers."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from .simd import I32, I64, WIDTH, constant, in_pieces, intrinsic, like, load, pointer_to, spread, store

BLOCKS = 6, 4, 2, 1
"""Vectors that are summed over all events side by side: six are a row of three taps of 64 channels in 16 bits."""


def add_events(product_bits: int) -> Any:
    """``add(acc, a, weights, start, row, work, j, end, values, n)``: the inner loop of event-driven synapses.

    For every event e in j .. end: acc[a : a + n] += work[e + values] * weights[start + row * work[e] : ... + n].

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
    def add(
        typingctx: Any,
        acc: Any,
        a: Any,
        weights: Any,
        start: Any,
        row: Any,
        work: Any,
        j: Any,
        end: Any,
        values: Any,
        n: Any,
    ) -> Any:
        long = types.int64
        signature = types.void(acc, long, weights, long, long, work, long, long, long, long)

        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            acc_array, a, weight_array, start, row, work_array, first, end, values, n = args
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
