"""Neuron updates and event extraction: currents in, the next layer's event list out.

Reference: :func:`lava_mlsnn.sim.reference.step`. Each body below is the equation of one neuron class, on
:class:`~lava_mlsnn.sim.simd.Lanes`; the first value is the current, which is left at zero for the next step.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .events import clear, collect
from .simd import Lanes, elementwise, inlined, zero
from .tables import (
    CHUNK,
    DECODE,
    DECODE_ENCODE,
    ENCODE,
    FIRE,
    FIRE_ONCE,
    INTEGRATE,
    LEAKY,
    PASS,
    RESCALE,
    SOFT,
    STAIRS,
    Node,
)

Values = list[Lanes]


def _fire(values: Values, scalars: Values) -> dict[int, Lanes]:
    """Multi-level and barrier: the quotient H / threshold from a float product, off by one at most, then corrected."""
    current, v, _, bias, threshold, ceiling, inverse = values
    h = v + current + bias
    inside = h.clip(0, ceiling)
    z = inside.times_float(inverse)
    rest = inside - z * threshold
    z = z + (rest >= threshold).count() - (rest < 0).count()
    return {0: current ^ current, 1: h - z * threshold, 2: z}


def _fire_once(values: Values, scalars: Values) -> dict[int, Lanes]:
    """The same of one level: no quotient."""
    current, v, _, bias, threshold = values
    h = v + current + bias
    fired = h >= threshold
    none = current ^ current
    return {0: none, 1: h - fired.where(threshold, none), 2: fired.count()}


def _load(values: Values, scalars: Values) -> dict[int, Lanes]:
    current, _, bias = values
    return {0: current + bias, 1: current ^ current}


def _count(values: Values, scalars: Values) -> dict[int, Lanes]:
    current, z, threshold = values
    return {1: z + (current >= threshold).count()}


def _pass(values: Values, scalars: Values) -> dict[int, Lanes]:
    current, _, bias = values
    return {0: current ^ current, 1: current + bias}


def _integrate(values: Values, scalars: Values) -> dict[int, Lanes]:
    current, v, bias = values
    return {0: current ^ current, 1: v + current + bias}


def _decay(x: Lanes, keep: Lanes) -> Lanes:
    """sign(x) ((abs(x) keep) >> 12) in 32 bits: abs(x) in two pieces, of which the upper one needs no shift."""
    sign = x >> 31
    size = (x ^ sign) - sign
    kept = size.shift_in_zeros(12) * keep + ((size & 4095) * keep).shift_in_zeros(12)
    return (kept ^ sign) - sign


def _leaky(values: Values, scalars: Values) -> dict[int, Lanes]:
    current, u, v, _, bias = values
    keep_u, keep_v, threshold = scalars
    limit = 1 << 23
    u = _decay(u, keep_u) + (current << 6)
    u = (u > limit).where(u - 2 * limit, (u <= -limit).where(u + 2 * limit, u))
    v = (_decay(v, keep_v) + u + bias).clip(1 - limit, limit - 1)
    fired = v > threshold
    return {0: current ^ current, 1: u, 2: fired.where(0, v), 3: fired.count()}


def _soft(values: Values, scalars: Values) -> dict[int, Lanes]:
    current, v, _, scale, shift, offset, threshold = values
    keep, amplitude = scalars
    h = _decay(v, keep) + current.scaled(scale, shift) + offset
    none = current ^ current
    fired = h > threshold
    return {0: none, 1: h - fired.where(threshold, none), 2: fired.where(amplitude, none)}


def _rescale(values: Values, scalars: Values) -> dict[int, Lanes]:
    current, _, scale, shift, offset = values
    (limit,) = scalars
    none = current ^ current
    return {0: none, 1: (current.scaled(scale, shift) + offset).clip(none - limit, limit)}


def _delta(x: Lanes, act: Lanes, residue: Lanes, scalars: Values) -> tuple[Lanes, Lanes]:
    """(spikes, residue) of the delta encoding; the last scalar is -1 for the corrected model, else 0."""
    _, state_exp, threshold, corrected = scalars
    delta = x - act + residue
    sign = delta >> 31
    sent = (((delta ^ sign) - sign) >= threshold).where(delta, delta ^ delta)
    z = sent >> state_exp
    return z, delta - sent + ((sent - (z << state_exp)) & corrected)


def _encode(values: Values, scalars: Values) -> dict[int, Lanes]:
    current, act, residue, _ = values
    x = current << scalars[0]
    z, residue = _delta(x, act, residue, scalars)
    return {0: current ^ current, 1: x, 2: residue, 3: z}


def _decode_encode(values: Values, scalars: Values) -> dict[int, Lanes]:
    current, sigma, act, residue, _, bias = values
    sigma = sigma + current
    x = sigma + bias
    x = (x < 0).where(0, x)
    z, residue = _delta(x, act, residue, scalars)
    return {0: current ^ current, 1: sigma, 2: x, 3: residue, 4: z}


def _decode(values: Values, scalars: Values) -> dict[int, Lanes]:
    current, sigma, _ = values
    sigma = sigma + current
    return {0: current ^ current, 1: sigma, 2: sigma}


# Parameters of channels are shared by all sites: the index of their stretches.
_fire_loop, _pass_loop, _integrate_loop = (
    elementwise(_fire, (3, 4, 5, 6)),
    elementwise(_pass, (2,)),
    elementwise(_integrate, (2,)),
)
_fire_once_loop = elementwise(_fire_once, (3, 4))
_leaky_loop, _encode_loop, _decode_loop = elementwise(_leaky, (4,)), elementwise(_encode), elementwise(_decode)
_decode_encode_loop = elementwise(_decode_encode, (5,))
_load_loop, _count_loop = elementwise(_load, (2,)), elementwise(_count, (2,))
_soft_loop, _rescale_loop = elementwise(_soft, (3, 4, 5, 6)), elementwise(_rescale, (2, 3, 4))


@inlined
def _update(
    node: Any, constants: Any, floats: Any, work: Any, i: int, n: int, current: int, v: int, z: int, t: int
) -> None:
    """Neurons i .. i + n of a layer, with states from work[v] on, in step t of a sample; spikes go to work[z]."""
    kernel, size = node[Node.KERNEL], node[Node.STATE_SIZE]
    rounds, p = n // node[Node.CHANNELS], 0
    if node[Node.PER_SITE]:
        rounds, p = 1, i
    length = n // rounds
    c, b = current + i, node[Node.BIAS] + p
    if kernel in (FIRE, FIRE_ONCE):
        q = p + t % node[Node.COLUMNS] * node[Node.STRIDE]
        threshold, ceiling, inverse = node[Node.THRESHOLD] + q, node[Node.CEILING] + q, node[Node.INVERSE] + q
        if kernel == FIRE_ONCE:
            _fire_once_loop(rounds, length, (work, work, work, constants, constants), (c, v, z, b, threshold), ())
            return
        arrays = work, work, work, constants, constants, constants, floats
        _fire_loop(rounds, length, arrays, (c, v, z, b, threshold, ceiling, inverse), ())
    elif kernel == PASS:
        _pass_loop(rounds, length, (work, work, constants), (c, z, b), ())
    elif kernel == STAIRS:
        _load_loop(rounds, length, (work, work, constants), (c, z, b), ())
        for k in range(node[Node.COLUMNS]):
            threshold = node[Node.THRESHOLD] + p + k * node[Node.STRIDE]
            _count_loop(rounds, length, (work, work, constants), (c, z, threshold), ())
        zero(work, c, n)
    elif kernel == INTEGRATE:
        _integrate_loop(rounds, length, (work, work, constants), (c, v, b), ())
    elif kernel == LEAKY:
        scalars = np.int32(node[Node.A]), np.int32(node[Node.B]), np.int32(node[Node.C])
        _leaky_loop(rounds, length, (work, work, work, work, constants), (c, v, v + size, z, b), scalars)
    elif kernel in (SOFT, RESCALE):
        channels = node[Node.CHANNELS]
        scale = node[Node.SCALE] + t % node[Node.SCALES] * channels
        offset, shift = node[Node.OFFSET] + t % node[Node.OFFSETS] * channels, node[Node.SHIFT]
        if kernel == SOFT:
            keep, amplitude = np.int32(node[Node.A]), np.int32(node[Node.B])
            arrays = work, work, work, constants, constants, constants, constants
            _soft_loop(rounds, length, arrays, (c, v, z, scale, shift, offset, node[Node.THRESHOLD]), (keep, amplitude))
        else:
            where = c, z, scale, shift, offset
            _rescale_loop(
                rounds, length, (work, work, constants, constants, constants), where, (np.int32(node[Node.A]),)
            )
    elif kernel == DECODE:
        _decode_loop(rounds, length, (work, work, work), (c, v, z), ())
    else:
        shifts = np.int32(node[Node.A]), np.int32(node[Node.B]), np.int32(node[Node.C]), np.int32(node[Node.D])
        if kernel == ENCODE:
            _encode_loop(rounds, length, (work, work, work, work), (c, v, v + size, z), shifts)
        elif kernel == DECODE_ENCODE:
            places = c, v, v + size, v + 2 * size, z, b
            _decode_encode_loop(rounds, length, (work, work, work, work, work, constants), places, shifts)


@inlined
def fire(
    node: Any,
    constants: Any,
    floats: Any,
    work: Any,
    current: int,
    z: int,
    events: int,
    slot: Any,
    fresh: bool,
    t: int,
) -> None:
    """Step t of a sample of a layer: state (zero if ``fresh``) and currents in, event list out."""
    channels, sites, size = node[Node.CHANNELS], node[Node.SITES], node[Node.SIZE]
    clear(slot)
    at_once = min(max(CHUNK // channels, 1), sites)
    for site in range(0, sites, at_once):
        here = min(at_once, sites - site)
        state = node[Node.STATE]
        if node[Node.STATE_SIZE] == size:
            state += site * channels
        if fresh:
            for k in range(node[Node.STATES]):
                zero(work, state + k * node[Node.STATE_SIZE], here * channels)
        _update(node, constants, floats, work, site * channels, here * channels, current, state, z, t)
        if node[Node.KERNEL] != INTEGRATE:
            collect(work, z, site, here, channels, events, sites, size, slot)
