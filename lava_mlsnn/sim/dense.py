"""The dense path: a convolution of an image in which most values are not zero, in registers and float32.

Reference: :func:`lava_mlsnn.sim.reference.accumulate`. A float32 sum of integers is exact, in any order, as long as no
partial sum can pass 2**24; the caller checks that bound and takes the event-driven path otherwise.
"""

from __future__ import annotations

from typing import Any

from .program import Link
from .simd import at, dense_block, inner, zero

EXACT = 2**24
"""Bound of the sums within which float32 has every integer."""

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
