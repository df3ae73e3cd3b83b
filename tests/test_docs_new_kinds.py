"""The worked example of docs/new-kinds.md: its files in a copy of the package, and every consumer tested there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
HEADER = re.compile(r"# (lava_mlsnn/\S+)( \(added\))?\n")


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A copy of the package with the page's files, and the page's other blocks."""
    folder = tmp_path_factory.mktemp("house")
    shutil.copytree(ROOT / "lava_mlsnn", folder / "lava_mlsnn", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tests", folder / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    scripts, touched = [], []
    for block in BLOCK.findall((ROOT / "docs/new-kinds.md").read_text(encoding="utf-8")):
        header = HEADER.match(block)
        if header is None:
            scripts.append(block)
            continue
        path, text = folder / header[1], block[header.end() :]
        assert path.exists() == bool(header[2]), path
        path.write_text((path.read_text(encoding="utf-8") + "\n\n" if header[2] else "") + text, encoding="utf-8")
        touched.append(header[1])
    return folder, scripts, touched


def _run(folder, *command):
    environment = {**os.environ, "PYTHONPATH": f"{folder}:{folder / 'tests'}"}
    run = subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True, timeout=280
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    return run.stdout


def test_at_most_five_files_for_a_neuron_and_four_for_a_synapse(house):
    _, _, touched = house
    neuron = [path for path in touched if "synapses" not in path]
    assert len(neuron) == 5 and len(touched) - len(neuron) == 3


def test_every_consumer_knows_the_new_kinds(house):
    folder, _, _ = house
    (folder / "pytest.ini").write_text("[pytest]\n")
    chosen = "hard_multilevel or channel_sum or say_what_they_are"
    out = _run(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_kinds.py", "-k", chosen)
    passed = int(re.search(r"(\d+) passed", out)[1])
    assert passed > 30 and "failed" not in out and "skipped" not in out, out[-500:]


def test_it_trains_exports_and_runs_in_lava_with_the_same_spikes(house):
    folder, scripts, _ = house
    assert len(scripts) == 1
    _run(folder, "-c", scripts[0])
