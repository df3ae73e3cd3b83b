"""The wheel, installed far from the checkout: what comes with it is found, and a forgotten Lava is one sentence."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lava_mlsnn import netx
from lava_mlsnn.helpers import compiling
from lava_mlsnn.lava_compat import install

ROOT = Path(__file__).parents[2]
LINE = "pip install --no-deps --ignore-requires-python lava-nc==0.10.0 lava-dl==0.6.0"
LARGEST = 3_000_000
"""Bytes of the wheel."""

Run = Callable[..., str]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def place(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel; ``packages`` are this one's, but for Lava and the editable package."""
    folder = tmp_path_factory.mktemp("far") / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=60)
    pip = [sys.executable, "-m", "pip", "--python", str(folder), "install", "--no-index", "--no-deps", "-q", str(wheel)]
    subprocess.run(pip, check=True, timeout=120, env=environment())
    packages = folder / "packages"
    packages.mkdir()
    for path in Path(sysconfig.get_paths()["purelib"]).iterdir():
        if not re.match(r"lava|_.*lava|.*\.pth$", path.name):
            (packages / path.name).symlink_to(path)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "packages.pth").write_text(f"{packages}\n", encoding="utf-8")
    return folder


@pytest.fixture
def run(place: Path, tmp_path: Path) -> Run:
    """Run a program of the environment in a folder of its own; gives what it writes."""

    def call(*command: str | Path, code: int = 0, **variables: str) -> str:
        program = [place / "bin" / command[0], *command[1:]]
        done = subprocess.run(
            list(map(str, program)),
            cwd=tmp_path,
            env=environment() | variables,
            capture_output=True,
            text=True,
            timeout=120,
        )
        said = done.stdout + done.stderr
        assert done.returncode == code, said
        return said

    return call


@pytest.fixture
def with_lava(place: Path) -> Iterator[None]:
    """This environment's own Lava."""
    names = ("lava", *(path.name for path in Path(sysconfig.get_paths()["purelib"]).glob("lava_[nd]*.dist-info")))
    links = [place / "packages" / name for name in names]
    for link in links:
        link.symlink_to(Path(sysconfig.get_paths()["purelib"]) / link.name)
    yield
    for link in links:
        link.unlink()


def environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}


def test_wheel_is_small(wheel: Path) -> None:
    assert wheel.stat().st_size < LARGEST
    names = zipfile.ZipFile(wheel).namelist()
    assert not [name for name in names if not name.startswith(("lava_mlsnn/", "lava_mlsnn-"))]


def test_nets_and_tutorials_come_with_it(run: Run, with_lava: None, tmp_path: Path) -> None:
    code = """
import lava_mlsnn as ml
assert "far" in ml.__file__, ml.__file__
for name in ml.netx.examples():
    print(name, ml.netx.digest(ml.netx.example(name)))
digits = ml.data.load("digits")
run = ml.sim.run(ml.netx.example("digits_sparse_resnet_t1n4"), digits.test_images)
assert (run.labels == digits.test_labels).mean() > 0.99
"""
    lines = [line for line in run("python", "-c", code).splitlines() if line != compiling.LINE]
    assert lines == [f"{name} {netx.digest(netx.example(name))}" for name in netx.examples()] != []
    said = run("mlsnn", "models")
    assert all(name in said for name in (*netx.examples(), "sparse_resnet18"))
    run("mlsnn", "tutorials", "notebooks")
    ours = {path.name: path.read_bytes() for path in (ROOT / "tutorials").glob("*.ipynb")}
    assert {path.name: path.read_bytes() for path in (tmp_path / "notebooks").iterdir()} == ours
    first = min((tmp_path / "notebooks").iterdir())
    first.write_text("{}")
    assert "--force" in run("mlsnn", "tutorials", "notebooks", code=2) and first.read_text() == "{}"
    assert not [name for name, text in ours.items() if b"parents[" in text]
    assert "not installed" not in run("mlsnn", "install-lava")[:60]


def test_version(run: Run) -> None:
    assert run("mlsnn", "--version") == "mlsnn 0.1.0\n"


@pytest.mark.parametrize("module", ["lava_mlsnn.proc", "lava_mlsnn.block", "lava.proc.lif.process"])
def test_imports_say_how_to_install_lava(run: Run, module: str) -> None:
    said = run("python", "-c", f"import lava_mlsnn, {module}", code=1).splitlines()[-1]
    assert said.endswith(f"MissingPackageError: Lava is not installed: {LINE}, or mlsnn install-lava")


@pytest.mark.parametrize(
    "command", ["train", "demo", "sweep --trials 1", "simulate digits_cnn_t1n4.net --lava layers --samples 1"]
)
def test_commands_say_how_to_install_lava(run: Run, command: str, tmp_path: Path) -> None:
    shutil.copy(ROOT / "netx_exports" / "digits_cnn_t1n4.net", tmp_path)
    said = run("mlsnn", *command.split(), code=2)
    assert said.rstrip().splitlines()[-1] == f"error: Lava is not installed: {LINE}, or mlsnn install-lava"
    assert "Traceback" not in said


def test_info_says_how_to_install_lava_and_the_rest_works(run: Run, tmp_path: Path) -> None:
    assert f"Lava is not installed: {LINE}" in run("mlsnn", "info")
    assert run("mlsnn", "install-lava", "--dry-run").endswith(f"-m {LINE}\n")
    shutil.copy(ROOT / "netx_exports" / "digits_cnn_t1n4.net", tmp_path)
    assert "accuracy 98.33%" in run("mlsnn", "simulate", "digits_cnn_t1n4.net")


def test_another_project_of_that_name_is_told_apart(run: Run, place: Path) -> None:
    packages = place / "packages"
    (packages / "lava").mkdir()
    (packages / "lava" / "__init__.py").write_text("import vulkan", encoding="utf-8")
    described = packages / "lava-0.4.1.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: lava\nVersion: 0.4.1\n", encoding="utf-8")
    try:
        said = run("mlsnn", "info")
        assert f"another project, and no part of Intel's Lava: pip uninstall lava; then {LINE}" in said
        assert "pip uninstall lava" in run("python", "-c", "import lava_mlsnn.proc", code=1).splitlines()[-1]
        assert "pip uninstall lava" in run("mlsnn", "install-lava", code=2)
    finally:
        shutil.rmtree(packages / "lava")
        shutil.rmtree(described)


def test_it_is_installed_by_one_command(run: Run, place: Path, tmp_path: Path) -> None:
    """With wheels whose metadata refuse every Python, as Lava's do newer ones."""
    for name, part in (("lava_nc", "magma"), ("lava_dl", "lib/dl")):
        pinned = install.KNOWN[name.replace("_", "-")]
        info = f"{name}-{pinned}.dist-info"
        with zipfile.ZipFile(tmp_path / f"{name}-{pinned}-py3-none-any.whl", "w") as file:
            file.writestr(f"lava/{part}/__init__.py", "")
            file.writestr(
                f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {pinned}\nRequires-Python: <3.9\n"
            )
            file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            file.writestr(f"{info}/RECORD", "")
    assert "Lava is installed" in run("mlsnn", "install-lava", PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path))
    assert "Lava is not" not in run("mlsnn", "info")
    (site,) = place.glob("lib/python*/site-packages")
    for path in site.glob("lava*"):
        if path.name == "lava" or path.name.startswith(("lava_nc", "lava_dl")):
            shutil.rmtree(path)
