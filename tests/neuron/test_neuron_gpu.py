"""The Triton kernels without a GPU: Triton's interpreter runs them on the CPU."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lava_mlsnn.neuron import fused


@pytest.mark.skipif(not fused.has_triton(), reason="needs Triton 3 (1 GB), which torch brings along on Linux with CUDA")
def test_kernels_equal_the_passes_bit_for_bit() -> None:
    script = Path(__file__).with_name("triton_interpreted.py")
    found = subprocess.run([sys.executable, str(script)], env={**os.environ}, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    assert found.stdout == "327 cases, the same bits\n"


def test_the_benchmark_runs_without_a_gpu(tmp_path: Path) -> None:
    script = Path(__file__).parents[2] / "benchmarks" / "gpu.py"
    command = [sys.executable, str(script), "--device", "cpu", "--quick", "--minutes", "1", "--out", str(tmp_path)]
    found = subprocess.run(command, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    figures = json.loads((tmp_path / "gpu.json").read_text())
    assert figures["kernels"] == ("gpu_kernels" if fused.has_triton() else "cpu_kernels")
    assert all(not row["differing"] for row in figures["equality"].values() if isinstance(row, dict))
    assert figures["training"]["resumed"] is True
    assert "**This has not run on a GPU**" in (tmp_path / "gpu.md").read_text()
