"""The dense path: a convolution of an image in which most values are not zero, in registers and float32.

Reference: :meth:`lava_mlsnn.graph.synapses.Conv.accumulate`. A float32 sum of integers is exact, in any order, as long
as no partial sum can pass 2**24; the caller checks that bound and takes the event-driven path otherwise.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.core import cgutils

from .event_lists import EventList, make_list
from .simd import F32, I32, I64, at, constant, in_pieces, inner, intrinsic, like, load, pointer_to, spread, store, zero

EXACT = 2**24
"""Bound of the sums within which float32 has every integer."""

POSITIONS = 4, 1
"""Neighbouring outputs that are summed side by side, and those that are left over."""
BLOCKS = (64, 16), (16, 16), (1, 1)
"""Output channels that are, and how many of them are in one vector. 4 x 64 sums fill the registers of AVX-512."""


class Geometry(NamedTuple):
    """A convolution of channels-last images: sizes, and the distances of neighbours in ``image``."""

    out_height: Any
    out_width: Any
    features: Any
    kernel_height: Any
    kernel_width: Any
    channels: Any
    weight_row: Any  # weights of one input channel
    down: Any  # of outputs
    across: Any
    tap_down: Any  # of taps of the kernel
    tap_across: Any


@intrinsic
def _convolution(
    typingctx: Any, acc: Any, a: Any, weights: Any, w: Any, taps: Any, order: Any, image: Any, geometry: Any
) -> Any:
    """Add all outputs, from acc[a] on: features in blocks, whose weights stay in the second cache, then rows, columns.

    ``weights``, from w on, are (channels, rows, columns, features); taps[order + k] is the position of column k.
    """

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        pairs = (
            pointer_to(context, builder, kind, array, place)
            for kind, array, place in zip(
                (sig.args[k] for k in (0, 2, 4, 6)),
                (args[k] for k in (0, 2, 4, 6)),
                (args[1], args[3], args[5], I64(0)),
                strict=True,
            )
        )
        target, base, columns, pixels = pairs
        g = Geometry(*(builder.extract_value(args[7], k) for k in range(len(Geometry._fields))))
        lanes_of = dict(BLOCKS)

        def block(first: ir.Value, features: int) -> None:
            with cgutils.for_range(builder, g.out_height, intp=I64) as y:
                row = builder.mul(y.index, g.out_width)

                def outputs(x: ir.Value, positions: int) -> None:
                    place = builder.add(builder.mul(builder.add(row, x), g.features), first)
                    corner = builder.add(builder.mul(y.index, g.down), builder.mul(x, g.across))
                    tile = _Tile(builder, g, positions, features, lanes_of[features])
                    tile.add_taps(builder.gep(base, [first]), columns, builder.gep(pixels, [corner]))
                    tile.store(builder.gep(target, [place]))

                in_pieces(builder, g.out_width, POSITIONS, outputs)

        in_pieces(builder, g.features, tuple(lanes_of), block)
        return context.get_dummy_value()

    return types.void(acc, a, weights, w, taps, order, image, geometry), codegen


class _Tile:
    """Emits the sums of a few outputs times a block of features, all of which are kept in registers."""

    def __init__(self, builder: ir.IRBuilder, geometry: Geometry, positions: int, features: int, lanes: int) -> None:
        self.builder, self.geometry, self.lanes = builder, geometry, lanes
        self.kind = ir.VectorType(F32, lanes) if lanes > 1 else F32
        vectors = range(features // lanes)
        self.sums = [[cgutils.alloca_once(builder, self.kind) for _ in vectors] for _ in range(positions)]
        for line in self.sums:
            for total in line:
                builder.store(constant(self.kind, 0), total)

    def add_taps(self, weights: ir.Value, columns: ir.Value, pixels: ir.Value) -> None:
        """Over rows and columns of the kernel and input channels."""
        b, g, loop = self.builder, self.geometry, cgutils.for_range
        with loop(b, g.kernel_height, intp=I64) as r, loop(b, g.kernel_width, intp=I64) as c:
            position = b.sext(b.load(b.gep(columns, [c.index])), I64)
            tap = b.add(b.mul(r.index, g.kernel_width), position)
            here = b.gep(weights, [b.mul(tap, g.features)])
            corner = b.add(b.mul(r.index, g.tap_down), b.mul(c.index, g.tap_across))
            with loop(b, g.channels, intp=I64) as channel:
                line = b.gep(here, [b.mul(channel.index, g.weight_row)])
                values = []
                for v in range(len(self.sums[0])):
                    raw = load(b, b.gep(line, [I64(v * self.lanes)]), self.lanes)
                    values.append(b.sitofp(b.sext(raw, like(I32, raw.type)), self.kind))
                for p, sums in enumerate(self.sums):
                    offset = b.add(corner, b.add(channel.index, b.mul(g.across, I64(p))))
                    pixel = spread(b, b.load(b.gep(pixels, [offset])), self.lanes)
                    for value, total in zip(values, sums, strict=True):
                        product = b.fmul(pixel, value, flags=("contract",))
                        b.store(b.fadd(b.load(total), product, flags=("contract",)), total)

    def store(self, target: ir.Value) -> None:
        """Add the sums to the int32 accumulators."""
        b = self.builder
        for p, sums in enumerate(self.sums):
            line = b.gep(target, [b.mul(self.geometry.features, I64(p))])
            for v, total in enumerate(sums):
                place = b.gep(line, [I64(v * self.lanes)])
                value = b.fptosi(b.load(total), like(I32, self.kind))
                store(b, b.add(load(b, place, self.lanes), value), place)


@inner
def convolve(
    weights: Any, constants: Any, link: Any, acc: Any, target: int, work: Any, events: EventList, image: Any
) -> None:
    """A kernel like those of :mod:`~lava_mlsnn.sim.scatter`, for layouts with ``dense``.

    ``image`` is float32 memory for the padded input.
    """
    make_list(work, events)
    height, width, channels = link.height, link.width, link.channels
    rows, columns = link.padded_height, link.padded_width
    zero(image, 0, rows * columns * channels)
    for site in range(height * width):
        y, x = site // width + link.padding_rows, site % width + link.padding_columns
        if y >= rows or x >= columns:
            continue
        shift = ((y * columns + x) - site) * channels
        for e in range(
            events.first + at(work, events.offsets + site), events.first + at(work, events.offsets + site + 1)
        ):
            image[at(work, e) + shift] = work[e + events.size]
    line = columns * channels
    geometry = Geometry(
        link.out_height,
        link.out_width,
        link.out_channels,
        link.kernel_height,
        link.kernel_width,
        channels,
        link.row,
        link.stride_rows * line,
        link.stride_columns * channels,
        link.dilation_rows * line,
        link.dilation_columns * channels,
    )
    _convolution(acc, target, weights, link.weight, constants, link.order, image, geometry)
