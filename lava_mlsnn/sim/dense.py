"""The dense path: a convolution of an image in which most values are not zero, in registers and float32.

Reference: :func:`lava_mlsnn.sim.reference.accumulate`. A float32 sum of integers is exact, in any order, as long as no
partial sum can pass 2**24; the caller checks that bound and takes the event-driven path otherwise.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from .simd import F32, I32, I64, at, constant, inner, intrinsic, like, load, pointer_to, spread, store, zero
from .tables import Link

EXACT = 2**24
"""Bound of the sums within which float32 has every integer."""


def dense_block(positions: int, vectors: int, lanes: int) -> Any:
    """``block(acc, a, features, weights, w, taps, order, image, x, across, down, sizes)``: a block of a convolution.

    ``positions`` neighbouring outputs times ``vectors * lanes`` output channels are summed in registers, over all taps
    and input channels: float32, which is exact while sums stay within 2**24.

    Args:
        acc, a, features: the int32 accumulators: where output 0 begins, distance of two outputs.
        weights, w: int8 (channels, rows, columns, features): where the block's channels begin.
        taps, order: position of each column of the kernel: taps[order + k].
        image, x: float32 (padded rows, padded columns, channels): where output 0's first tap begins.
        across: distance in ``image`` of two outputs.
        down: distances of two rows and two columns of the kernel.
        sizes: rows and columns of the kernel, channels, weights of one channel.
    """
    long = types.int64

    @intrinsic
    def block(
        typingctx: Any,
        acc: Any,
        a: Any,
        features: Any,
        weights: Any,
        w: Any,
        taps: Any,
        order: Any,
        image: Any,
        x: Any,
        across: Any,
        down: Any,
        sizes: Any,
    ) -> Any:
        pairs = types.UniTuple(long, 2), types.UniTuple(long, 4)
        signature = types.void(acc, long, long, weights, long, taps, long, image, long, long, *pairs)

        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            acc_array, a, features, weight_array, w, tap_array, order, image_array, x, across, down, sizes = args
            target = pointer_to(context, builder, sig.args[0], acc_array, a)
            base = pointer_to(context, builder, sig.args[3], weight_array, w)
            columns = pointer_to(context, builder, sig.args[5], tap_array, order)
            pixels = pointer_to(context, builder, sig.args[7], image_array, x)
            kind = ir.VectorType(F32, lanes) if lanes > 1 else F32
            rows_step, columns_step = (builder.extract_value(down, k) for k in range(2))
            kernel_rows, kernel_columns, channels, row = (builder.extract_value(sizes, k) for k in range(4))
            sums = [[cgutils.alloca_once(builder, kind) for _ in range(vectors)] for _ in range(positions)]
            for line in sums:
                for place in line:
                    builder.store(constant(kind, 0), place)
            loop = cgutils.for_range
            with (
                loop(builder, kernel_rows, intp=I64) as down_loop,
                loop(builder, kernel_columns, intp=I64) as across_loop,
            ):
                position = builder.sext(builder.load(builder.gep(columns, [across_loop.index])), I64)
                tap = builder.add(builder.mul(down_loop.index, kernel_columns), position)
                here = builder.gep(base, [builder.mul(tap, features)])
                corner = builder.add(
                    builder.mul(down_loop.index, rows_step), builder.mul(across_loop.index, columns_step)
                )
                with loop(builder, channels, intp=I64) as channel:
                    line = builder.gep(here, [builder.mul(channel.index, row)])
                    values = []
                    for v in range(vectors):
                        raw = load(builder, builder.gep(line, [I64(v * lanes)]), lanes)
                        values.append(builder.sitofp(builder.sext(raw, like(I32, raw.type)), kind))
                    for p in range(positions):
                        offset = builder.add(corner, builder.add(channel.index, builder.mul(across, I64(p))))
                        pixel = spread(builder, builder.load(builder.gep(pixels, [offset])), lanes)
                        for v in range(vectors):
                            product = builder.fmul(pixel, values[v], flags=("contract",))
                            total = builder.fadd(builder.load(sums[p][v]), product, flags=("contract",))
                            builder.store(total, sums[p][v])
            for p in range(positions):
                line = builder.gep(target, [builder.mul(features, I64(p))])
                for v in range(vectors):
                    place = builder.gep(line, [I64(v * lanes)])
                    total = builder.fptosi(builder.load(sums[p][v]), like(I32, kind))
                    store(builder, builder.add(load(builder, place, lanes), total), place)
            return context.get_dummy_value()

        return signature, codegen

    return block


BLOCK, VECTOR, POSITIONS = 64, 16, 4
_block_4, _vector_4, _single_4 = dense_block(4, 4, 16), dense_block(4, 1, 16), dense_block(4, 1, 1)
_block_1, _vector_1, _single_1 = dense_block(1, 4, 16), dense_block(1, 1, 16), dense_block(1, 1, 1)


@inner
def convolve(
    weights: Any,
    constants: Any,
    link: Any,
    acc: Any,
    target: int,
    work: Any,
    events: int,
    slot: Any,
    size: int,
    image: Any,
) -> None:
    """Add a convolution (one group, int8 weights) of the event list at ``events`` to the accumulators.

    ``image`` is float32 scratch for the padded input.
    """
    height, width, channels = link[Link.HEIGHT], link[Link.WIDTH], link[Link.CHANNELS]
    rows, columns = link[Link.PADDED_HEIGHT], link[Link.PADDED_WIDTH]
    zero(image, 0, rows * columns * channels)
    for site in range(height * width):
        y, x = site // width + link[Link.PADDING_ROWS], site % width + link[Link.PADDING_COLUMNS]
        if y >= rows or x >= columns:
            continue
        shift = ((y * columns + x) - site) * channels
        first = events + height * width + 1
        for e in range(first + at(work, events + site), first + at(work, events + site + 1)):
            image[at(work, e) + shift] = work[e + size]
    _blocks(weights, constants, link, acc, target, image)


@inner
def _blocks(weights: Any, constants: Any, link: Any, acc: Any, target: int, image: Any) -> None:
    """All outputs, channels in blocks as wide as possible; a block's weights stay in the second cache."""
    channels, features, across_out = link[Link.CHANNELS], link[Link.OUT_CHANNELS], link[Link.OUT_WIDTH]
    line, order = link[Link.PADDED_WIDTH] * channels, link[Link.ORDER]
    across = link[Link.STRIDE_COLUMNS] * channels
    down = link[Link.DILATION_ROWS] * line, link[Link.DILATION_COLUMNS] * channels
    sizes = link[Link.KERNEL_HEIGHT], link[Link.KERNEL_WIDTH], channels, link[Link.ROW]
    done = 0
    while done < features:
        left = features - done
        block = BLOCK if left >= BLOCK else (VECTOR if left >= VECTOR else 1)
        w = link[Link.WEIGHT] + done
        for y in range(link[Link.OUT_HEIGHT]):
            x = 0
            while x < across_out:
                a = target + (y * across_out + x) * features + done
                begin = y * link[Link.STRIDE_ROWS] * line + x * across
                if x + POSITIONS <= across_out:
                    if block == BLOCK:
                        _block_4(acc, a, features, weights, w, constants, order, image, begin, across, down, sizes)
                    elif block == VECTOR:
                        _vector_4(acc, a, features, weights, w, constants, order, image, begin, across, down, sizes)
                    else:
                        _single_4(acc, a, features, weights, w, constants, order, image, begin, across, down, sizes)
                    x += POSITIONS
                else:
                    if block == BLOCK:
                        _block_1(acc, a, features, weights, w, constants, order, image, begin, across, down, sizes)
                    elif block == VECTOR:
                        _vector_1(acc, a, features, weights, w, constants, order, image, begin, across, down, sizes)
                    else:
                        _single_1(acc, a, features, weights, w, constants, order, image, begin, across, down, sizes)
                    x += 1
        done += block
