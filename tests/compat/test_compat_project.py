"""The project around the package: what rooms may import, what is pinned, which Python is found."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

import lava_mlsnn

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
PACKAGE = Path(lava_mlsnn.__file__).parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def modules(*rooms: str) -> list[str]:
    files = [file for room in rooms for file in sorted((PACKAGE / room).rglob("*.py"))]
    names = [".".join(("lava_mlsnn", *file.relative_to(PACKAGE).with_suffix("").parts)) for file in files]
    names = [name.removesuffix(".__init__") for name in names]
    return [name for name in names if find_spec("triton") or not name.endswith(".gpu_kernels")]


def loaded(names: list[str], prefix: str) -> str:
    """Those of the modules that, imported one after the other in a fresh process, first load ``prefix``."""
    code = f"""
import importlib, sys
for name in {names!r}:
    importlib.import_module(name)
    if {prefix!r} in sys.modules:
        sys.exit(f"{{name}} imports {prefix}")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    return done.stderr.strip() if done.returncode else ""


def test_the_half_that_runs_networks_imports_no_torch() -> None:
    names = modules("netx", "sim", "energy", "loihi2")
    assert loaded([name for name in names if name != "lava_mlsnn.block.export"], "torch") == ""


def test_the_half_that_trains_imports_no_magma() -> None:
    assert loaded(modules("neuron", "block", "model", "train"), "lava.magma") == ""


def test_every_room_is_there_by_name() -> None:
    code = "import lava_mlsnn as ml; print(*(getattr(ml, name).__name__ for name in ml.__all__), *dir(ml))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) >= {*lava_mlsnn.__all__, *(f"lava_mlsnn.{name}" for name in lava_mlsnn.__all__)}
    with pytest.raises(AttributeError, match=r"no attribute 'neurons'; its rooms are analysis, block, data, .*neuron"):
        _ = lava_mlsnn.neurons


def test_the_version_is_stated_once_and_the_same() -> None:
    assert PROJECT["version"] == lava_mlsnn.__version__


def requirements(extras: dict[str, list[str]]) -> list[Requirement]:
    texts = [*PROJECT["dependencies"], *(text for texts in extras.values() for text in texts)]
    return [found for found in map(Requirement, texts) if found.name != "lava-mlsnn"]


@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12", "3.13"])
def test_every_requirement_is_pinned_within_its_bounds(python: str) -> None:
    lines = (ROOT / "constraints" / f"{python}.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(re.fullmatch(r"([\w.-]+)==(\S+)", line).groups() for line in lines if not line.startswith("#"))  # type: ignore[union-attr]
    extras = {k: v for k, v in PROJECT["optional-dependencies"].items() if python != "3.10" or k != "bench"}
    for wanted in requirements(extras):
        if wanted.marker is None or wanted.marker.evaluate({"python_version": python}):
            assert Version(pins[wanted.name.lower()]) in wanted.specifier, wanted


def test_lava_is_pinned_to_the_versions_that_compat_knows() -> None:
    lines = (ROOT / "constraints" / "lava.txt").read_text(encoding="utf-8").splitlines()
    expected = {f"{name}=={version}" for name, version in lava_mlsnn.lava_compat.mends.KNOWN.items()}
    assert expected == {line for line in lines if not line.startswith("#")}
    assert expected == {
        str(r).split(";")[0].strip() for r in map(Requirement, PROJECT["dependencies"]) if "lava" in r.name
    }


def find_python(name: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([ROOT / ".ci" / "find-python", name], capture_output=True, text=True, timeout=60)


def test_a_python_is_found_by_path_and_by_version() -> None:
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    base = getattr(sys, "_base_executable", sys.executable)
    for name in (base, sys.executable):
        path, minor, full = find_python(name).stdout.split()
        assert (path, minor, full) == (name, version, ".".join(map(str, sys.version_info[:3])))


@pytest.mark.parametrize("name", ["3.9", "python2", "no-such-python", "/bin/ls"])
def test_what_is_no_python_of_ours_is_not_found(name: str) -> None:
    done = find_python(name)
    assert (done.returncode, done.stdout) == (1, "")
