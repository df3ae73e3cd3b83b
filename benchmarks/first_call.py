"""What the first call costs, each in fresh processes: wall time, and CPU time, which other programs disturb less.

    python benchmarks/first_call.py --json benchmarks/first_call.json      # under two minutes on a quiet machine

The cold run has an empty cache of compiled code; numba's own clock says where its time goes. Goals: help below 0.5 s,
the first result below 2 s with a warm cache and below 15 s with a cold one.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

GRAPH = """
import numpy as np
from lava_mlsnn.netx import Connection, Dense, Input, Layer, MultiLevel, NetGraph
dense = Connection("input", Dense([[1, 2], [3, 4]]))
graph = NetGraph(Input((2, 1, 1)), (Layer("a", (dense,), (2, 1, 1), MultiLevel(4, 9)),))
images = np.ones((1, 2, 1, 1), int)
"""
ENGINE = f"{GRAPH}\nimport lava_mlsnn as ml\nml.sim.run(graph, images)"
PASSES = f"""{ENGINE}
from lava_mlsnn.sim.advance import dispatcher
import json
(found,) = [dispatcher().get_metadata(s) for s in dispatcher().signatures]
spent, timers = found["pipeline_times"]["nopython"], found["timers"]
llvm, whole = timers["llvm_lock"], timers["compiler_lock"]
types = sum(times.run for name, times in spent.items() if "type_inference" in name)
print(json.dumps({{"types": types, "LLVM": llvm, "all": whole}}))
"""
LAVA = f"{GRAPH}\nimport lava_mlsnn as ml\nml.proc.simulate(graph, images, fused=True)"


def fresh(*arguments: str, repeat: int = 5, **environment: str) -> tuple[dict[str, float], str]:
    """Seconds of wall and CPU time of the fastest of ``repeat`` processes, and what the last one printed."""
    wall, cpu = [], []
    for _ in range(repeat):
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(
            [sys.executable, *arguments], env=os.environ | environment, capture_output=True, text=True, check=False
        )
        wall.append(time.perf_counter() - start)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
        if done.returncode:
            raise SystemExit(f"{arguments}: {done.stderr}")
    return {"wall_s": round(min(wall), 3), "cpu_s": round(min(cpu), 3)}, done.stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    parser.add_argument("--no-lava", action="store_true", help="leave Lava's part out")
    options = parser.parse_args()
    rows: dict[str, dict[str, float]] = {}

    def measure(name: str, *arguments: str, repeat: int = 5, **environment: str) -> str:
        rows[name], printed = fresh(*arguments, repeat=repeat, **environment)
        print(f"{name:55}{rows[name]['wall_s']:8.2f} s{rows[name]['cpu_s']:8.2f} s of CPU", flush=True)
        return printed

    measure("python -c pass", "-c", "pass")
    measure("import numpy", "-c", "import numpy")
    measure("import lava_mlsnn", "-c", "import lava_mlsnn")
    measure("mlsnn --help", "-m", "lava_mlsnn.cli", "--help")
    with tempfile.TemporaryDirectory() as folder:
        printed = measure("first sim.run, nothing compiled", "-c", PASSES, repeat=1, NUMBA_CACHE_DIR=folder)
        measure("first sim.run, compiled before", "-c", ENGINE, NUMBA_CACHE_DIR=folder)
        if not options.no_lava:
            measure("first run of proc.Network, compiled before", "-c", LAVA, repeat=3, NUMBA_CACHE_DIR=folder)
    spent = json.loads(printed)
    print("compiling: " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in spent.items()))
    if options.json:
        options.json.write_text(
            json.dumps({"load_average": os.getloadavg()[1], "calls": rows, "compiling_s": spent}, indent=1) + "\n"
        )


if __name__ == "__main__":
    main()
