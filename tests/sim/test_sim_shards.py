"""Shards of a data set in other processes: the numbers of one process, whatever happens to a worker."""

from __future__ import annotations

import os
import signal
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from threading import Event
from time import sleep
from typing import Any

import numpy as np
import psutil
import pytest
from hypothesis import given, settings
from strategies import cases

from lava_mlsnn import netx, sim
from lava_mlsnn.netx import Connection, Dense, Input, Layer, NetGraph, Readout
from lava_mlsnn.sim import shards

FORKED = {"mp_context": get_context("fork")}
DIGITS = "digits_sparse_resnet_t1n4"


def digits(count: int = 200) -> tuple[NetGraph, np.ndarray]:
    graph = netx.example(DIGITS)
    return graph, np.random.default_rng(0).integers(0, graph.input.bound, (count, *graph.input.shape))


def assert_same(found: sim.Run, expected: sim.Run) -> None:
    assert found.difference(expected) == "" and list(found.traces) == list(expected.traces)
    assert list(found.overflows.items()) == list(expected.overflows.items())
    assert list(found.membranes) == list(expected.membranes)
    for name, held in expected.membranes.items():
        np.testing.assert_array_equal(found.membranes[name], held)


@pytest.mark.filterwarnings("ignore:sums of synapses left:RuntimeWarning")
@settings(max_examples=15)
@given(cases(samples=7))
def test_shards_add_up_to_the_whole(case: tuple[NetGraph, np.ndarray]) -> None:
    graph, images = case
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(2) as threads:
        patch.setattr(shards, "LEAST", 3)
        found = sim.run(graph, images, trace="membrane", executor=threads)
    assert_same(found, sim.run(graph, images, trace="membrane"))


def test_processes_compute_the_same() -> None:
    graph, images = digits()
    seen: list[tuple[int, int]] = []
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        found = sim.run(graph, images, trace=True, executor=pool, progress=lambda *n: seen.append(n))
        slow = sim.run(graph, images[:20], trace=True, engine="reference", executor=pool)
    assert_same(found, sim.run(graph, images, trace=True))
    assert_same(slow, sim.run(graph, images[:20], trace=True))
    assert seen[0] == (16, 200) and seen[-1] == (200, 200) and len(seen) == 13


def test_a_warning_comes_once_and_from_here(tmp_path: Path) -> None:
    dense = Connection("input", Dense(np.full((1, 512), 127)))
    graph = NetGraph(Input((512, 1, 1)), (Layer("out", (dense,), (1, 1, 1), Readout()),))
    with pytest.warns(RuntimeWarning, match=r"layer 'out' \(40 times\)") as told, ThreadPoolExecutor(2) as threads:
        sim.run(graph, np.full((40, 512, 1, 1), 255), executor=threads)
    assert len(told) == 1 and told[0].filename == __file__
    with pytest.warns(RuntimeWarning, match=r"layer 'out' \(40 times\)") as told:
        sim.run_resumable(graph, np.full((40, 512, 1, 1), 255), tmp_path / "pieces", piece=7)
    assert len(told) == 1 and told[0].filename == __file__


def test_no_images_are_no_work() -> None:
    graph, images = digits(0)
    with ThreadPoolExecutor(1) as threads:
        assert_same(sim.run(graph, images, executor=threads), sim.run(graph, images))


class Killing(ProcessPoolExecutor):
    """A pool that loses a worker, as the system takes one when memory runs out, after ``left`` shards of all pools."""

    left = 3

    def submit(self, function: Any, /, *arguments: Any) -> Any:
        type(self).left -= 1
        if type(self).left == 0:
            return super().submit(_die)
        return super().submit(function, *arguments)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killing(left: int) -> type[Killing]:
    return type("Now", (Killing,), {"left": left})


def test_a_pool_that_breaks_is_made_again() -> None:
    graph, images = digits()
    made = killing(3)
    found = sim.run(graph, images, trace=True, executor=lambda: made(2, **FORKED))
    assert made.left < 0, "one worker died"
    assert_same(found, sim.run(graph, images, trace=True))


def test_a_pool_of_the_callers_that_breaks_is_told_of_and_resumed(tmp_path: Path) -> None:
    graph, images = digits()
    path = tmp_path / "pieces"
    with (
        killing(8)(1, **FORKED) as broken,
        pytest.raises(
            ChildProcessError,
            match=r"executor: a worker died after 7 shards \(BrokenProcessPool: .*\): expected workers",
        ),
    ):
        sim.run_resumable(graph, images, path, executor=broken)
    seen: list[tuple[int, int]] = []
    run = sim.run_resumable(
        graph, images, path, executor=partial(ProcessPoolExecutor, 2, **FORKED), progress=lambda *n: seen.append(n)
    )
    assert seen[0] == (7 * 16, 200) and not path.exists()
    assert_same(run, sim.run(graph, images))


def test_a_pool_that_breaks_behind_a_full_pipe_ends() -> None:
    """Its thread still writes a shard larger than a pipe holds to the worker that died: Python 3.10 waited for ever."""
    graph, images = digits(20)
    noise = np.random.default_rng(1).integers(-99, 99, (8, 300_000))

    class Full(ProcessPoolExecutor):
        def submit(self, function: Any, /, *arguments: Any) -> Any:
            return super().submit(_die_behind, *noise)

    with Full(1, **FORKED) as pool, pytest.raises(ChildProcessError, match="a worker died after 0 shards"):
        sim.run(graph, images, executor=pool)
    with pytest.raises(ChildProcessError, match="a worker died 3 times after 0 shards"):
        sim.run(graph, images, executor=lambda: Full(1, **FORKED))


def _die_behind(*_: Any) -> None:
    _die()


def test_a_shard_that_kills_every_worker_is_given_up() -> None:
    class Always(ProcessPoolExecutor):
        def submit(self, function: Any, /, *arguments: Any) -> Any:
            return super().submit(_die)

    graph, images = digits(20)
    with pytest.raises(ChildProcessError, match="a worker died 3 times after 0 shards"):
        sim.run(graph, images, executor=lambda: Always(1, **FORKED))


def test_nothing_is_left_to_do_behind_an_error() -> None:
    graph, images = digits()

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    futures: list[Future[Any]] = []
    stopped = Event()

    def later(function: Any, *arguments: Any) -> Any:
        stopped.wait(60)
        return function(*arguments)

    class Slow(ThreadPoolExecutor):
        def submit(self, function: Any, /, *arguments: Any) -> Any:
            task = (later, function) if futures else (function,)
            futures.append(super().submit(*task, *arguments))
            return futures[-1]

    with Slow(1) as threads:
        with pytest.raises(KeyboardInterrupt):
            sim.run(graph, images, executor=threads, progress=stop)
        stopped.set()
    assert len(futures) == 13 and sum(future.cancelled() for future in futures) >= 11


@pytest.mark.parametrize("executor", [4, "tcp://127.0.0.1:8786"])
def test_what_is_no_executor_is_named(executor: Any) -> None:
    with pytest.raises(ValueError, match=rf"executor: expected a concurrent.futures.Executor .*{executor}"):
        sim.run(*digits(1), executor=executor)


def test_a_worker_with_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a worker has lava-mlsnn \S+, expected 0.0.0"):
        shards._shard("0.0.0", lambda *_: None, b"", np.zeros(1))


def ended(pid: int) -> bool:
    """Whether a process is gone within a minute, but for what its parent has not fetched yet."""
    for _ in range(600):
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        sleep(0.1)
    return False


def test_dask_loses_a_worker() -> None:
    """Two workers in processes of their own; one is killed when it has begun to work."""
    distributed = pytest.importorskip("distributed", reason="needs distributed: pip install 'lava-mlsnn[cluster]'")
    graph, images = digits(600)
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None, "host": "127.0.0.1"}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        pids = [worker.process.pid for worker in cluster.workers.values()]
        killed: list[int] = []

        def kill(done: int, total: int) -> None:
            if not killed and done < total:
                killed.append(pids[0])
                os.kill(pids[0], signal.SIGKILL)

        found = sim.run(graph, images, trace=True, executor=client.get_executor(), progress=kill)
        assert killed, "the set was done before a worker could be killed"
        assert ended(killed[0])
    assert_same(found, sim.run(graph, images, trace=True))
