"""Explicit SIMD for numba: loops over arrays written as LLVM vectors.

LLVM's own vectoriser gives up on the loops that matter here (many arrays, each of which might overlap the one that is
written) or picks half of the register width. These builders leave it nothing to decide: the code they make is portable
LLVM IR on short vectors, which the compiler maps to whatever the machine has.

A :func:`elementwise` body is written with ordinary operators on :class:`Lanes`. The loops of the kernels themselves lie
beside them: :mod:`~lava_mlsnn.sim.rows`, :mod:`~lava_mlsnn.sim.events`, :mod:`~lava_mlsnn.sim.dense`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic as _intrinsic

I1, I8, I16, I32, I64, F32 = (*(ir.IntType(bits) for bits in (1, 8, 16, 32, 64)), ir.FloatType())
intrinsic: Any = _intrinsic
jit: Any = numba.njit

inner = jit(nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
"""For functions that only other compiled functions call: an entry from Python would double the compile time."""

inlined = jit(nogil=True, error_model="numpy", inline="always")
"""For those with one caller: every level of calls is optimised again with all that it calls."""

WIDTH = 16
"""Lanes of 32 bits in one vector: 512 bits, which narrower machines take in two or four pieces."""


class Lanes:
    """A value of one or many lanes in the code being built; operators emit instructions.

    Integers wrap, comparisons are signed unless made by :meth:`below`, ``>>`` keeps the sign.
    """

    def __init__(self, builder: ir.IRBuilder, value: ir.Value) -> None:
        self.builder, self.value = builder, value

    def _with(self, value: ir.Value) -> Lanes:
        return Lanes(self.builder, value)

    def _operand(self, other: Lanes | int) -> ir.Value:
        return other.value if isinstance(other, Lanes) else constant(self.value.type, other)

    def __add__(self, other: Lanes | int) -> Lanes:
        return self._with(self.builder.add(self.value, self._operand(other)))

    def __sub__(self, other: Lanes | int) -> Lanes:
        return self._with(self.builder.sub(self.value, self._operand(other)))

    def __mul__(self, other: Lanes | int) -> Lanes:
        return self._with(self.builder.mul(self.value, self._operand(other)))

    def __and__(self, other: Lanes | int) -> Lanes:
        return self._with(self.builder.and_(self.value, self._operand(other)))

    def __xor__(self, other: Lanes | int) -> Lanes:
        return self._with(self.builder.xor(self.value, self._operand(other)))

    def __lshift__(self, other: Lanes | int) -> Lanes:
        return self._with(self.builder.shl(self.value, self._operand(other)))

    def __rshift__(self, other: Lanes | int) -> Lanes:
        return self._with(self.builder.ashr(self.value, self._operand(other)))

    def shift_in_zeros(self, other: Lanes | int) -> Lanes:
        """Right shift of the bits as an unsigned number."""
        return self._with(self.builder.lshr(self.value, self._operand(other)))

    def __lt__(self, other: Lanes | int) -> Lanes:
        return self._with(self.builder.icmp_signed("<", self.value, self._operand(other)))

    def __le__(self, other: Lanes | int) -> Lanes:
        return self._with(self.builder.icmp_signed("<=", self.value, self._operand(other)))

    def __gt__(self, other: Lanes | int) -> Lanes:
        return self._with(self.builder.icmp_signed(">", self.value, self._operand(other)))

    def __ge__(self, other: Lanes | int) -> Lanes:
        return self._with(self.builder.icmp_signed(">=", self.value, self._operand(other)))

    def where(self, yes: Lanes | int, no: Lanes) -> Lanes:
        """``yes`` in the lanes where this comparison holds, ``no`` in the others."""
        return self._with(self.builder.select(self.value, no._operand(yes), no.value))

    def clip(self, low: Lanes | int, high: Lanes | int) -> Lanes:
        """min(max(self, low), high)."""
        raised = (self < low).where(low, self)
        return (raised > high).where(high, raised)

    def scaled(self, factor: Lanes, shift: Lanes) -> Lanes:
        """self * factor / 2**shift in 64 bits, rounded to the nearest (a half upwards), its lower 32 bits."""
        wide = like(I64, self.value.type)
        value, by, places = (self.builder.sext(x.value, wide) for x in (self, factor, shift))
        one = constant(wide, 1)
        half = self.builder.lshr(self.builder.shl(one, places), one)
        total = self.builder.add(self.builder.mul(value, by), half)
        return self._with(self.builder.trunc(self.builder.ashr(total, places), self.value.type))

    def count(self) -> Lanes:
        """A comparison as 0 or 1 in 32 bits."""
        return self._with(self.builder.zext(self.value, like(I32, self.value.type)))

    def times_float(self, factor: Lanes) -> Lanes:
        """Product with a float32, as an integer, truncated toward zero."""
        product = self.builder.fmul(self.builder.sitofp(self.value, factor.value.type), factor.value)
        return self._with(self.builder.fptosi(product, self.value.type))


def like(element: ir.Type, shape: ir.Type) -> ir.Type:
    """A type of ``element`` with as many lanes as ``shape``."""
    return ir.VectorType(element, shape.count) if isinstance(shape, ir.VectorType) else element


def constant(kind: ir.Type, value: int) -> ir.Constant:
    """``value`` in every lane."""
    return ir.Constant(kind, [value] * kind.count if isinstance(kind, ir.VectorType) else value)


def spread(builder: ir.IRBuilder, scalar: ir.Value, lanes: int) -> ir.Value:
    """``scalar`` in each of ``lanes`` lanes; itself for one."""
    if lanes == 1:
        return scalar
    one = builder.insert_element(ir.Constant(ir.VectorType(scalar.type, lanes), ir.Undefined), scalar, I32(0))
    zeros = ir.Constant(ir.VectorType(I32, lanes), [0] * lanes)
    return builder.shuffle_vector(one, ir.Constant(one.type, ir.Undefined), zeros)


def load(builder: ir.IRBuilder, pointer: ir.Value, lanes: int) -> ir.Value:
    """``lanes`` neighbours in memory, at any alignment that one element has."""
    if lanes == 1:
        return builder.load(pointer)
    element = pointer.type.pointee
    vector = builder.bitcast(pointer, ir.VectorType(element, lanes).as_pointer())
    return builder.load(vector, align=_bytes(element))


def store(builder: ir.IRBuilder, value: ir.Value, pointer: ir.Value) -> None:
    """Inverse of :func:`load`."""
    if isinstance(value.type, ir.VectorType):
        vector = builder.bitcast(pointer, value.type.as_pointer())
        builder.store(value, vector, align=_bytes(value.type.element))
    else:
        builder.store(value, pointer)


def _bytes(element: ir.Type) -> int:
    return 4 if isinstance(element, ir.FloatType) else element.width // 8


def pointer_to(context: Any, builder: ir.IRBuilder, kind: types.Array, array: ir.Value, offset: ir.Value) -> ir.Value:
    """Address of element ``offset`` of a numba array."""
    return builder.gep(context.make_array(kind)(context, builder, array).data, [offset])


def in_pieces(builder: ir.IRBuilder, n: ir.Value, widths: Sequence[int], emit: Callable[[ir.Value, int], None]) -> None:
    """Loops over 0 .. n in pieces of the first width, what is left in pieces of the next, and so on down to 1."""
    done: ir.Value = I64(0)
    for width in widths:
        end = builder.sub(n, builder.urem(builder.sub(n, done), I64(width)))
        with cgutils.for_range_slice(builder, done, end, I64(width), intp=I64) as (i, _):
            emit(i, width)
        done = end


def elementwise(body: Callable[..., dict[int, Lanes]], shared: Sequence[int] = ()) -> Any:
    """A loop for numba over stretches of arrays: ``loop(rounds, n, arrays, offsets, scalars)``.

    ``body(values, scalars)`` gets element i of every stretch and the scalars, all as Lanes, and returns by index of the
    stretch what is to be written there. Each of the ``rounds`` handles the next n elements, but starts again where it
    began in the ``shared`` stretches (parameters of channels). ``arrays`` is a tuple of 1-D arrays, ``offsets`` a tuple
    of where each stretch begins, ``scalars`` a tuple of int32. Stretches that are written must not overlap others.
    """

    @intrinsic
    def loop(typingctx: Any, rounds: Any, n: Any, arrays: Any, offsets: Any, scalars: Any) -> Any:
        signature = types.void(types.int64, types.int64, arrays, types.UniTuple(types.int64, len(arrays)), scalars)

        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            turns, count, array_values, offset_values, scalar_values = args
            pointers = [
                pointer_to(
                    context,
                    builder,
                    kind,
                    builder.extract_value(array_values, k),
                    builder.extract_value(offset_values, k),
                )
                for k, kind in enumerate(sig.args[2])
            ]
            plain = [builder.extract_value(scalar_values, k) for k in range(len(sig.args[4]))]

            def round_of(begin: ir.Value) -> None:
                starts = [p if k in shared else builder.gep(p, [begin]) for k, p in enumerate(pointers)]

                def emit(i: ir.Value, lanes: int) -> None:
                    places = [builder.gep(p, [i]) for p in starts]
                    values = [Lanes(builder, load(builder, p, lanes)) for p in places]
                    broadcast = [Lanes(builder, spread(builder, s, lanes)) for s in plain]
                    for k, result in body(values, broadcast).items():
                        store(builder, result.value, places[k])

                in_pieces(builder, count, (WIDTH, 1), emit)

            with cgutils.for_range(builder, turns, intp=I64) as turn:
                round_of(builder.mul(turn.index, count))
            return context.get_dummy_value()

        return signature, codegen

    return loop


@intrinsic
def zero(typingctx: Any, array: Any, start: Any, n: Any) -> Any:
    """``zero(array, start, n)``: array[start : start + n] = 0."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        pointer = pointer_to(context, builder, sig.args[0], *args[:2])
        length = builder.mul(args[2], I64(sig.args[0].dtype.bitwidth // 8))
        cgutils.memset(builder, builder.bitcast(pointer, I8.as_pointer()), length, 0)
        return context.get_dummy_value()

    return types.void(array, types.int64, types.int64), codegen


@intrinsic
def copy(typingctx: Any, target: Any, t: Any, source: Any, s: Any, n: Any) -> Any:
    """``copy(target, t, source, s, n)``: target[t : t + n] = source[s : s + n], of one type, not overlapping."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        to = pointer_to(context, builder, sig.args[0], *args[:2])
        come = pointer_to(context, builder, sig.args[2], *args[2:4])
        cgutils.raw_memcpy(builder, to, come, args[4], sig.args[0].dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(target, types.int64, source, types.int64, types.int64), codegen


@intrinsic
def at(typingctx: Any, array: Any, i: Any) -> Any:
    """``at(array, i)``: array[i] for an i that is known not to be negative, without numba's test for that."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.sext(builder.load(pointer_to(context, builder, sig.args[0], *args)), I64)

    return types.int64(array, types.int64), codegen
