"""Lava forks its processes; the start method that a program chooses for its own stays as it was chosen."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import multiprocessing as mp
import sys

import numpy as np


def check():
    import lava_mlsnn as ml
    from lava_mlsnn.netx import Connection, Dense, Input, Layer, MultiLevel, NetGraph

    layer = Layer("a", (Connection("input", Dense(9 * np.eye(3, dtype=int))),), (3, 1, 1), MultiLevel(4, 8))
    graph, images = NetGraph(Input((3, 1, 1)), (layer,), 2), np.arange(6).reshape(2, 3, 1, 1)
    for fused in (True, False):
        run = ml.proc.simulate(graph, images, fused=fused, trace=True, timeout=60)
        assert run.difference(ml.sim.run(graph, images, trace=True)) == "", fused
    assert run.output.any()


def report(answers):
    try:
        check()
    except RuntimeError as error:
        answers.put(str(error))


if __name__ == "__main__":
    when, method = sys.argv[1:]
    if when == "before":
        mp.set_start_method(method)
    import lava_mlsnn.proc

    if when == "after":
        mp.set_start_method(method)
    if when == "daemon":
        answers = mp.get_context(method).Queue()
        worker = mp.get_context(method).Process(target=report, args=(answers,), daemon=True, name="worker-7")
        worker.start()
        print(answers.get(timeout=60))
        worker.join()
    else:
        check()
        print(mp.get_start_method())
"""


def run(tmp_path: Path, *arguments: str) -> str:
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    command = [sys.executable, str(tmp_path / "program.py"), *arguments]
    found = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert found.returncode == 0, found.stderr
    return found.stdout.strip()


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_any_start_method_set_before_or_after_the_import(when: str, method: str, tmp_path: Path) -> None:
    assert run(tmp_path, when, method) == method


def test_a_daemonic_process_is_told_that_lava_needs_children(tmp_path: Path) -> None:
    assert run(tmp_path, "daemon", "spawn").startswith(
        "worker-7 is a daemonic process, such as a worker of a DataLoader"
    )
