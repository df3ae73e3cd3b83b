"""Stock Lava does the same on every Python: each part of lava_stock.py in a process of its own, warnings visible."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).with_name("lava_stock.py")

# Recorded on Python 3.10 with lava-nc 0.10.0, lava-dl 0.6.0, torch 2.3.1 and numpy 1.26.4, nothing mended.
OUTPUT = [
    [0, 0, 0, 5488, -5488, 4568, -2472, 6092],
    [0, 0, 5580, -5580, 2868, 0, 0, -2868],
    [0, 0, 3804, 0, 15988, -7836, 704, 3732],
    [0, 0, 15352, 1452, -4424, 5396, -9196, 940],
]
LOSSES = {
    "sdnn": [0.24168594181537628, 0.1748138666152954, 0.1716785430908203],
    "cuba": [0.2829861044883728, 0.0902777835726738, 0.1666666567325592],
}

KNOWN_WARNINGS = (
    r"UserWarning: Loihi2HWProfiler could not be imported",  # lava.utils.profiler: no Loihi 2 compiler here
    r"Warning: `?torch.nn.utils.weight_norm`? is deprecated",  # slayer; torch keeps it
    # numpy 1.25 to 2.3: breaks C and D announced, which only numpy 2.4 makes errors
    r"lava/(lib/dl/netx/hdf5|proc/clp/nsm/models|proc/graded/models)\.py:\d+: DeprecationWarning: Conversion of an",
    # Python 3.12: Lava forks from a process that has threads
    r"DeprecationWarning: This process \(pid=\d+\) is multi-threaded, use of fork",
)


def stock(part: str, cwd: Path) -> tuple[dict[str, Any], list[str]]:
    """Run one part; its result and the unknown warnings. A hanging Lava is killed with all its processes."""
    command = [sys.executable, "-W", "always", str(SCRIPT), part]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, cwd=cwd, stdout=pipe, stderr=pipe, text=True, start_new_session=True)
    try:
        out, err = process.communicate(timeout=150)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        pytest.fail(f"{part} hangs; stderr ends:\n{err[-3000:]}")
    assert process.returncode == 0, err[-3000:]
    reported = [line for line in err.splitlines() if re.search(r":\d+: \w*Warning: ", line)]
    return json.loads(out.splitlines()[-1]), [w for w in reported if not any(re.search(k, w) for k in KNOWN_WARNINGS)]


def test_every_module_of_lava_imports(tmp_path: Path) -> None:
    found, warned = stock("imports", tmp_path)
    assert found["failed"] == {}
    assert found["imported"] >= 83
    assert not warned


def test_slayer_trains_with_the_same_losses(tmp_path: Path) -> None:
    found, warned = stock("train", tmp_path)
    for net, losses in LOSSES.items():
        assert found[net] == pytest.approx(losses, rel=1e-5), net
    assert (found["sdnn_grad"], found["cuba_grad"]) == (7, 9)  # every trainable parameter is reached by the backward
    assert not warned


def test_export_load_and_simulate_give_the_recorded_integers(tmp_path: Path) -> None:
    found, warned = stock("run", tmp_path)
    assert found["output"] == OUTPUT
    assert found["transform"] == {"weight": 64, "bias": 0}
    assert not warned


def test_processes_that_numpy_2_breaks_run(tmp_path: Path) -> None:
    found, warned = stock("processes", tmp_path)
    assert found == {"Allocator": [1, 2, 3], "InvSqrt": [2047, 2047, 2047], "Conv": [0, 6, 6]}
    assert not warned
