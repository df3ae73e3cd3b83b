"""The first compilation is told of once, counted, and not repeated."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

import lava_mlsnn
from lava_mlsnn.helpers.compiling import LINE, WAITING

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


RUN = """
import numpy as np, lava_mlsnn as ml
from lava_mlsnn.netx import Connection, Dense, Input, Layer, NetGraph, Readout
graph = NetGraph(Input((1, 1, 1)), (Layer("a", (Connection("input", Dense([[2]])),), (1, 1, 1), Readout()),))
print(ml.sim.run(graph, np.array([5]).reshape(1, 1, 1, 1)).output.item())
"""
NOBODY = 65534


class Installed:
    """A copy of the package in ``site``, run by a user who has a home and may not write to the copy."""

    def __init__(self, folder: Path) -> None:
        self.site, self.home = folder / "site", folder / "home"
        package = Path(lava_mlsnn.__file__).parent
        shutil.copytree(package, self.site / "lava_mlsnn", ignore=shutil.ignore_patterns("__pycache__"))
        self.home.mkdir()
        self.user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        for path in (folder, *self.site.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        os.chown(self.home, *(NOBODY, NOBODY) if self.user else (-1, -1))
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), "PYTHONPATH": str(self.site)}
        self.environment |= {"NUMBA_OPT": "0", "PYTHONDONTWRITEBYTECODE": "1"}  # compiled sooner

    def protect(self) -> None:
        for path in (self.site, *self.site.rglob("*")):
            if path.is_dir():
                path.chmod(0o555)

    def start(self, **variables: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", RUN],
            env=self.environment | variables,
            cwd=self.site,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **self.user,
        )

    def run(self, **variables: str) -> tuple[int, str]:
        """The output of the network, and what was said."""
        return _end(self.start(**variables))

    def kept(self) -> list[Path]:
        """Files of compiled code, wherever they are."""
        return sorted(path for folder in (self.site, self.home) for path in folder.rglob("*.nbc"))


def _end(process: subprocess.Popen[str]) -> tuple[int, str]:
    printed, said = process.communicate(timeout=800)
    assert process.returncode == 0, said
    return int(printed), said


@pytest.fixture
def installed() -> Iterator[Installed]:
    with TemporaryDirectory() as folder:  # one that other users may enter, unlike tmp_path
        yield Installed(Path(folder))


@pytest.mark.timeout(900)
def test_a_read_only_installation_compiles_into_the_users_cache_and_an_upgrade_again(installed: Installed) -> None:
    installed.protect()
    assert installed.run() == (10, f"{LINE}\n") and installed.run() == (10, "")
    assert installed.kept() and all(installed.home in path.parents for path in installed.kept())
    kernel = installed.site / "lava_mlsnn/sim/neurons/readout.py"
    changed = kernel.read_text().replace("v + current + bias", "v + current + bias + 1")
    assert changed != kernel.read_text()
    kernel.write_text(changed) if os.geteuid() == 0 else _replace(kernel, changed)
    assert installed.run() == (11, f"{LINE}\n") and installed.run() == (11, "")


def _replace(path: Path, text: str) -> None:
    path.chmod(0o644)
    path.write_text(text)


@pytest.mark.timeout(900)
def test_without_any_place_for_a_cache_it_compiles_every_time(installed: Installed) -> None:
    installed.protect()
    assert installed.run(HOME="/nowhere", XDG_CACHE_HOME="/nowhere") == (10, f"{LINE}\n")
    assert not installed.kept()


@pytest.mark.timeout(900)
def test_of_several_processes_one_compiles_and_a_damaged_file_is_compiled_again(installed: Installed) -> None:
    found = [_end(process) for process in [installed.start() for _ in range(3)]]
    assert [output for output, _ in found] == [10] * 3
    assert sorted(said for _, said in found) == sorted([f"{LINE}\n", *[f"{WAITING}\n"] * 2])
    (file,) = installed.kept()
    file.write_bytes(file.read_bytes()[:1000])
    assert installed.run() == (10, f"{LINE}\n") and installed.run() == (10, "")
