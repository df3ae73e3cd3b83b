"""Shards of a data set in other processes and on other machines, by any executor of :mod:`concurrent.futures`."""

from __future__ import annotations

import pickle
import sys
import zlib
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ProcessPoolExecutor
from contextlib import ExitStack
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..graph.graph import NetGraph
from ..helpers.version import __version__

if TYPE_CHECKING:
    from .run import Run

Executors = Executor | Callable[[], Executor]

SHARDS = 64
"""Shards that are with the executor at a time; a small data set is cut into about so many."""

LEAST = 16
"""Images of a shard, of which each takes the network along."""

TRIES = 3
"""How often a shard may lose its worker."""


def in_shards(
    executor: Executors, compute: Callable[..., Run], graph: NetGraph, images: NDArray[Any], most: int
) -> Generator[Run, None, None]:
    """Runs of consecutive parts of ``images``, in order; one whose worker died runs again.

    Args:
        executor: one that the caller ends, or a function that makes one: called again when the workers of the one
            before died, and ended here.
        compute: (graph, images) -> Run.
        graph, images: checked.
        most: images of a shard.

    Raises:
        ValueError: no executor, or a worker with another version of this package.
        ChildProcessError: a shard lost its worker too often, or the caller's executor is broken.
    """
    if not isinstance(executor, Executor) and not callable(executor):
        raise ValueError(f"executor: expected a concurrent.futures.Executor or a function that makes one: {executor!r}")
    size = min(max(-(-len(images) // SHARDS), LEAST), most)
    network = zlib.compress(pickle.dumps(graph, 5), 1)
    parts = (images[start : start + size] for start in range(0, max(len(images), 1), size))
    return _in_order(executor, ((__version__, compute, network, np.asarray(part)) for part in parts))


def _in_order(executor: Executors, tasks: Iterator[tuple[Any, ...]]) -> Generator[Run, None, None]:
    """:func:`_shard` of each task."""
    waiting: deque[tuple[tuple[Any, ...], Future[Run] | None]] = deque()
    lost, done = 0, 0
    with ExitStack() as own:
        pool = _opened(executor, own)
        try:
            while True:
                waiting.extend((task, None) for task in islice(tasks, SHARDS - len(waiting)))
                if not waiting:
                    return
                try:
                    for i, (task, future) in enumerate(waiting):
                        waiting[i] = task, future or pool.submit(_shard, *task)
                    found = waiting[0][1].result()  # type: ignore[union-attr]
                except Exception as error:
                    if not _is_loss(error):
                        raise
                    lost += 1
                    if isinstance(executor, Executor) or lost == TRIES:
                        raise ChildProcessError(_told(error, done, lost)) from error
                    own.close()
                    pool = _opened(executor, own)
                    for i, (task, future) in enumerate(waiting):
                        waiting[i] = task, future if _has_result(future) else None
                    continue
                waiting.popleft()
                lost, done = 0, done + 1
                yield found
        finally:
            for _, future in waiting:
                if future is not None:
                    future.cancel()


def _opened(executor: Executors, own: ExitStack) -> Executor:
    """The caller's executor, or a new one that ends with ``own``."""
    if isinstance(executor, Executor):
        _let_end(executor)
        return executor
    pool = executor()
    own.callback(pool.shutdown, cancel_futures=True)
    _let_end(pool)
    return pool


def _let_end(pool: Executor) -> None:
    """Close our end of the pipe to the workers first: else Python 3.10 writes to dead ones for ever (gh-94777).

    It is the pool's own thread that does it, as in later versions: any other one would race with the thread that
    writes, which closes the same end.
    """
    queue = getattr(pool, "_call_queue", None)
    if sys.version_info < (3, 11) and isinstance(pool, ProcessPoolExecutor) and queue and "close" not in vars(queue):
        close = queue.close

        def reader_first() -> None:
            queue._reader.close()
            close()

        queue.close = reader_first


def _is_loss(error: Exception) -> bool:
    """Whether a shard did not fail by itself. KilledWorker is Dask's, which has tried four workers by then."""
    return isinstance(error, (BrokenExecutor, CancelledError)) or type(error).__name__ == "KilledWorker"


def _has_result(future: Future[Run] | None) -> bool:
    return future is not None and future.done() and not future.cancelled() and future.exception() is None


def _told(error: Exception, done: int, lost: int) -> str:
    times = "" if lost == 1 else f" {lost} times"
    return (
        f"executor: a worker died{times} after {done} shards ({type(error).__name__}: {error}): expected workers with "
        "enough memory; a function that makes the executor is called again when one breaks, sim.run_resumable keeps "
        "what is done"
    )


def _shard(version: str, compute: Callable[..., Run], network: bytes, images: NDArray[Any]) -> Run:
    """What a worker computes."""
    if version != __version__:
        raise ValueError(f"executor: a worker has lava-mlsnn {__version__}, expected {version}, as where it is called")
    return compute(_graph(network), images)


@lru_cache(maxsize=1)
def _graph(network: bytes) -> NetGraph:
    graph: NetGraph = pickle.loads(zlib.decompress(network))
    return graph
