"""Kernels of synapses: each event adds the weights that it meets to the accumulators of a layer.

Any synapse can be computed by :func:`each_tap`; other kernels are faster for some layouts of weights. What a kernel
reads is described in :mod:`~lava_mlsnn.sim.synapses.arrangement`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types

from .event_lists import EventList, make_list
from .simd import I8, I32, WIDTH, constant, in_pieces, inlined, intrinsic, like, load, pointer_to, store

KERNELS: list[Any] = []
"""All of them: ``kernel(weights, constants, link, acc, target, work, events)`` adds to the accumulators at acc[target].

``link`` is the connection's record, ``events`` the list of what its sources sent. ``acc`` is int32, ``weights`` int8.
"""


def scatters(function: Callable[..., None]) -> Any:
    """Decorator that compiles a kernel and adds it to :data:`KERNELS`."""
    KERNELS.append(inlined(function))
    return KERNELS[-1]


@intrinsic
def scatter(
    typingctx: Any, kernel: Any, weights: Any, constants: Any, link: Any, acc: Any, target: Any, work: Any, events: Any
) -> Any:
    """``scatter(k, ...)``: call the kernel of number k, one of those that exist when the caller is compiled."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        for k, function in enumerate(KERNELS):
            with builder.if_then(builder.icmp_signed("==", args[0], constant(args[0].type, k))):
                context.compile_internal(builder, function.py_func, types.none(*sig.args[1:]), args[1:])
        return context.get_dummy_value()

    return types.none(kernel, weights, constants, link, acc, target, work, events), codegen


@scatters
def each_tap(weights: Any, constants: Any, link: Any, acc: Any, target: int, work: Any, events: EventList) -> None:
    """Any synapse, one event and tap at a time: any number of groups, any width of weights and accumulators."""
    make_list(work, events)
    channels, height, width, sites_end = events.channels, link.height, link.width, events.first
    row, features, own, size = link.row, link.out_channels, link.out_group, events.size
    if link.flat:
        channels, height, width = size, 1, 1
    for y in range(height):
        for x in range(width):
            site = y * width + x
            j, end = 0, events.count
            if not link.flat:
                j, end = work[events.offsets + site], work[events.offsets + site + 1]
            for e in range(sites_end + j, sites_end + end):
                channel, value = work[e] - site * channels, np.int64(work[e + size])
                group = channel // link.in_group
                for r in range(constants[link.rows_count + y]):
                    tap_row = (constants[link.rows_tap + y] + r * link.rows_tap_step) * link.kernel_width
                    out_row = (constants[link.rows_out + y] + r * link.rows_out_step) * link.out_width
                    for c in range(constants[link.columns_count + x]):
                        tap = constants[link.columns_tap + x] + c * link.columns_tap_step
                        out = constants[link.columns_out + x] + c * link.columns_out_step
                        w = link.weight + channel * row + (tap_row + tap) * own
                        a = target + (out_row + out) * features + group * own
                        for i in range(constants[link.columns_length + x] * own):
                            acc[a + i] += value * weights[w + i]


MANY = 1 / 16
"""From this share of non-zero values on, the kernel of one-to-one synapses goes through all of them."""


@intrinsic
def _add_products(
    typingctx: Any, acc: Any, a: Any, weights: Any, w: Any, work: Any, place: Any, first: Any, n: Any
) -> Any:
    """acc[a : a + n] += weights[w : w + n] times n unsigned bytes, of which the first is number ``first`` from
    work[place] on."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        target, base, sent = (pointer_to(context, builder, sig.args[k], args[k], args[k + 1]) for k in (0, 2, 4))
        values = builder.gep(builder.bitcast(sent, I8.as_pointer()), [args[6]])

        def emit(i: ir.Value, lanes: int) -> None:
            to = builder.gep(target, [i])
            weight, value = (load(builder, builder.gep(pointer, [i]), lanes) for pointer in (base, values))
            wide = like(I32, weight.type)
            product = builder.mul(builder.sext(weight, wide), builder.zext(value, wide))
            store(builder, builder.add(load(builder, to, lanes), product), to)

        in_pieces(builder, args[7], (WIDTH, 1), emit)
        return context.get_dummy_value()

    long = types.int64
    return types.void(acc, long, weights, long, work, long, long, long), codegen


@scatters
def one_to_one(weights: Any, constants: Any, link: Any, acc: Any, target: int, work: Any, events: EventList) -> None:
    """Every neuron to the one at its own place."""
    channels = link.channels
    if events.min >= 0 and events.max <= 255 and events.count >= MANY * events.size:
        for i in range(0, events.size, channels):
            _add_products(acc, target + i, weights, link.weight, work, events.first + 2 * events.size, i, channels)
        return
    make_list(work, events)
    for e in range(events.first, events.first + events.count):
        i = work[e]
        acc[target + i] += np.int64(work[e + events.size]) * weights[link.weight + i % channels]
