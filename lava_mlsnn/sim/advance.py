"""The compiled function that advances any network by some timesteps."""

from __future__ import annotations

import hashlib
from enum import IntEnum
from pathlib import Path
from typing import Any

from .dynamics import fire
from .events import clear, collect
from .scatter import transmit
from .simd import copy, inlined, inner, jit, zero
from .tables import INTEGRATE, Link, Node, Place, Slot


class Control(IntEnum):
    """What :class:`~.engine.Engine` tells the compiled function; the places of :class:`~.tables.Place` come before."""

    STEP = len(Place)  # the last timestep that has been computed
    STEPS = STEP + 1  # how many to compute
    PIPELINED = STEP + 2
    INTERVAL = STEP + 3  # between resets; 0 for none
    OFFSET = STEP + 4
    PERIOD = STEP + 5  # timesteps of a sample, T
    LATENCY = STEP + 6  # of the deepest layer
    SAMPLES = STEP + 7  # out: complete samples counted


@inner
def _list(nodes: Any, node: int, slots: Any, step: int) -> tuple[int, Any]:
    """Where the events of a node at ``step`` lie, and their slot."""
    row = nodes[node]
    turn = step % row[Node.SLOTS]
    return row[Node.EVENTS] + turn * (row[Node.SITES] + 1 + 2 * row[Node.SIZE]), slots[row[Node.FIRST_SLOT] + turn]


@inlined
def _merge(
    nodes: Any, sources: Any, link: Any, slots: Any, work: Any, control: Any, step: int, node: int, fresh: bool
) -> tuple[int, Any]:
    """The event list of a connection's summed sources; a layer that has just been reset does not hear itself."""
    first, end = link[Link.FIRST_SOURCE], link[Link.END_SOURCE]
    merged, empty = control[Place.MERGED], slots[len(slots) - 1]
    if end == first + 1:
        if fresh and sources[first, 0] == node:
            clear(empty)
            return control[Place.MERGED_EVENTS], empty
        return _list(nodes, sources[first, 0], slots, step - sources[first, 1])
    row = nodes[sources[first, 0]]
    sites, size = row[Node.SITES], row[Node.SIZE]
    for s in range(first, end):
        events, slot = _list(nodes, sources[s, 0], slots, step - sources[s, 1])
        for e in range(events + sites + 1, events + sites + 1 + slot[Slot.COUNT]):
            work[merged + work[e]] += work[e + size]
    clear(empty)
    collect(work, merged, 0, sites, row[Node.CHANNELS], control[Place.MERGED_EVENTS], sites, size, empty)
    zero(work, merged, size)
    return control[Place.MERGED_EVENTS], empty


@inlined
def _late(
    nodes: Any,
    sources: Any,
    constants: Any,
    link: Any,
    slots: Any,
    work: Any,
    control: Any,
    step: int,
    node: int,
    age: int,
) -> tuple[int, Any, int]:
    """The event list of a synapse with delays: for each delay the summed sources of so long ago, as a site of its own,
    but nothing of before the last reset, ``age`` steps ago. Last, the number of events that are not late."""
    first, end, size = link[Link.FIRST_SOURCE], link[Link.END_SOURCE], link[Link.CHANNELS]
    merged, begin, merged_slot = control[Place.MERGED], control[Place.MERGED_EVENTS], slots[len(slots) - 1]
    count, seen = link[Link.LATES], 0
    clear(merged_slot)
    for k in range(count):
        late = constants[link[Link.LATE] + k]
        for s in range(first, end):
            source = sources[s, 0]
            if late + (1 if source == node else 0) > age:
                continue
            events, slot = _list(nodes, source, slots, step - sources[s, 1] - late)
            start = events + nodes[source, Node.SITES] + 1
            for e in range(start, start + slot[Slot.COUNT]):
                work[merged + work[e]] += work[e + size]
        collect(work, merged, k, 1, size, begin, count, count * size, merged_slot)
        zero(work, merged, size)
        if k == 0:
            seen = merged_slot[Slot.COUNT]
    return begin, merged_slot, seen


@inlined
def _layer(
    weights: Any,
    wide_weights: Any,
    constants: Any,
    floats: Any,
    bounds: Any,
    nodes: Any,
    links: Any,
    sources: Any,
    work: Any,
    wide_work: Any,
    image: Any,
    dense_from: Any,
    slots: Any,
    control: Any,
    step: int,
    node: int,
    now: Any,
) -> None:
    """One step of one layer: all synapses, then the neurons. Counts go to ``now``."""
    row, count = nodes[node], len(nodes)
    events, slot = _list(nodes, node, slots, step)
    depth, interval = row[Node.DEPTH], control[Control.INTERVAL]
    if control[Control.PIPELINED] and row[Node.GATED] and step <= depth:
        clear(slot)
        return
    fresh = interval > 0 and (step - control[Control.OFFSET] - 1 - depth) % interval == 0
    for i in range(row[Node.FIRST_CONNECTION], row[Node.END_CONNECTION]):
        link = links[i]
        size = nodes[sources[link[Link.FIRST_SOURCE], 0], Node.SIZE]
        if link[Link.LATES]:
            age = (step - control[Control.OFFSET] - 1 - depth) % interval if interval > 0 else step
            source_events, source_slot, seen = _late(
                nodes, sources, constants, link, slots, work, control, step, node, age
            )
            size *= link[Link.LATES]
        else:
            source_events, source_slot = _merge(nodes, sources, link, slots, work, control, step, node, fresh)
            seen = source_slot[Slot.COUNT]
        now[3 * count + i] = seen
        overflown = transmit(
            weights,
            wide_weights,
            constants,
            link,
            bounds[i],
            work,
            wide_work,
            image,
            dense_from,
            control[Place.CURRENT],
            control[Place.SCRATCH],
            source_events,
            source_slot,
            size,
            row[Node.SIZE],
        )
        if link[Link.COUNTED]:
            now[2 * count + node] += overflown
    blank = fresh or (step == 1 and not control[Control.PIPELINED])
    turn = (step - 1) % control[Control.PERIOD]
    if control[Control.PIPELINED]:
        since = step - depth - 1
        turn = ((since - control[Control.OFFSET]) % interval if interval > 0 else since) % control[Control.PERIOD]
    fire(row, constants, floats, work, control[Place.CURRENT], control[Place.SPIKES], events, slot, blank, turn)
    now[node], now[count + node] = slot[Slot.COUNT], slot[Slot.SUM]


@inlined
def _count(now: Any, depths: Any, ring: Any, sample: Any, totals: Any, control: Any, step: int) -> None:
    """Add the counts of one step, in sample time: those of a sample are added when its last step has left the network.

    In a pipeline every layer is ``depth`` steps late, so counts wait in a ring until the deepest layer has caught up.
    """
    latency, period = control[Control.LATENCY], control[Control.PERIOD]
    for k in range(len(now)):
        ring[step % len(ring), k] = now[k]
    t = (step - latency - 1) % period
    if step <= latency:
        return
    for k in range(len(now)):
        sample[t, k] = ring[(step - latency + depths[k]) % len(ring), k]
    if t == period - 1:
        for i in range(period):
            for k in range(len(now)):
                totals[i, k] += sample[i, k]
        control[Control.SAMPLES] += 1


@inlined
def _copy_out(nodes: Any, slots: Any, work: Any, places: Any, frames: Any, step: int, begin: int) -> None:
    """Spikes of the wanted nodes (a readout's voltage), dense, into ``frames``, each at its place after ``begin``."""
    for node in range(len(nodes)):
        start, size = begin + places[node], nodes[node, Node.SIZE]
        if places[node] < 0:
            continue
        if nodes[node, Node.KERNEL] == INTEGRATE and node > 0:
            state = nodes[node, Node.STATE]
            copy(frames, start, work, state, size)
            continue
        zero(frames, start, size)
        events, slot = _list(nodes, node, slots, step)
        first = events + nodes[node, Node.SITES] + 1
        for e in range(first, first + slot[Slot.COUNT]):
            frames[start + work[e]] = work[e + size]


def _advance(stamp: int) -> Any:
    """The compiled function. ``stamp``, a hash of these sources, keeps numba's cache from serving an older version:
    the cache itself looks at this file only."""

    def advance(
        weights: Any,
        wide_weights: Any,
        constants: Any,
        floats: Any,
        bounds: Any,
        nodes: Any,
        links: Any,
        sources: Any,
        work: Any,
        wide_work: Any,
        image: Any,
        dense_from: Any,
        slots: Any,
        control: Any,
        images: Any,
        now: Any,
        depths: Any,
        ring: Any,
        sample: Any,
        totals: Any,
        wanted: Any,
        frames: Any,
    ) -> int:
        version = stamp
        pipelined = control[Control.PIPELINED]
        if not pipelined:
            control[Control.STEP] = 0
            for k in range(len(slots)):
                clear(slots[k])
        for i in range(control[Control.STEPS]):
            control[Control.STEP] += 1
            step = control[Control.STEP]
            zero(now, 0, len(now))
            events, slot = _list(nodes, 0, slots, step)
            frame = min(i, len(images) // nodes[0, Node.SIZE] - 1)
            if frame == i or nodes[0, Node.SLOTS] > 1:  # else the only list still holds the image that stays
                _read(nodes, images, frame, work, control[Place.MERGED], events, slot)
            now[0], now[len(nodes)] = slot[Slot.COUNT], slot[Slot.SUM]
            for node in range(1, len(nodes)):
                _layer(
                    weights,
                    wide_weights,
                    constants,
                    floats,
                    bounds,
                    nodes,
                    links,
                    sources,
                    work,
                    wide_work,
                    image,
                    dense_from,
                    slots,
                    control,
                    step,
                    node,
                    now,
                )
            _count(now, depths, ring, sample, totals, control, step)
            _copy_out(nodes, slots, work, wanted, frames, step, i * (len(frames) // control[Control.STEPS]))
        return version

    try:
        return jit(nogil=True, cache=True, error_model="numpy")(advance)
    except RuntimeError:  # nowhere to write a cache: a read-only installation and no home
        return jit(nogil=True, error_model="numpy")(advance)


@inlined
def _read(nodes: Any, images: Any, i: int, work: Any, begin: int, events: int, slot: Any) -> None:
    """Image i as an event list."""
    sites, channels, size = nodes[0, Node.SITES], nodes[0, Node.CHANNELS], nodes[0, Node.SIZE]
    copy(work, begin, images, i * size, size)
    clear(slot)
    collect(work, begin, 0, sites, channels, events, sites, size, slot)
    zero(work, begin, size)


def _stamp() -> int:
    sources = sorted(Path(__file__).parent.glob("*.py"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).digest()
    return int.from_bytes(digest[:4], "little")


advance = _advance(_stamp())
