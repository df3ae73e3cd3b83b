"""Batch mode: layer after layer in sample time, with states that start at zero for every sample."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..graph.activity import Activity
from ..graph.graph import INPUT, NetGraph
from ..graph.synapses import Synapse
from .reference import Ints, initial_state, overflows, step, wrap

PIECE = 16
"""Samples computed at a time: memory does not grow with the number of images."""

COPIED = 1 << 22
"""Spikes that are held at a time: memory does not grow with T beyond what is returned."""


@dataclass(frozen=True, eq=False)
class Result:
    """Output, counts, traces and overflows of a run, as in :class:`~lava_mlsnn.sim.Run`."""

    output: NDArray[np.int64]
    activity: Activity
    traces: dict[str, Ints]
    overflows: dict[str, int]


def reference(
    graph: NetGraph,
    images: NDArray[Any],
    trace: tuple[str, ...],
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Result:
    """The plain numpy engine, in one thread whatever ``threads`` is; it holds a few samples, and their last steps."""
    activity, overflown = Activity.zeros(graph, len(images)), dict.fromkeys((layer.name for layer in graph), 0)
    outputs = np.zeros((len(images), graph.output.size), np.int64)
    traces = {name: np.zeros((len(images), *graph.shape(name), graph.timesteps), np.int32) for name in trace}
    piece = min(PIECE, max(1, COPIED // (prod(graph.input.shape) + sum(layer.size for layer in graph))))
    for start in range(0, len(images), piece):
        part = slice(start, start + piece)
        for t, now in enumerate(each_step(graph, images[part])):
            for name, spikes in now.spikes.items():
                if name == INPUT or graph[name].neuron.spiking:
                    activity.events[name][t] += np.count_nonzero(spikes)
                    activity.values[name][t] += np.abs(spikes.astype(np.int64)).sum()
                if name in traces:
                    traces[name][part, ..., t] = spikes
            for name, left in now.overflows.items():
                activity.sites[name][:, t] += now.sites[name]
                overflown[name] += left
            before = outputs[part] if graph.output.neuron.spiking else 0
            outputs[part] = before + now.spikes[graph.output.name].reshape(outputs[part].shape)
        if progress is not None:
            progress(min(start + piece, len(images)), len(images))
    found = {name: count for name, count in overflown.items() if count}
    return Result(outputs, activity, traces, found)


def fast(
    graph: NetGraph,
    images: NDArray[Any],
    trace: tuple[str, ...],
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Result:
    """The event-driven kernels; every thread takes whole samples."""
    from concurrent.futures import ThreadPoolExecutor

    from .engine import Engine
    from .program import compile_graph

    program = compile_graph(graph, pipelined=False)
    last = graph.output.name
    outputs = np.zeros((len(images), graph.output.size), np.int64)
    traces = {name: np.zeros((len(images), *graph.shape(name), graph.timesteps), np.int32) for name in trace}
    rows = max(1, COPIED // sum(prod(graph.shape(name)) for name in {*trace, last}))
    rows = min(rows, PIECE if graph.timesteps == 1 else graph.timesteps)
    count = max(1, min(threads, len(images)))
    engines: list[Engine] = []
    free: list[Engine | None] = [None] * count

    def sample(engine: Engine, i: int) -> None:
        for t in range(0, graph.timesteps, rows):
            steps = min(rows, graph.timesteps - t)
            engine.advance(frames_of(images[i], t, steps), steps, restart=t == 0)
            shown = engine.view(last)[:steps]
            if graph.output.neuron.spiking:
                outputs[i] += shown.sum(axis=0, dtype=np.int64).ravel()
            else:
                outputs[i] = shown[-1].ravel()
            for name, place in traces.items():
                place[i, ..., t : t + steps] = np.moveaxis(engine.view(name)[:steps], 0, -1)

    def single_steps(engine: Engine, part: slice) -> None:
        frames = images[part] if images.ndim == 4 else images[part, ..., 0]
        engine.advance(channels_last(frames), len(frames))
        outputs[part] = engine.view(last)[: len(frames)].reshape(len(frames), -1)
        for name, place in traces.items():
            place[part, ..., 0] = engine.view(name)[: len(frames)]

    def samples(part: range) -> None:
        engine = free.pop()
        if engine is None:  # made by the thread that computes in it: others are at work meanwhile
            engine = Engine(program, (*trace, last), rows)
            engines.append(engine)
        if graph.timesteps == 1:  # every step is a sample, so one call computes many, and other threads run meanwhile
            for i in part[::rows]:
                single_steps(engine, slice(i, min(i + rows, part.stop)))
        else:
            for i in part:
                sample(engine, i)
        free.append(engine)

    shares = list(parts(len(images), count))
    with ThreadPoolExecutor(count) as pool:
        results = pool.map(samples, shares) if count > 1 else map(samples, shares)
        for part, _ in zip(shares, results, strict=True):
            if progress is not None:
                progress(part.stop, len(images))
    activity, overflown = Activity.zeros(graph, 0), {layer.name: 0 for layer in graph}
    for engine in engines:
        activity += engine.activity()
        for name, left in engine.overflows().items():
            overflown[name] += left
    return Result(outputs, activity, traces, {name: left for name, left in overflown.items() if left})


def parts(count: int, threads: int) -> Iterator[range]:
    """Samples that a thread takes at a time: ever fewer towards the end, so that all threads finish together."""
    start = 0
    while start < count:
        end = start + max(1, min(PIECE, (count - start) // (2 * threads)))
        yield range(start, end)
        start = end


def frames_of(image: NDArray[Any], start: int, count: int) -> NDArray[np.int32]:
    """One image (C, H, W), or ``count`` steps of a movie (C, H, W, T), as int32 (1 or count, H * W * C)."""
    return channels_last(image[None] if image.ndim == 3 else np.moveaxis(image[..., start : start + count], -1, 0))


def channels_last(images: NDArray[Any]) -> NDArray[np.int32]:
    """Images (N, C, H, W) as an engine takes them, int32 (N, H * W * C)."""
    return np.ascontiguousarray(images.transpose(0, 2, 3, 1), np.int32).reshape(len(images), -1)


@dataclass(frozen=True, eq=False)
class Step:
    """One step of all layers, for some samples.

    Args:
        spikes: what "input" and the layers send, int32 (N, C, H, W).
        states: what the neurons hold after it.
        sites: per layer, the non-zero sites that each connection reads.
        overflows: per layer, how many sums left 24 bits.
    """

    spikes: dict[str, Ints]
    states: dict[str, Mapping[str, Ints]]
    sites: dict[str, list[int]]
    overflows: dict[str, int]


def each_step(graph: NetGraph, images: NDArray[Any]) -> Iterator[Step]:
    """All steps of images (N, C, H, W) or (N, C, H, W, T), from zero state."""
    states: dict[str, Mapping[str, Ints]] = {
        layer.name: initial_state(layer.neuron, (len(images), *layer.shape)) for layer in graph
    }
    links = [connection for layer in graph for connection in layer.connections]
    past: dict[str, deque[Ints]] = {
        name: deque(maxlen=1 + max(max(link.synapse.ages) for link in links))
        for name in (INPUT, *(layer.name for layer in graph))
    }
    for t in range(graph.timesteps):
        past[INPUT].appendleft((images if images.ndim == 4 else images[..., t]).astype(np.int32))
        sites, left = {layer.name: [0] * len(layer.connections) for layer in graph}, {layer.name: 0 for layer in graph}
        for layer in graph:
            total = np.zeros((len(images), *layer.current_shape), np.int64)
            for i, connection in enumerate(layer.connections):
                read = partial(
                    _summed,
                    [past[name] for name in connection.sources],
                    (len(images), *graph.shape(connection.sources[0])),
                )
                current, sites[layer.name][i], overflown = received(connection.synapse, read)
                total, left[layer.name] = total + current, left[layer.name] + overflown
            spikes, states[layer.name] = step(layer.neuron, states[layer.name], wrap(total), layer.bias, t=t)
            past[layer.name].appendleft(spikes)
        yield Step({name: sent[0] for name, sent in past.items()}, dict(states), sites, left)


def received(synapse: Synapse, read: Callable[[int], Ints]) -> tuple[Ints, int, int]:
    """One step of one synapse: its current, the number of non-zero sites that it reads, its sums that left 24 bits.

    Args:
        synapse: with or without delays.
        read: ``read(d)`` is what its sources sent d steps ago, summed; 0 is what arrives in this step.
    """
    accumulated = synapse.accumulate_past(read)
    left = overflows(accumulated) if synapse.delay else 0
    return wrap(accumulated, synapse.current_bits), int(np.count_nonzero(read(0))), left


def _summed(sources: list[deque[Ints]], shape: tuple[int, ...], delay: int) -> Ints:
    """Sum of what the sources sent ``delay`` steps ago; zeros before the first step.

    A layer that reads itself has not sent yet: its newest spikes are those of the step before.
    """
    total = np.zeros(shape, np.int64)
    for sent in sources:
        if delay < len(sent):
            total += sent[delay]
    return wrap(total)
