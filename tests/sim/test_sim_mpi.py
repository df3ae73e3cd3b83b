"""Shards on the workers of mpi4py: needs mpi4py and an MPI, as ``pip install mpi4py mpich`` brings one."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

pytest.importorskip("mpi4py", reason="needs mpi4py and an MPI: pip install mpi4py mpich")
MPIEXEC = shutil.which("mpiexec", path=Path(sys.executable).parent) or shutil.which("mpiexec")

SCRIPT = """
import os
import numpy as np
from mpi4py.futures import MPIPoolExecutor
from lava_mlsnn import netx, sim

if __name__ == "__main__":
    graph = netx.example("digits_sparse_resnet_t1n4")
    images = np.random.default_rng(0).integers(0, graph.input.bound, (200, *graph.input.shape))
    here, plain = sim.run(graph, images, trace=True), sim.run(graph, images)
    with MPIPoolExecutor() as pool:
        workers = {pool.submit(os.getpid).result() for _ in range(20)}
        assert os.getpid() not in workers
        assert sim.run(graph, images, trace=True, executor=pool).difference(here) == ""
        assert sim.run_resumable(graph, images, "pieces", executor=pool).difference(plain) == ""
    print("the same")
"""


@pytest.mark.skipif(MPIEXEC is None, reason="needs an MPI: pip install mpich")
@pytest.mark.timeout(300)
def test_workers_of_mpi_compute_the_same(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT, encoding="utf-8")
    command = [str(MPIEXEC), "-n", "3", sys.executable, "-m", "mpi4py.futures", "script.py"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        out, err = process.communicate(timeout=250)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert (process.returncode, out.strip()) == (0, "the same"), err
