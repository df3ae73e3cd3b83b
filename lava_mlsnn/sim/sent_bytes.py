"""What a layer sent, in bytes, as the dense path and connections one to one read it: written, read again, summed up."""

from __future__ import annotations

from functools import reduce
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from .simd import I8, I32, I64, WIDTH, constant, intrinsic, load, pointer_to, store


@intrinsic
def copy_bytes(typingctx: Any, work: Any, values: Any, place: Any, offset: Any) -> Any:
    """The lowest bytes of the 64 values from work[values] on, side by side, to byte ``offset`` after work[place]."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        begin, to = (pointer_to(context, builder, sig.args[0], args[0], offset) for offset in args[1:3])
        to = builder.gep(builder.bitcast(to, I8.as_pointer()), [args[3]])
        for k in range(0, 64, WIDTH):
            found = load(builder, builder.gep(begin, [I64(k)]), WIDTH)
            store(builder, builder.trunc(found, ir.VectorType(I8, WIDTH)), builder.gep(to, [I64(k)]))
        return context.get_dummy_value()

    return types.void(work, types.int64, types.int64, types.int64), codegen


@intrinsic
def spread_bytes(typingctx: Any, work: Any, values: Any, place: Any, offset: Any) -> Any:
    """The inverse of :func:`copy_bytes` for values of 0 .. 255."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        to, begin = (pointer_to(context, builder, sig.args[0], args[0], offset) for offset in args[1:3])
        begin = builder.gep(builder.bitcast(begin, I8.as_pointer()), [args[3]])
        for k in range(0, 64, WIDTH):
            found = load(builder, builder.gep(begin, [I64(k)]), WIDTH)
            store(builder, builder.zext(found, ir.VectorType(I32, WIDTH)), builder.gep(to, [I64(k)]))
        return context.get_dummy_value()

    return types.void(work, types.int64, types.int64, types.int64), codegen


@intrinsic
def sum_bytes(typingctx: Any, work: Any, place: Any, size: Any) -> Any:
    """(number of non-zero ones, largest, smallest non-zero one, sum) of ``size`` bytes that begin at work[place].

    The 64 bytes after them become zero. Without a non-zero one the smallest is 255.
    """

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        begin = builder.bitcast(pointer_to(context, builder, sig.args[0], *args[:2]), I8.as_pointer())
        kind, wide = ir.VectorType(I8, WIDTH), ir.VectorType(I32, WIDTH)
        for k in range(0, 64, WIDTH):
            store(builder, constant(kind, 0), builder.gep(begin, [builder.add(args[2], I64(k))]))
        results = [cgutils.alloca_once(builder, shape) for shape in (wide, wide, kind, kind)]
        count, total, largest, smallest = results
        for variable, value in zip(results, (0, 0, 0, 255), strict=True):
            builder.store(constant(variable.type.pointee, value), variable)

        def choose(sign: str, variable: ir.Value, value: ir.Value) -> None:
            known = builder.load(variable)
            builder.store(builder.select(builder.icmp_unsigned(sign, value, known), value, known), variable)

        with cgutils.for_range_slice(builder, I64(0), args[2], I64(WIDTH), intp=I64) as (i, _):
            value = load(builder, builder.gep(begin, [i]), WIDTH)
            sent = builder.icmp_unsigned("!=", value, constant(kind, 0))
            builder.store(builder.add(builder.load(count), builder.zext(sent, wide)), count)
            builder.store(builder.add(builder.load(total), builder.zext(value, wide)), total)
            choose(">", largest, value)
            choose("<", smallest, builder.select(sent, value, constant(kind, 255)))
        lanes = [[builder.extract_element(builder.load(v), I32(k)) for k in range(WIDTH)] for v in results]
        sums = [reduce(builder.add, found) for found in lanes[:2]]

        def extreme(sign: str, found: list[ir.Value]) -> ir.Value:
            return reduce(lambda a, b: builder.select(builder.icmp_unsigned(sign, a, b), a, b), found)

        numbers = [builder.zext(v, I64) for v in (sums[0], extreme(">", lanes[2]), extreme("<", lanes[3]), sums[1])]
        return context.make_tuple(builder, sig.return_type, numbers)

    return types.UniTuple(types.int64, 4)(work, types.int64, types.int64), codegen
