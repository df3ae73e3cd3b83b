"""The rooms of the package: imports run down only, none runs in a circle, and the two halls stay apart."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest

import lava_mlsnn

ROOT = Path(lava_mlsnn.__file__).parent
TOP = ROOT.name

LEVELS = (
    ("helpers",),
    ("lava_compat",),
    ("graph", "neuron", "data"),
    ("block",),
    ("model", "sim", "nir", "energy", "loihi2"),
    ("netx",),
    ("proc",),
    ("train",),
    ("analysis",),
    ("plot",),
    ("report",),
    ("papers",),
    ("cli",),
)
"""A room imports from rooms of lower levels only, and from none beside it."""

LEVEL = {room: level for level, rooms in enumerate(LEVELS) for room in rooms}
INFERENCE = ("graph", "netx", "nir", "sim", "proc", "energy", "loihi2")
TRAINING = ("neuron", "block", "model", "data", "train")


class Import(NamedTuple):
    """One import statement: of which module, in which line, and whether it runs when its module is imported."""

    target: str
    line: int
    at_import: bool


def read(root: Path) -> dict[str, list[Import]]:
    """All modules of a package by their dotted names, and what of the package each imports."""
    files = {}
    for path in root.rglob("*.py"):
        parts = (root.name, *path.relative_to(root).with_suffix("").parts)
        files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return {name: list(_imports(name, path, files)) for name, path in sorted(files.items())}


def _imports(name: str, path: Path, files: dict[str, Path]) -> Iterator[Import]:
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    top = name.partition(".")[0]
    for node, at_import in _statements(ast.parse(path.read_text(encoding="utf-8")), True):
        targets = []
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            whole = [f"{source}.{alias.name}" for alias in node.names]
            targets = [target if target in files else source for target in whole]
        for target in dict.fromkeys(targets):
            if target.partition(".")[0] == top:
                yield Import(target, node.lineno, at_import)


def _statements(node: ast.AST, at_import: bool) -> Iterator[tuple[ast.AST, bool]]:
    for child in ast.iter_child_nodes(node):
        yield child, at_import
        lazy = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            lazy = True
        yield from _statements(child, at_import and not lazy)


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def wrong_arrows(modules: dict[str, list[Import]]) -> list[str]:
    """Imports that do not run down, in words."""
    found = []
    for name, imports in modules.items():
        for target, line, at_import in imports:
            mine, theirs = room(name), room(target)
            if not mine:  # the top opens the rooms when they are asked for
                wrong = at_import and LEVEL[theirs] > LEVEL["lava_compat"]
            elif not theirs:
                wrong = True
            else:
                wrong = mine != theirs and LEVEL[theirs] >= LEVEL[mine]
            if wrong:
                found.append(f"{name}, line {line}: imports {target}")
    return found


def circle(modules: dict[str, list[Import]]) -> list[str]:
    """Modules that import one another while they are imported; empty if there are none."""
    try:
        TopologicalSorter(
            {name: [i.target for i in imports if i.at_import] for name, imports in modules.items()}
        ).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


MODULES = read(ROOT)


def test_every_room_has_its_level() -> None:
    assert {room(name) for name in MODULES} - {""} <= LEVEL.keys()


def test_imports_run_down_only() -> None:
    assert sum(map(len, MODULES.values())) > 500, "the imports are found"
    assert wrong_arrows(MODULES) == []


def test_no_imports_run_in_a_circle() -> None:
    assert circle(MODULES) == []


@pytest.mark.parametrize(
    ("module", "line", "wrong"),
    [
        ("graph.a", "from ..sim import run", ["house.graph.a, line 1: imports house.sim"]),
        ("graph.a", "def f():\n    from ..sim.b import run", ["house.graph.a, line 2: imports house.sim.b"]),
        ("graph.a", "if TYPE_CHECKING:\n    from .. import sim", ["house.graph.a, line 2: imports house.sim"]),
        ("graph.a", "import house.sim.b", ["house.graph.a, line 1: imports house.sim.b"]),
        ("sim.b", "from ..energy import joules", ["house.sim.b, line 1: imports house.energy"]),
        ("sim.b", "from .. import __version__", ["house.sim.b, line 1: imports house"]),
        ("sim.b", "from ..graph.a import NetGraph", []),
        ("sim.b", "from . import joules", []),
    ],
)
def test_wrong_arrows_are_found(tmp_path: Path, module: str, line: str, wrong: list[str]) -> None:
    assert wrong_arrows(_house(tmp_path, {module: line})) == wrong


def test_circles_are_found(tmp_path: Path) -> None:
    lines = {"sim.b": "from .c import x", "sim.c": "from .b import y"}
    assert set(circle(_house(tmp_path, lines))) == {"house.sim.b", "house.sim.c"}
    assert set(circle(_house(tmp_path, {"sim.b": "from . import x", "sim": "from .b import y"}))) == {
        "house.sim.b",
        "house.sim",
    }
    assert not circle(
        _house(tmp_path, {"sim.b": "def f():\n    from .c import x", "sim.c": "from .b import y", "sim": ""})
    )


def _house(folder: Path, lines: dict[str, str]) -> dict[str, list[Import]]:
    """A small package with these modules."""
    root = folder / "house"
    for name in ("", "graph", "sim", "energy"):
        (root / name).mkdir(parents=True, exist_ok=True)
        (root / name / "__init__.py").touch()
    for name in ("graph.a", "sim.b", "sim.c"):
        (root / (name.replace(".", "/") + ".py")).touch()
    for name, text in lines.items():
        place = root / name.replace(".", "/")
        (place / "__init__.py" if place.is_dir() else place.with_suffix(".py")).write_text(text, encoding="utf-8")
    return read(root)


LOAD = """
import importlib, sys
for name in {names}:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:  # models for the chip need Intel's own package
        assert error.name.startswith("lava.magma.core.model."), error
"""

INFER = """
import tempfile
import numpy as np
import lava_mlsnn as ml
from lava_mlsnn.netx import Connection, Dense, Input, Layer, MultiLevel, NetGraph, Readout
hidden = Layer("hidden", (Connection("input", Dense([[1, 2], [3, 4]])),), (2, 1, 1), MultiLevel(4, 8))
out = Layer("out", (Connection("hidden", Dense(np.eye(2))),), (2, 1, 1), Readout())
graph = NetGraph(Input((2, 1, 1)), (hidden, out))
images = np.array([[3, 5], [7, 1]]).reshape(2, 2, 1, 1)
with tempfile.TemporaryDirectory() as folder:
    ml.netx.save(graph, folder + "/x.net")
    assert ml.netx.digest(ml.netx.load(folder + "/x.net")) == ml.netx.digest(graph)
    ml.netx.to_nir(graph, folder + "/x.nir")
    ml.netx.from_nir(folder + "/x.nir", images)
run = ml.sim.run(graph, images, trace=True)
assert (ml.proc.simulate(graph, images).output == run.output).all()
assert ml.energy.estimate(graph, run.activity).total > 0 and ml.loihi2.fit(ml.netx.lower(graph)).cores
"""

TRAIN = """
import torch
import lava_mlsnn as ml
net = ml.model.create("cnn", in_shape=(1, 8, 8), width=2, depth=1, input_scale=1 / 16, input_bits=5)
dataset = ml.data.load("digits")
ml.train.fit(net, dataset, ml.train.recipe("digits", epochs=1, quantized_epochs=0, batch=700), progress=False)
"""


@pytest.mark.parametrize(
    ("rooms", "work", "stranger"), [(INFERENCE, INFER, "torch"), (TRAINING, TRAIN, "lava.magma")], ids=["run", "train"]
)
def test_the_halls_stay_apart(tmp_path: Path, rooms: tuple[str, ...], work: str, stranger: str) -> None:
    """All modules of one hall are imported, and the hall does its work, without the other's heavy library."""
    names = [
        name for name in MODULES if room(name) in rooms and (find_spec("triton") or not name.endswith(".gpu_kernels"))
    ]
    end = (
        f"\nfound = sorted(m for m in sys.modules if (m + '.').startswith('{stranger}.'))\nassert not found, found[:5]"
    )
    code = f"import lava_mlsnn\n{LOAD.format(names=names)}{end}\n{work}{end}"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr[-3000:]
