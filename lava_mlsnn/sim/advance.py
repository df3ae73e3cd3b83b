"""The compiled function that advances any network by some timesteps."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from numba import int32, int64, typeof

from ..helpers import compiling
from . import event_lists, neurons, phase, scatter
from .event_lists import EventList, begin, clear, collect, event_list, make_list
from .records import Counts, Memory, Tables
from .simd import copy, inlined, inner, jit, zero
from .transmit import transmit
from .update import fire

length, when = inner(event_lists.length), inner(phase.phase)


@inner
def _slot(row: Any, step: int) -> int:
    """Number of the slot in which a node describes what it sent in a step."""
    return row.first_slot + (step % row.slots if row.slots > 1 else 0)


@inner
def _list(row: Any, slot: int) -> int:
    """Place in work of the list that belongs to a slot."""
    return row.lists + (slot - row.first_slot) * length(row.sites, row.size)


@inner
def _sent(row: Any, memory: Memory, step: int) -> EventList:
    """What a node sent in a step."""
    slot = _slot(row, step)
    return event_list(_list(row, slot), row.sites, row.channels, memory.slots[slot], memory.control[0].spikes)


@inlined
def _received(tables: Tables, memory: Memory, link: Any, node: int, step: int, age: int) -> tuple[EventList, int]:
    """What the sources of a connection sent, summed, as one list; and how many of its events have no delay.

    For a synapse with delays, there are as many copies of all sites as delays: in each copy is what was sent so many
    steps before. Nothing is read that was sent before the layer's reset, ``age`` steps ago.
    """
    first, end, delays = link.first_source, link.end_source, link.delay_count
    nodes, slots, work, control = tables.nodes, memory.slots, memory.work, memory.control[0]
    source = tables.sources[first]
    if end == first + 1 and delays == 1 and (age > 0 or source.node != node):
        events = _sent(nodes[source.node], memory, step - source.lag)
        return events, events.count
    row, slot, seen = nodes[source.node], slots[len(slots) - 1], 0
    clear(slot)
    events = event_list(control.merged_events, row.sites * delays, row.channels, slot, control.spikes)
    for k in range(delays):
        delay = tables.constants[link.delays + k]
        for s in range(first, end):
            source = tables.sources[s]
            if delay + (1 if source.node == node else 0) > age:
                continue
            part = _sent(nodes[source.node], memory, step - source.lag - delay)
            for e in range(part.first, part.first + part.count):
                work[control.merged + work[e]] += work[e + part.size]
        collect(work, control.merged, events, slot, k * row.sites, row.sites)
        zero(work, control.merged, row.size)
        if k == 0:
            seen = slot.count
    return event_list(control.merged_events, row.sites * delays, row.channels, slot, control.spikes), seen


@inlined
def _layer(tables: Tables, memory: Memory, now: Any, node: int) -> None:
    """One step of one layer: all synapses, then the neurons."""
    nodes, control = tables.nodes, memory.control[0]
    row, step, count = nodes[node], control.step, len(nodes)
    slot = memory.slots[_slot(row, step)]
    if row.gated and step <= row.depth:
        clear(slot)
        return
    age, t = when(step, row.depth, control.interval, control.offset, control.period)
    for i in range(row.first_link, row.end_link):
        link = tables.links[i]
        events, now[3 * count + i] = _received(tables, memory, link, node, step, age)
        overflown = transmit(tables, memory, link, events, row.size * row.currents)
        if link.counted:
            now[2 * count + node] += overflown
    fire(tables, memory, row, _sent(row, memory, step), slot, age, t)
    now[node], now[count + node] = slot.count, slot.sum


@inlined
def _count(counts: Counts, control: Any) -> None:
    """Add the counts of one step, in sample time: those of a sample are added when its last step has left the network.

    In a pipeline every layer is ``depth`` steps late, so counts wait in a ring until the deepest layer has caught up.
    """
    step, latency, period = control.step, control.latency, control.period
    now, ring, sample, totals = counts.now, counts.ring, counts.sample, counts.totals
    for k in range(len(now)):
        ring[step % len(ring), k] = now[k]
    if step <= latency:
        return
    _, t = when(step, latency, 0, 0, period)
    for k in range(len(now)):
        sample[t, k] = ring[(step - latency + counts.depths[k]) % len(ring), k]
    if t == period - 1:
        for i in range(period):
            for k in range(len(now)):
                totals[i, k] += sample[i, k]
        control.samples += 1


@inlined
def _copy_out(tables: Tables, memory: Memory, places: Any, frames: Any, begin: int) -> None:
    """Spikes of the wanted nodes (a readout's voltage), dense, into ``frames``, each at its place after ``begin``."""
    nodes, work = tables.nodes, memory.work
    for node in range(len(nodes)):
        if places[node] < 0:
            continue
        start, row = begin + places[node], nodes[node]
        if not row.spiking:
            copy(frames, start, work, row.state, row.size)
            continue
        zero(frames, start, row.size)
        events = _sent(row, memory, memory.control[0].step)
        make_list(work, events)
        for e in range(events.first, events.first + events.count):
            frames[start + work[e]] = work[e + events.size]


@inlined
def _read(memory: Memory, row: Any, images: Any, i: int, slot: Any) -> None:
    """Image i as the event list of the input."""
    work, control = memory.work, memory.control[0]
    copy(work, control.merged, images, i * row.size, row.size)
    begin(row, slot)
    collect(work, control.merged, _sent(row, memory, control.step), slot, 0, row.sites)
    zero(work, control.merged, row.size)


@lru_cache
def _dispatcher(stamp: int) -> Any:
    """The function that numba compiles; ``stamp`` is a part of what its cache looks at."""

    def advance(tables: Tables, memory: Memory, counts: Counts, images: Any, places: Any, frames: Any) -> int:
        version = stamp
        slots, control, now, source = memory.slots, memory.control[0], counts.now, tables.nodes[0]
        if control.restart:
            control.step = 0
            for k in range(len(slots)):
                clear(slots[k])
        for i in range(control.steps):
            control.step += 1
            zero(now, 0, len(now))
            slot = slots[_slot(source, control.step)]
            frame = min(i, len(images) // source.size - 1)
            if frame == i or source.slots > 1:  # else the only list still holds the image that stays
                _read(memory, source, images, frame, slot)
            now[0], now[len(tables.nodes)] = slot.count, slot.sum
            for node in range(1, len(tables.nodes)):
                _layer(tables, memory, now, node)
            _count(counts, control)
            _copy_out(tables, memory, places, frames, i * (len(frames) // control.steps))
        return version

    compiling.watch()
    try:
        return jit(nogil=True, cache=True, error_model="numpy")(advance)
    except RuntimeError:  # nowhere to write a cache: a read-only installation and no home
        return jit(nogil=True, error_model="numpy")(advance)


def _stamp(kernels: Iterable[Any]) -> int:
    """A hash of these sources and of the kernels, which keeps numba's cache from serving an older version.

    By itself the cache only looks at the file of the function that it keeps, and at the values which that closes over.
    """
    digest, folder = hashlib.sha256(), Path(__file__).parent
    files = sorted(folder.rglob("*.py"))
    for function in kernels:
        digest.update(f"{function.__module__} {function.__qualname__} {function.__code__.co_code!r}".encode())
        path = Path(function.__code__.co_filename)
        if folder not in path.parents and path.is_file():
            files.append(path)
    for path in files:
        digest.update(path.read_bytes())
    return int.from_bytes(digest.digest()[:7], "little")


_ENTRIES: dict[tuple[int, int], Callable[..., int]] = {}
_LOCK = Lock()


def advance(tables: Tables, memory: Memory, counts: Counts, images: Any, places: Any, frames: Any) -> None:
    """Compute as many timesteps as ``memory.control`` says.

    The function is compiled, or read from numba's cache, at first use, and again when kernels have been added since.
    Afterwards its entry is called directly: numba would look up the types of all arguments, which never change, at
    each call.

    Args:
        tables, memory, counts: see :mod:`~lava_mlsnn.sim.records`.
        images: int32, C-contiguous, one after the other: one per step, or one that stays.
        places: int64, per node: where its spikes go in the row of a step, negative for nodes that nobody asked for.
        frames: int32, a row per step.
    """
    key = len(neurons.KERNELS), len(scatter.KERNELS)
    if key not in _ENTRIES:
        with _LOCK:
            if key not in _ENTRIES:
                records = (typeof(x) for x in (tables, memory, counts))
                _ENTRIES[key] = compiling.entry(dispatcher(), (*records, int32[::1], int64[::1], int32[::1]))
    _ENTRIES[key](tables, memory, counts, images, places, frames)


def dispatcher() -> Any:
    """numba's object for the kernels that there are now."""
    steps = [kernel.step for kernel in neurons.KERNELS]
    return _dispatcher(_stamp([*steps, *(kernel.py_func for kernel in scatter.KERNELS)]))
