"""The first compilation is told of once, counted, and not repeated."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

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
WITHOUT = "--bounding-set=-dac_override,-dac_read_search"
"""What makes the permissions of files bind the superuser, too."""


class Installed:
    """A copy of the package in ``site``, run by a user who has a home."""

    def __init__(self, folder: Path) -> None:
        self.site, self.home = folder / "site", folder / "home"
        package = Path(lava_mlsnn.__file__).parent
        shutil.copytree(package, self.site / "lava_mlsnn", ignore=shutil.ignore_patterns("__pycache__"))
        self.home.mkdir()
        self.user = ["setpriv", WITHOUT] if os.geteuid() == 0 else []
        if self.user and not shutil.which("setpriv"):
            pytest.skip("the superuser writes everywhere, and there is no setpriv to take that away")
        self.environment = {
            "PYTHONDONTWRITEBYTECODE": "1",
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "PYTHONPATH": str(self.site),
        }

    def protect(self) -> None:
        for path in (self.site, *self.site.rglob("*")):
            if path.is_dir():
                path.chmod(0o555)

    def start(self, **variables: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*self.user, sys.executable, "-c", RUN],
            env=self.environment | variables,
            cwd=self.site,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
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
def installed(tmp_path: Path) -> Installed:
    return Installed(tmp_path)


@pytest.mark.timeout(900)
def test_a_read_only_installation_compiles_into_the_users_cache_and_an_upgrade_again(installed: Installed) -> None:
    installed.protect()
    assert installed.run() == (10, f"{LINE}\n") and installed.run() == (10, "")
    assert installed.kept() and all(installed.home in path.parents for path in installed.kept())
    kernel = installed.site / "lava_mlsnn/sim/neurons/readout.py"
    changed = kernel.read_text().replace("v + current + bias", "v + current + bias + 1")
    assert changed != kernel.read_text()
    kernel.write_text(changed)
    assert installed.run() == (11, f"{LINE}\n") and installed.run() == (11, "")


@pytest.mark.timeout(900)
def test_without_any_place_for_a_cache_it_compiles_every_time(installed: Installed) -> None:
    installed.protect()
    assert installed.run(HOME=str(installed.site), XDG_CACHE_HOME=str(installed.site)) == (10, f"{LINE}\n")
    assert not installed.kept()


@pytest.mark.timeout(900)
def test_of_several_processes_one_compiles_and_a_damaged_file_is_compiled_again(installed: Installed) -> None:
    found = [_end(process) for process in [installed.start() for _ in range(3)]]
    assert [output for output, _ in found] == [10] * 3
    assert sorted(said for _, said in found) == sorted([f"{LINE}\n", *[f"{WAITING}\n"] * 2])
    (file,) = installed.kept()
    file.write_bytes(file.read_bytes()[:1000])
    assert installed.run() == (10, f"{LINE}\n") and installed.run() == (10, "")
