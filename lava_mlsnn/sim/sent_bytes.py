"""What a layer sent, in bytes, as the dense path and connections one to one read it: written, read again, summed up."""

from __future__ import annotations

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
        kind, wide = ir.VectorType(I8, 64), ir.VectorType(I32, WIDTH)
        store(builder, constant(kind, 0), builder.gep(begin, [args[2]]))
        results = [cgutils.alloca_once(builder, shape) for shape in (I64, wide, kind, kind)]
        count, total, largest, smallest = results
        for variable, value in zip(results, (0, 0, 0, 255), strict=True):
            builder.store(constant(variable.type.pointee, value), variable)

        def choose(sign: str, variable: ir.Value, value: ir.Value) -> None:
            known = builder.load(variable)
            builder.store(builder.select(builder.icmp_unsigned(sign, value, known), value, known), variable)

        def in_pairs(fields: ir.Value, bits: int, mask: int) -> ir.Value:
            """Sums of neighbouring fields of ``bits`` bits, in fields twice as wide."""
            upper = builder.lshr(fields, constant(wide, bits))
            return builder.add(*(builder.and_(half, constant(wide, mask)) for half in (fields, upper)))

        with cgutils.for_range_slice(builder, I64(0), args[2], I64(64), intp=I64) as (i, _):
            value = load(builder, builder.gep(begin, [i]), 64)
            sent = builder.icmp_unsigned("!=", value, constant(kind, 0))
            builder.store(builder.add(builder.load(count), builder.ctpop(builder.bitcast(sent, I64))), count)
            fours = in_pairs(in_pairs(builder.bitcast(value, wide), 8, 0x00FF00FF), 16, 0xFFFF)
            builder.store(builder.add(builder.load(total), fours), total)
            choose(">", largest, value)
            choose("<", smallest, builder.select(sent, value, constant(kind, 255)))

        def reduced(name: str, variable: ir.Value) -> ir.Value:
            lanes = builder.load(variable)
            kind = ir.FunctionType(lanes.type.element, [lanes.type])
            full = f"llvm.vector.reduce.{name}.v{lanes.type.count}i{lanes.type.element.width}"
            found = builder.call(cgutils.get_or_insert_function(builder.module, kind, full), [lanes])
            return builder.zext(found, I64)

        numbers = [builder.load(count), reduced("umax", largest), reduced("umin", smallest), reduced("add", total)]
        return context.make_tuple(builder, sig.return_type, numbers)

    return types.UniTuple(types.int64, 4)(work, types.int64, types.int64), codegen
