"""Run a NetGraph on whole data sets: images in, outputs, activity and, on request, every layer's spikes out."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial, reduce
from itertools import chain
from math import prod
from operator import add
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..graph.activity import Activity
from ..graph.graph import INPUT, NetGraph, require_graph
from ..helpers.check import integer
from ..helpers.shown import Grid, Shown
from . import batch, membranes
from .difference import spikes_difference

if TYPE_CHECKING:
    from .shards import Executors

Progress = Callable[[int, int], None]

PIECE = 250
"""Images of a shard, and of a piece that is put on disk, at most."""

ENGINES: dict[str, Callable[..., batch.Result]] = {"fast": batch.fast, "reference": batch.reference}
MEMBRANES = {"fast": membranes.fast, "reference": membranes.reference}


@dataclass(frozen=True, eq=False, repr=False)
class Run(Shown):
    """What came out of a run.

    Args:
        output: per sample the readout's voltage after step T or, of a network that ends in spikes, their sum over T.
        activity: events, sums of values and non-zero sites per layer and step.
        traces: spikes of the layers that were asked for.
        membranes: what the neurons of each layer held after each step, of a run with ``trace="membrane"``; layers whose
            neurons have no membrane are absent.
        overflows: per layer, how often a synapse's sum left the signed 24 bits of a dendritic accumulator (layers
            where it never did are absent). Conv wraps then, as Lava's does; other synapses go on in 32 bits.

    **Shape:** output int64 (N, classes); traces[name] and membranes[name] int32 (N, C, H, W, T).
    """

    output: NDArray[np.int64]
    activity: Activity
    traces: Mapping[str, NDArray[np.int32]] = field(default_factory=dict)
    overflows: Mapping[str, int] = field(default_factory=dict)
    membranes: Mapping[str, NDArray[np.int32]] = field(default_factory=dict)

    def __repr__(self) -> str:
        traced = f", {len(self.traces)} layers traced" * bool(self.traces)
        held = ", with membranes" * bool(self.membranes)
        steps = self.activity.timesteps
        return f"Run({len(self.output)} samples, {self.output.shape[-1]} outputs, T = {steps}{traced}{held})"

    def grid(self) -> Grid:
        """A row per layer and for the input: events and sum of values per sample."""
        counts, samples = self.activity, max(self.activity.samples, 1)
        rows = [(name, counts.mean_events(name), float(counts.values[name].sum()) / samples) for name in counts.events]
        left = [f"{name}: {count} sums left 24 bits" for name, count in self.overflows.items()]
        return Grid(repr(self), ("layer", "events per sample", "sum of values per sample"), rows, left)

    @property
    def labels(self) -> NDArray[np.int64]:
        """Index of the largest output of each sample, the first one where several are equal: int64 (N,)."""
        return self.output.argmax(axis=1)

    @property
    def trace(self) -> Mapping[str, NDArray[np.int32]]:
        """``traces``; ValueError if the run was made without."""
        if not self.traces:
            raise ValueError("this run has no trace: expected sim.run(..., trace=True) or trace=[layer names]")
        return self.traces

    def difference(self, other: Run) -> str:
        """The first place where two runs of the same images differ, in words; "" if they are equal.

        Compared are the spikes of all layers that both runs traced, the outputs and the activity.
        """
        found = spikes_difference(self.traces, other.traces)
        if found:
            return found
        if self.output.shape != other.output.shape:
            return f"outputs: shapes {self.output.shape} and {other.output.shape}"
        if not np.array_equal(self.output, other.output):
            image = int(np.flatnonzero((self.output != other.output).any(axis=1))[0])
            return f"output of image {image}: {self.output[image].tolist()} and {other.output[image].tolist()}"
        found = self.activity.difference(other.activity)
        return f"activity: {found}" if found else ""


def run(
    graph: NetGraph,
    images: Any,
    *,
    trace: bool | Iterable[str] = False,
    engine: str = "fast",
    threads: int | None = None,
    progress: Progress | None = None,
    executor: Executors | None = None,
) -> Run:
    """Present ``images`` to ``graph``, T steps each, from zero state.

    Every layer sees step t of a sample at its own t (the delays that align skip connections cancel); recurrent
    connections carry what was sent one step before.

    Args:
        graph: the network.
        images: integers within the range of ``graph.input``; (N, C, H, W) is shown at each of the T steps,
            (N, C, H, W, T) step by step. A memory map is read piece by piece.
        trace: True for the spikes of all layers (a Readout's voltage), or the names of some ("input" is one);
            "membrane" for the spikes and the membranes of all layers, which takes a second, slower run.
        engine: "fast" or "reference": the same numbers.
        threads: samples that run side by side; None for one per core that this process may use, with ``executor`` for
            one per shard.
        progress: called with (samples done, samples in all) after every piece.
        executor: has other processes or machines compute shards of the images: a :class:`concurrent.futures.Executor`
            (the standard library's processes, Dask's ``Client.get_executor()``, mpi4py's), or a function that makes
            one, such as ``functools.partial(ProcessPoolExecutor, 4)``. The numbers stay the same. A shard whose worker
            died runs again: Dask sees to it; where the pool as a whole breaks, the function makes another. MPI ends the
            whole job: :func:`run_resumable` goes on from what was done.

    Raises:
        ValueError: no NetGraph; images of another dtype, shape or range; an unknown layer or engine; a result that is
            larger than the memory of the machine; an executor that is none.
        ChildProcessError: workers of ``executor`` died too often, or once where it cannot be made again.

    Warns:
        RuntimeWarning: if an accumulator left 24 bits, with the names of the layers (see :class:`Run`).

    Example:
        >>> from lava_mlsnn.netx import Connection, Dense, Input, Layer, NetGraph, Readout
        >>> dense = Connection("input", Dense([[1, 2], [3, 4]]))
        >>> graph = NetGraph(Input((2, 1, 1)), (Layer("out", (dense,), (2, 1, 1), Readout()),), timesteps=2)
        >>> result = run(graph, np.array([[5, 6]]).reshape(1, 2, 1, 1))
        >>> result.output.tolist(), result.labels.tolist()
        ([[34, 78]], [1])
    """
    require_graph(graph)
    images = check_images(graph, images)
    size = max(len(images), 1) if executor is None else PIECE
    settings: dict[str, Any] = {"engine": engine, "threads": threads, "progress": progress, "executor": executor}
    found = joined(list(pieces(graph, images, size, trace=trace, **settings)))
    warn_of_overflows(found)
    return found


def pieces(
    graph: NetGraph,
    images: NDArray[Any],
    size: int,
    *,
    trace: bool | Iterable[str] = False,
    engine: str = "fast",
    threads: int | None = None,
    progress: Progress | None = None,
    executor: Executors | None = None,
) -> Generator[Run, None, None]:
    """:func:`run` of consecutive parts of ``images``, which are checked, of at most ``size`` each; without warnings."""
    if engine not in ENGINES:
        raise ValueError(f"engine: expected one of {', '.join(ENGINES)}, got {engine!r}")
    wants_membranes = isinstance(trace, str) and trace == "membrane"
    names = trace_names(graph, wants_membranes or trace)
    _check_memory(graph, len(images), names)
    how = partial(compute, names=names, engine=engine, wants_membranes=wants_membranes)
    count = 1 if threads is None and executor is not None else _threads(threads)
    if executor is None:
        for start in range(0, max(len(images), 1), size):
            part = images[start : start + size]
            yield how(graph, part, threads=count, progress=shifted(progress, start, len(images)))
        return
    from .shards import in_shards

    done = 0
    with closing(in_shards(executor, partial(how, threads=count), graph, images, size)) as runs:
        for found in runs:
            done += len(found.output)
            if progress is not None:
                progress(done, len(images))
            yield found


def compute(
    graph: NetGraph,
    images: NDArray[Any],
    names: tuple[str, ...],
    engine: str,
    wants_membranes: bool,
    threads: int,
    progress: Progress | None = None,
) -> Run:
    """:func:`run` without checks and warnings: what a worker does."""
    result = ENGINES[engine](graph, images, names, threads, progress)
    held = MEMBRANES[engine](graph, images) if wants_membranes else {}
    return Run(result.output, result.activity, result.traces, result.overflows, held)


def joined(runs: Sequence[Run]) -> Run:
    """The run of all their images, one behind the other."""
    if len(runs) == 1:
        return runs[0]
    counts: dict[str, int] = {}
    for name, count in chain.from_iterable(one.overflows.items() for one in runs):
        counts[name] = counts.get(name, 0) + count
    first = runs[0]
    return Run(
        np.concatenate([one.output for one in runs]),
        reduce(add, [one.activity for one in runs]),
        {name: np.concatenate([one.traces[name] for one in runs]) for name in first.traces},
        {name: counts[name] for name in first.activity.sites if name in counts},
        {name: np.concatenate([one.membranes[name] for one in runs]) for name in first.membranes},
    )


def warn_of_overflows(found: Run) -> None:
    """RuntimeWarning, for the caller of the caller, if sums left the 24 bits of an accumulator."""
    if found.overflows:
        counts = ", ".join(f"{name!r} ({count} times)" for name, count in found.overflows.items())
        warnings.warn(f"sums of synapses left the signed 24-bit accumulator in layer {counts}", RuntimeWarning, 3)


def shifted(progress: Progress | None, start: int, total: int) -> Progress | None:
    """``progress`` of all images, told of a part of them that begins at ``start``."""
    return None if progress is None else lambda done, _: progress(start + done, total)


def check_images(graph: NetGraph, images: Any) -> NDArray[Any]:
    """``images`` as an integer array of shape (N, C, H, W) or (N, C, H, W, T); ValueError names what does not fit."""
    if not isinstance(images, np.ndarray):
        images = np.asarray(images)
    shape, steps = graph.input.shape, graph.timesteps
    if images.dtype.kind not in "iu":
        raise ValueError(f"images: expected integers, got dtype {images.dtype}")
    if images.shape[1:] not in (shape, (*shape, steps)):
        sizes = ", ".join(map(str, shape))
        raise ValueError(f"images: expected shape (N, {sizes}) or (N, {sizes}, {steps}), got {images.shape}")
    check_range(graph, images, "images")
    return images


def check_range(graph: NetGraph, values: NDArray[Any], what: str) -> None:
    """ValueError if an input value is not within the range of ``graph.input``."""
    bound = graph.input.bound
    low, high = (-bound, bound - 1) if graph.input.signed else (0, bound)
    if values.size:
        for value in (int(values.min()), int(values.max())):
            if not low <= value <= high:
                raise ValueError(f"{what}: expected values in {low} .. {high} ({graph.input.bits} bits), got {value}")


def trace_names(graph: NetGraph, trace: bool | Iterable[str]) -> tuple[str, ...]:
    """The layers that ``trace`` asks for; ValueError for another."""
    if isinstance(trace, (bool, np.bool_)):
        return tuple(layer.name for layer in graph) if trace else ()
    if not isinstance(trace, Iterable):
        raise ValueError(f"trace: expected True, False or names of layers, got {trace!r}")
    names = (trace,) if isinstance(trace, str) else tuple(trace)
    known = (INPUT, *(layer.name for layer in graph))
    for name in names:
        if name not in known:
            raise ValueError(f"trace: no layer {name!r}: expected one of {', '.join(known)}")
    return names


def _check_memory(graph: NetGraph, count: int, names: tuple[str, ...]) -> None:
    """ValueError if what a run returns is more than the machine's memory; the system would end the process later."""
    rows = 2 * (1 + len(graph)) + sum(len(layer.connections) for layer in graph)
    values = graph.timesteps * (8 * rows + 4 * count * sum(prod(graph.shape(name)) for name in names))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if values > memory:
        traced = f" and the spikes of {len(names)} layers for {count:,} images" if names else ""
        raise ValueError(
            f"timesteps: the counts of {graph.timesteps:,} steps{traced} take {values:,} bytes, this machine has "
            f"{memory:,}: expected fewer timesteps{', images or names in trace' if names else ''}"
        )


def _threads(threads: int | None) -> int:
    if threads is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return integer(threads, "threads", 1)
