from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lava_mlsnn import train
from lava_mlsnn.cli import app

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Two epochs instead of sixteen; files land in a temporary folder."""
    recipe = train.recipe("digits", epochs=1, quantized_epochs=1, batch=64)
    monkeypatch.setitem(train.RECIPES, "digits", recipe)
    monkeypatch.chdir(tmp_path)


def test_python_example_runs(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    (example,) = blocks("python")
    exec(compile(example, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "'quantized'" in printed and "lemaire, snn" in printed and "stage1.0.add" in printed
    assert (tmp_path / "digits.net").is_file()
    assert len([line for line in example.splitlines() if line.strip()]) <= 20


def test_shell_example_runs(tmp_path: Path):
    (example,) = [block for block in blocks("sh") if "mlsnn export" in block]
    for line in example.splitlines():
        result = CliRunner().invoke(app, shlex.split(line)[1:])
        assert result.exit_code == 0, (line, result.output, result.exception)
    assert {path.name for path in tmp_path.glob("digits.*")} >= {"digits.net", "digits.html", "digits.energy.json"}


def test_commands_and_files_it_names_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"^make (\w+)", README, re.MULTILINE)):
        assert f"\n{target}:" in makefile
    for path in re.findall(r"(?:constraints|docs|tutorials|netx_exports)/[\w./-]*", README):
        assert (ROOT / path).exists(), path


def test_the_source_distribution_holds_what_the_tests_read() -> None:
    """Folders that tests name from the repository's root are in hatchling's list."""
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8").partition("[tool.hatch.build.targets.sdist]")[2]
    included = set(re.findall(r'"/([\w.]+)"', settings.partition("\n[")[0]))
    read = {
        name
        for test in (ROOT / "tests").rglob("*.py")
        for name in re.findall(r'(?:ROOT|parents\[2\]) / "([\w.]+)"', test.read_text(encoding="utf-8"))
    }
    assert {"benchmarks", "docs", "netx_exports", "tutorials"} <= read <= included
