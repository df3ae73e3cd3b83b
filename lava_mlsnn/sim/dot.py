"""The dense path in bytes: a convolution whose sums of four products are one instruction each.

Reference: :meth:`lava_mlsnn.graph.synapses.Conv.accumulate`. Inputs are unsigned bytes, weights signed ones, sums
int32: exact for inputs up to :attr:`Instruction.most`. Which instruction there is depends on the processor that numba
compiles for (:func:`instruction`): AVX-512 and AVX have ``vpdpbusd`` with the VNNI extension, AArch64 ``usdot``, or
``sdot`` if inputs fit signed bytes, too. AVX2 has sums of two products in 16 bits, and another instruction that adds
two such sums in 32. Graded spikes are small: so many sums fit 16 bits together that the second one is seldom needed.
Elsewhere :mod:`~lava_mlsnn.sim.convolve` has the dense path.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numpy.typing import NDArray

from .event_lists import EventList
from .rows import prefetch
from .simd import I8, I16, I32, I64, constant, has, in_pieces, inner, intrinsic, load, pointer_to, spread, store, zero

QUAD = 4
"""Input channels whose products one instruction sums."""

LANES = 16
"""Output channels that packed weights are padded to a multiple of."""

AHEAD = 16384
"""Bytes of weights that are fetched in advance, into the second cache: the third is far where others use it, too."""
SECOND_CACHE = 2
"""The locality that this is for LLVM."""

INT16_MAX = 2**15 - 1

Emit = Callable[[ir.IRBuilder, ir.Value, ir.Value, ir.Value], ir.Value]
Widen = Callable[[ir.IRBuilder, ir.Value, ir.Value], ir.Value]


@dataclass(frozen=True)
class Instruction:
    """``emit(builder, sums, inputs, weights)``: sums plus products of bytes, four per lane of int32.

    Args:
        lanes: of a vector of sums in int32.
        most: largest input for which it is exact.
        blocks: output channels summed side by side, widest first; multiples of :data:`LANES`.
        positions: neighbouring outputs summed side by side, the last of them 1. Positions times vectors of a block,
            with weights and inputs, fill the registers.
        dense_from: see :data:`lava_mlsnn.sim.transmit.DENSE_FROM`.
        widen: if ``emit`` adds to twice as many sums in int16, each of two products at a time: ``widen(builder, sums,
            pairs)`` is int32 sums plus those.
    """

    lanes: int
    most: int
    blocks: tuple[int, ...]
    positions: tuple[int, ...]
    dense_from: tuple[float, float, float, float]
    emit: Emit
    widen: Widen | None = None


def _call(builder: ir.IRBuilder, name: str, result: ir.Type, *args: ir.Value) -> ir.Value:
    kind = ir.FunctionType(result, [value.type for value in args])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, f"llvm.{name}"), args)


def _vnni(bits: int) -> Emit:
    def emit(builder: ir.IRBuilder, sums: ir.Value, inputs: ir.Value, weights: ir.Value) -> ir.Value:
        return _call(builder, f"x86.avx512.vpdpbusd.{bits}", sums.type, sums, inputs, weights)

    return emit


def _avx2(builder: ir.IRBuilder, pairs: ir.Value, inputs: ir.Value, weights: ir.Value) -> ir.Value:
    one_byte = ir.VectorType(I8, 32)
    inputs, weights = builder.bitcast(inputs, one_byte), builder.bitcast(weights, one_byte)
    return builder.add(pairs, _call(builder, "x86.avx2.pmadd.ub.sw", pairs.type, inputs, weights))


def _avx2_widen(builder: ir.IRBuilder, sums: ir.Value, pairs: ir.Value) -> ir.Value:
    return builder.add(sums, _call(builder, "x86.avx2.pmadd.wd", sums.type, pairs, constant(pairs.type, 1)))


def _neon(name: str) -> Emit:
    def emit(builder: ir.IRBuilder, sums: ir.Value, inputs: ir.Value, weights: ir.Value) -> ir.Value:
        inputs, weights = (builder.bitcast(value, ir.VectorType(I8, 16)) for value in (inputs, weights))
        return _call(builder, f"aarch64.neon.{name}.v4i32.v16i8", sums.type, sums, inputs, weights)

    return emit


INSTRUCTIONS: dict[str, Instruction] = {
    "avx512vnni": Instruction(16, 255, (64, 16), (6, 4, 1), (0.33, 0.36, 0.22, 1), _vnni(512)),
    "avxvnni": Instruction(8, 255, (16,), (4, 1), (0.33, 0.41, 0.22, 1), _vnni(256)),
    "avx2": Instruction(8, 128, (16,), (6, 4, 1), (0.34, 0.33, 0.3, 1), _avx2, _avx2_widen),
    "i8mm": Instruction(4, 255, (16,), (4, 1), (0.48, 0.35, 0.3, 1), _neon("usdot")),
    "dotprod": Instruction(4, 127, (16,), (4, 1), (0.48, 0.35, 0.3, 1), _neon("sdot")),
}
"""By the feature of the processor that they need, best first. No processor was at hand to run "avxvnni"; those of
AArch64 ran in an emulator, so their ``dense_from`` is a guess."""


def instruction() -> Instruction | None:
    """The best one of the processor that numba compiles for; None if it has none of them."""
    return next((found for name, found in INSTRUCTIONS.items() if has(name)), None)


def padded(n: int, to: int) -> int:
    """``n`` rounded up to a multiple of ``to``."""
    return -(-n // to) * to


def pack(weight: NDArray[np.int8], blocks: tuple[int, ...]) -> NDArray[np.int8]:
    """Weights as the kernel reads them: one block of output channels after the other, each in one sweep.

    **Shape:** (channels, Kh, Kw, features) -> flat, of blocks (Kh, Kw, channels / 4, features of the block, 4).
    """
    channels, *kernel, features = weight.shape
    wide = np.zeros((padded(channels, QUAD), *kernel, padded(features, LANES)), np.int8)
    wide[:channels, :, :, :features] = weight
    quads = wide.reshape(-1, QUAD, *wide.shape[1:]).transpose(2, 3, 0, 4, 1)
    parts, first = [], 0
    for block in blocks:
        while first + block <= wide.shape[-1]:
            parts.append(quads[..., first : first + block, :].ravel())
            first += block
    return np.concatenate(parts)


class Geometry(NamedTuple):
    """A convolution: numbers of outputs, and distances of neighbouring taps in bytes of the padded input."""

    outputs: Any
    features: Any
    kernel_height: Any
    kernel_width: Any
    channels: Any  # a multiple of four
    tap_down: Any
    tap_across: Any
    together: Any  # quads of channels whose products may be summed in int16


@intrinsic
def _dot(
    typingctx: Any, acc: Any, a: Any, weights: Any, w: Any, corners: Any, c: Any, image: Any, geometry: Any
) -> Any:
    """Add all outputs, from acc[a] on: blocks of features, whose weights stay in the second cache, then positions.

    ``weights`` are packed from w on; corners[c + o] is the first byte of ``image`` that output o sees.
    """
    chosen = instruction()

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        if chosen is None:  # never reached: no link has ``most``
            return context.get_dummy_value()
        target, base, corner, pixels = (
            pointer_to(context, builder, sig.args[k], args[k], args[k + 1] if k < 6 else I64(0)) for k in (0, 2, 4, 6)
        )
        g = Geometry(*(builder.extract_value(args[7], k) for k in range(len(Geometry._fields))))
        taps = builder.mul(builder.mul(g.kernel_height, g.kernel_width), g.channels)
        all_features = builder.and_(builder.add(g.features, I64(LANES - 1)), I64(-LANES))

        def block(first: ir.Value, features: int) -> None:
            packed = builder.gep(base, [builder.mul(first, taps)])

            def outputs(o: ir.Value, positions: int) -> None:
                tile = _Tile(builder, g, chosen, positions, features)
                tile.add_taps(packed, [builder.gep(pixels, [_offset(builder, corner, o, p)]) for p in range(positions)])
                tile.store(builder.gep(target, [builder.add(builder.mul(o, g.features), first)]), first)

            in_pieces(builder, g.outputs, chosen.positions, outputs)

        in_pieces(builder, all_features, chosen.blocks, block)
        return context.get_dummy_value()

    return types.void(acc, a, weights, w, corners, c, image, geometry), codegen


def _offset(builder: ir.IRBuilder, corners: ir.Value, output: ir.Value, p: int) -> ir.Value:
    return builder.sext(builder.load(builder.gep(corners, [builder.add(output, I64(p))])), I64)


class _Tile:
    """Emits the sums of a few outputs times a block of features, all of which are kept in registers."""

    def __init__(
        self, builder: ir.IRBuilder, geometry: Geometry, chosen: Instruction, positions: int, features: int
    ) -> None:
        self.builder, self.geometry, self.chosen, self.features = builder, geometry, chosen, features
        self.positions, self.vectors = positions, features // chosen.lanes
        self.sums = self._zeros(ir.VectorType(I32, chosen.lanes))

    def _zeros(self, kind: ir.Type) -> list[list[ir.Value]]:
        sums = [[cgutils.alloca_once(self.builder, kind) for _ in range(self.vectors)] for _ in range(self.positions)]
        for total in (total for line in sums for total in line):
            self.builder.store(constant(kind, 0), total)
        return sums

    def add_taps(self, packed: ir.Value, corners: list[ir.Value]) -> None:
        """Over rows and columns of the kernel and quads of input channels."""
        b, g, loop = self.builder, self.geometry, cgutils.for_range
        quads = b.sdiv(g.channels, I64(QUAD))
        with loop(b, g.kernel_height, intp=I64) as r, loop(b, g.kernel_width, intp=I64) as c:
            tap = b.add(b.mul(r.index, g.kernel_width), c.index)
            here = b.gep(packed, [b.mul(b.mul(tap, g.channels), I64(self.features))])
            moved = b.add(b.mul(r.index, g.tap_down), b.mul(c.index, g.tap_across))
            pixels = [b.gep(corner, [moved]) for corner in corners]
            if self.chosen.widen is None:
                self._add_quads(here, pixels, (I64(0), quads), self.sums)
            else:
                with cgutils.for_range_slice(b, I64(0), quads, g.together, intp=I64) as (first, _):
                    self._add_pairs(here, pixels, first, quads, self.chosen.widen)

    def _add_pairs(
        self, here: ir.Value, pixels: list[ir.Value], first: ir.Value, quads: ir.Value, widen: Widen
    ) -> None:
        """As many quads from the first one on as have their sums in int16."""
        b = self.builder
        end = b.add(first, self.geometry.together)
        end = b.select(b.icmp_signed("<", end, quads), end, quads)
        pairs = self._zeros(ir.VectorType(I16, 2 * self.chosen.lanes))
        self._add_quads(here, pixels, (first, end), pairs)
        for line, some in zip(self.sums, pairs, strict=True):
            for total, part in zip(line, some, strict=True):
                b.store(widen(b, b.load(total), b.load(part)), total)

    def _add_quads(
        self, here: ir.Value, pixels: list[ir.Value], part: tuple[ir.Value, ir.Value], sums: list[list[ir.Value]]
    ) -> None:
        b, lanes = self.builder, self.chosen.lanes
        with cgutils.for_range_slice(b, *part, I64(1), intp=I64) as (quad, _):
            line = b.gep(here, [b.mul(quad, I64(QUAD * self.features))])
            for ahead in range(0, QUAD * self.features, 64):
                prefetch(b, b.gep(line, [I64(AHEAD + ahead)]), SECOND_CACHE)
            weights = [load(b, b.gep(line, [I64(QUAD * lanes * v)]), QUAD * lanes) for v in range(self.vectors)]
            weights = [b.bitcast(values, ir.VectorType(I32, lanes)) for values in weights]
            for pixel, totals in zip(pixels, sums, strict=True):
                four = b.bitcast(b.gep(pixel, [b.mul(quad, I64(QUAD))]), I32.as_pointer())
                inputs = spread(b, b.load(four), lanes)
                for values, total in zip(weights, totals, strict=True):
                    b.store(self.chosen.emit(b, b.load(total), inputs, values), total)

    def store(self, target: ir.Value, first: ir.Value) -> None:
        """Add the sums to the accumulators, those of the padding excepted."""
        b, features = self.builder, self.geometry.features
        left = b.sub(features, first)
        with b.if_else(b.icmp_signed(">=", left, I64(self.features))) as (whole, part):
            with whole:
                self._store(target, lambda value, place, _: self._whole(value, place))
            with part:
                self._store(target, lambda value, place, v: self._part(value, place, b.sub(left, I64(v))))

    def _store(self, target: ir.Value, add: Callable[[ir.Value, ir.Value, int], None]) -> None:
        b = self.builder
        for p, sums in enumerate(self.sums):
            line = b.gep(target, [b.mul(self.geometry.features, I64(p))])
            for v, total in enumerate(sums):
                add(total, b.gep(line, [I64(v * self.chosen.lanes)]), v * self.chosen.lanes)

    def _whole(self, total: ir.Value, place: ir.Value) -> None:
        b, lanes = self.builder, self.chosen.lanes
        store(b, b.add(load(b, place, lanes), b.load(total)), place)

    def _part(self, total: ir.Value, place: ir.Value, left: ir.Value) -> None:
        b = self.builder
        some = b.select(b.icmp_signed("<", left, I64(self.chosen.lanes)), left, I64(self.chosen.lanes))
        with cgutils.for_range(b, some, intp=I64) as lane:
            value = b.extract_element(b.load(total), b.trunc(lane.index, I32))
            one = b.gep(place, [lane.index])
            b.store(b.add(b.load(one), value), one)


@intrinsic
def _copy_sent(typingctx: Any, image: Any, i: Any, work: Any, place: Any, offset: Any, n: Any) -> Any:
    """``_copy_sent(image, i, work, place, offset, n)``: image[i : i + n] = n bytes, ``offset`` after work[place]."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        to = pointer_to(context, builder, sig.args[0], *args[:2])
        come = builder.bitcast(pointer_to(context, builder, sig.args[2], *args[2:4]), I8.as_pointer())
        cgutils.raw_memcpy(builder, to, builder.gep(come, [args[4]]), args[5], 1)
        return context.get_dummy_value()

    return types.void(image, i, work, place, offset, n), codegen


@inner
def convolve_bytes(
    weights: Any, constants: Any, link: Any, acc: Any, target: int, work: Any, events: EventList, image: Any
) -> None:
    """A kernel like those of :mod:`~lava_mlsnn.sim.scatter`, for events of 0 .. ``link.most``.

    ``image`` is uint8 memory for the padded input.
    """
    rows, columns, channels = link.padded_height, link.padded_width, -(-link.channels // QUAD) * QUAD
    zero(image, 0, rows * columns * channels)
    height = min(link.height, rows - link.padding_rows)
    width = min(link.width, columns - link.padding_columns)
    sent, piece = events.first + 2 * events.size, link.channels
    if channels == piece:  # a row at once
        width, piece = 1, width * piece
    for y in range(height):
        for x in range(width):
            to = (y + link.padding_rows) * columns + x + link.padding_columns
            _copy_sent(image, to * channels, work, sent, (y * link.width + x) * link.channels, piece)
    across, run = link.kernel_width, channels
    if link.dilation_columns == 1:  # the taps of a row are neighbours in memory: one loop instead of two
        across, run = 1, across * run
    geometry = Geometry(
        link.out_height * link.out_width,
        link.out_channels,
        link.kernel_height,
        across,
        run,
        link.dilation_rows * columns * channels,
        link.dilation_columns * channels,
        max(1, INT16_MAX // (2 * 128 * max(1, events.max))),  # the largest products of an event and a weight, in pairs
    )
    _dot(acc, target, weights, link.packed, constants, link.corners, image, geometry)
