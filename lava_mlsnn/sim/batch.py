"""Batch mode: layer after layer in sample time, with states that start at zero for every sample."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..graph.activity import Activity
from ..graph.graph import INPUT, Layer, NetGraph
from ..graph.neurons import Readout
from ..graph.synapses import Synapse
from .reference import Ints, initial_state, overflows, step, wrap

PIECE = 16
"""Samples that the reference computes at a time: memory does not grow with the number of images."""

COPIED = 1 << 22
"""Spikes that are held at a time: the fast engine's memory does not grow with T beyond what it returns."""


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
    """The plain numpy engine, in one thread whatever ``threads`` is; it holds all spikes of a sample or a few."""
    activity, overflown = Activity.zeros(graph), dict.fromkeys((layer.name for layer in graph), 0)
    outputs = [np.zeros((0, graph.output.size), np.int64)]
    traces: dict[str, list[Ints]] = {name: [] for name in trace}
    sizes = prod(graph.input.shape) + sum(layer.size for layer in graph)
    piece = min(PIECE, max(1, COPIED // (sizes * graph.timesteps)))
    for start in range(0, len(images), piece):
        frames = at_each_step(graph, images[start : start + piece])
        spikes = {INPUT: frames}
        for layer in graph:
            spikes[layer.name], sites, count = run_layer(layer, spikes)
            activity.sites[layer.name][...] += sites
            overflown[layer.name] += count
        activity += Activity.of_spikes(graph, spikes)
        outputs.append(output(graph, spikes[graph.output.name]))
        for name in trace:
            traces[name].append(spikes[name])
        if progress is not None:
            progress(min(start + piece, len(images)), len(images))
    joined = {name: np.concatenate(parts or [empty_trace(graph, name)]) for name, parts in traces.items()}
    found = {name: count for name, count in overflown.items() if count}
    return Result(np.concatenate(outputs), activity, joined, found)


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
    copied = sum(prod(graph.shape(name)) for name in {*trace, last})
    rows = min(graph.timesteps, max(1, COPIED // copied))
    engines = [Engine(program, (*trace, last), rows) for _ in range(max(1, min(threads, len(images))))]
    free = list(engines)

    def sample(engine: Engine, i: int) -> None:
        for t in range(0, graph.timesteps, rows):
            steps = min(rows, graph.timesteps - t)
            engine.advance(frames_of(graph, images[i], t, steps), steps, restart=t == 0)
            shown = engine.view(last)[:steps]
            if graph.output.neuron.spiking:
                outputs[i] += shown.sum(axis=0, dtype=np.int64).ravel()
            else:
                outputs[i] = shown[-1].ravel()
            for name, place in traces.items():
                place[i, ..., t : t + steps] = np.moveaxis(engine.view(name)[:steps], 0, -1)

    def samples(start: int) -> None:
        engine = free.pop()
        for i in range(start, min(start + PIECE, len(images))):
            sample(engine, i)
        free.append(engine)

    starts = range(0, len(images), PIECE)
    with ThreadPoolExecutor(len(engines)) as pool:
        results = pool.map(samples, starts) if len(engines) > 1 else map(samples, starts)
        for start, _ in zip(starts, results, strict=True):
            if progress is not None:
                progress(min(start + PIECE, len(images)), len(images))
    activity, overflown = engines[0].activity(), {layer.name: 0 for layer in graph}
    for engine in engines[1:]:
        activity += engine.activity()
    for engine in engines:
        for name, count in engine.overflows().items():
            overflown[name] += count
    return Result(outputs, activity, traces, {name: count for name, count in overflown.items() if count})


def frames_of(graph: NetGraph, image: NDArray[Any], start: int, count: int) -> NDArray[np.int32]:
    """One image (C, H, W), or ``count`` steps of a movie (C, H, W, T), as int32 (1 or count, H * W * C)."""
    steps = image[None] if image.ndim == 3 else np.moveaxis(image[..., start : start + count], -1, 0)
    return np.ascontiguousarray(steps.transpose(0, 2, 3, 1), np.int32).reshape(len(steps), -1)


def at_each_step(graph: NetGraph, images: NDArray[Any]) -> Ints:
    """Images (N, C, H, W) or (N, C, H, W, T) as int32 (N, C, H, W, T)."""
    if images.ndim == 4:
        images = np.broadcast_to(images[..., None], (*images.shape, graph.timesteps))
    return images.astype(np.int32)


def run_layer(
    layer: Layer, spikes: dict[str, Ints], membrane: Ints | None = None
) -> tuple[Ints, NDArray[np.int64], int]:
    """All steps of one layer: its spikes, non-zero sites per connection and step, number of overflows.

    ``membrane`` receives what the neurons hold after each step.

    **Shape:** spikes[name] int32 (N, C, H, W, T) -> int32 (N, C', H', W', T), int64 (connections, T), int.
    """
    first = spikes[next(name for name in layer.inputs if name != layer.name)]
    samples, steps = first.shape[0], first.shape[-1]
    out = np.zeros((samples, *layer.shape, steps), np.int32)
    sites = np.zeros((len(layer.connections), steps), np.int64)
    state, overflown = initial_state(layer.neuron, out.shape[:-1]), 0
    for t in range(steps):
        total = np.zeros((samples, *layer.current_shape), np.int64)
        for i, connection in enumerate(layer.connections):
            read = partial(_summed, connection.sources, {**spikes, layer.name: out}, layer.name, t)
            current, sites[i, t], left = received(connection.synapse, read)
            total, overflown = total + current, overflown + left
        out[..., t], state = step(layer.neuron, state, wrap(total), layer.bias, t=t)
        if membrane is not None:
            membrane[..., t] = state["v"]
    return out, sites, overflown


def received(synapse: Synapse, read: Callable[[int], Ints]) -> tuple[Ints, int, int]:
    """One step of one synapse: its current, the number of non-zero sites that it reads, its sums that left 24 bits.

    Args:
        synapse: with or without delays.
        read: ``read(d)`` is what its sources sent d steps ago, summed; 0 is what arrives in this step.
    """
    accumulated = synapse.accumulate_past(read)
    left = overflows(accumulated) if synapse.delay else 0
    return wrap(accumulated, synapse.current_bits), int(np.count_nonzero(read(0))), left


def _summed(sources: tuple[str, ...], spikes: dict[str, Ints], own: str, t: int, delay: int) -> Ints:
    """Sum of what the sources sent ``delay`` steps before step t, a layer itself one step earlier; zeros before."""
    total = np.zeros(spikes[sources[0]].shape[:-1], np.int64)
    for name in sources:
        when = t - delay - (name == own)
        if when >= 0:
            total += spikes[name][..., when]
    return wrap(total)


def output(graph: NetGraph, spikes: Ints) -> NDArray[np.int64]:
    """Outputs (N, features) of the last layer's trace (N, C, H, W, T)."""
    wide = spikes.astype(np.int64)
    last = wide[..., -1] if isinstance(graph.output.neuron, Readout) else wide.sum(axis=-1)
    return last.reshape(len(spikes), -1)


def empty_trace(graph: NetGraph, name: str) -> Ints:
    """The trace of no samples."""
    return np.zeros((0, *graph.shape(name), graph.timesteps), np.int32)
