"""Explicit SIMD for numba: loops over arrays, written as LLVM vectors.

Why. LLVM vectorizes a plain loop by itself only if it can prove that the arrays do not overlap; with the many arrays of
a neuron it gives up, and where it does not, it often uses half of the register width. So the hot loops of the engine
are not left to it: they are *generated*.

How. A numba ``intrinsic`` is a function whose body is not compiled from Python. Instead numba calls a Python function,
once, while it compiles the caller, and that function emits LLVM instructions through an ``IRBuilder``. Whatever is a
Python loop or ``if`` there is unrolled or decided at compile time; whatever the builder emits runs later. In this room:

- ``neurons/kernel.py``: the update of a population. The equation of each neuron is an ordinary function of
  :class:`Lanes`, which emits one vector instruction for every ``+``, ``>>`` or comparison.
- ``rows.py``: weights times events, summed in registers. ``dot.py`` and ``convolve.py``: the same for images that are
  nearly full, in bytes and in float32.
- ``event_lists.py``: where the non-zero values are.

A :class:`Lanes` stands for one value or for :data:`WIDTH` values side by side ("lanes"), one per neuron. The loops
(:func:`in_pieces`) emit their body twice: for whole vectors, and for one value at a time, for what is left over.

Which instructions. The vectors are LLVM's portable ones, 512 bits wide, and LLVM maps them to what the machine has: one
AVX-512 register, two of AVX2, four of SSE or NEON. Two things ask for an instruction set and have a portable twin:
products of bytes (``dot.py``) and the collection of events. Results are the same everywhere: integers, floats that hold
integers exactly, and a quotient that is corrected afterwards. numba compiles
for the processor it runs on and keeps one compiled version per processor model in its cache.

To test another path. ``NUMBA_CPU_NAME=generic`` compiles for the least that the architecture has (SSE2 on x86-64),
``NUMBA_CPU_FEATURES=+avx2`` and the like add to it; instructions that LLVM does not find by itself are chosen by
:func:`has`. Which of the kernels above runs depends on the data; the thresholds of ``transmit.dense_from`` force it:
all 0 always takes a dense path, infinity never (tests/sim/test_sim_engines.py does both, for floats and bytes).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numba
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.core.registry import cpu_target
from numba.extending import intrinsic as _intrinsic

I1, I8, I16, I32, I64, F32 = (*(ir.IntType(bits) for bits in (1, 8, 16, 32, 64)), ir.FloatType())
intrinsic: Any = _intrinsic
jit: Any = numba.njit

inner = jit(nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
"""Compiles a function that only compiled functions call: an entry from Python would double the compile time."""

inlined = jit(nogil=True, error_model="numpy", inline="always")
"""The same for a function with one caller, which it becomes a part of: LLVM then optimizes it once, not twice."""

WIDTH = 16
"""Lanes of a vector of 32-bit values: 512 bits."""


_SUM_OF_PRODUCTS = """
declare i32 @llvm.vector.reduce.add.v16i32(<16 x i32>)
define i32 @products(<16 x i8> %a, <16 x i8> %b) {{
  %inputs = {extended} <16 x i8> %a to <16 x i32>
  %weights = sext <16 x i8> %b to <16 x i32>
  %all = mul <16 x i32> %inputs, %weights
  %sum = call i32 @llvm.vector.reduce.add.v16i32(<16 x i32> %all)
  ret i32 %sum
}}"""
_SHOWN_BY = {"dotprod": ("sext", "\tsdot\t"), "i8mm": ("zext", "\tusdot\t")}


@cache
def has(feature: str) -> bool:
    """Whether the processor that numba compiles for has a feature, by LLVM's name of it."""
    return compiles_for(feature, *cpu_target.target_context.codegen().magic_tuple())


def compiles_for(feature: str, triple: str, processor: str, features: str) -> bool:
    """The same for any processor.

    LLVM lists the features of x86; on AArch64 it takes those of products of bytes from the processor's name and lists
    them nowhere, so there we look at what it makes of such products.
    """
    if feature not in _SHOWN_BY or triple.partition("-")[0] not in ("aarch64", "arm64"):
        return f"+{feature}" in features.split(",")
    extended, instruction = _SHOWN_BY[feature]
    module = binding.parse_assembly(f'target triple = "{triple}"' + _SUM_OF_PRODUCTS.format(extended=extended))
    target = binding.Target.from_triple(triple).create_target_machine(cpu=processor, features=features, opt=2)
    return instruction in target.emit_assembly(module)


class Lanes:
    """A value of one or many lanes in the code that is being generated; operators emit instructions.

    Values are int32 and wrap, comparisons are signed, ``>>`` keeps the sign. A comparison gives Lanes of single bits:
    for :meth:`where` and :meth:`count`.
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

    def __neg__(self) -> Lanes:
        return self._with(self.builder.neg(self.value))

    def __abs__(self) -> Lanes:
        sign = self >> 31
        return (self ^ sign) - sign

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

    def where(self, yes: Lanes | int, no: Lanes | int) -> Lanes:
        """``yes`` in the lanes where this comparison holds, ``no`` in the others."""
        kind = like(I32, self.value.type)
        pair = (x.value if isinstance(x, Lanes) else constant(kind, x) for x in (yes, no))
        return self._with(self.builder.select(self.value, *pair))

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

    def divided(self, divisor: Lanes, inverse: Lanes) -> Lanes:
        """self // divisor for 0 <= self < 2**31 and divisor > 0, where ``inverse`` has the bits of float32 1 / divisor.

        The float product is off by one at most; the remainder says which way.
        """
        quotient = self._times_float(inverse)
        rest = self - quotient * divisor
        return quotient + (rest >= divisor).count() - (rest < 0).count()

    def _times_float(self, factor: Lanes) -> Lanes:
        """Product with the float32 that has the bits of ``factor``, as an integer, truncated toward zero."""
        kind = like(F32, self.value.type)
        product = self.builder.fmul(self.builder.sitofp(self.value, kind), self.builder.bitcast(factor.value, kind))
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
    """Emit loops over 0 .. n - 1: pieces of the first width, then what is left in pieces of the next, and so on to 1.

    ``emit(i, width)`` emits the code for elements i .. i + width - 1; it is called once for every width.

    What is left for width 1 is less than a vector, yet LLVM would vectorize and unroll that loop, too, which is a tenth
    of the engine's compile time. No hint of numba's builder forbids it, so an empty line of assembly does.
    """
    done: ir.Value = I64(0)
    for width in widths:
        end = builder.sub(n, builder.urem(builder.sub(n, done), I64(width)))
        with cgutils.for_range_slice(builder, done, end, I64(width), intp=I64) as (i, _):
            emit(i, width)
            if width == 1:
                builder.asm(ir.FunctionType(ir.VoidType(), []), "", "", [], side_effect=True)
        done = end


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
