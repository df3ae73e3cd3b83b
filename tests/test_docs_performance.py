"""The page on performance holds what its command makes of the kept figures, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_page_is_what_its_command_writes(tmp_path: Path) -> None:
    command = [sys.executable, "benchmarks/performance.py", "--page", str(tmp_path / "page.md")]
    subprocess.run(command, cwd=ROOT, check=True, timeout=200)
    assert (tmp_path / "page.md").read_text() == (ROOT / "docs/performance.md").read_text()
