"""The first compilation is told of once, counted, and not repeated."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from lava_mlsnn.helpers.compiling import LINE

CODE = """
import numpy as np, time
import lava_mlsnn as ml
from lava_mlsnn.helpers import compiling
from lava_mlsnn.netx import Connection, Dense, Input, Layer, NetGraph, Readout
dense = Connection("input", Dense([[1, 2], [3, 4]]))
graph = NetGraph(Input((2, 1, 1)), (Layer("out", (dense,), (2, 1, 1), Readout()),))
images = np.array([[5, 6]]).reshape(1, 2, 1, 1)
started = time.perf_counter()
ml.sim.run(graph, images)
took, compiled = time.perf_counter() - started, compiling.seconds()
ml.sim.run(graph, images)
assert compiling.seconds() == compiled
print(compiled / took if compiled else 0)
"""


def test_the_first_use_says_that_it_compiles(tmp_path: Path) -> None:
    variables = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}

    def run() -> tuple[float, str]:
        done = subprocess.run(
            [sys.executable, "-c", CODE], env=variables, cwd=tmp_path, capture_output=True, text=True, timeout=280
        )
        assert done.returncode == 0, done.stderr
        return float(done.stdout), done.stderr

    share, said = run()
    assert said == f"{LINE}\n" and 0.5 < share <= 1
    assert run() == (0.0, "")
