"""Every block of Python and shell in README.md and docs/ runs, page by page, each page in a folder and a namespace of
its own.

A block behind ``<!-- parsed: why -->`` needs what is not at hand: its options, files and names are checked only.
"""

from __future__ import annotations

import ast
import re
import shlex
import warnings
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer
from commands import mlsnn

import lava_mlsnn
from lava_mlsnn import train
from lava_mlsnn.cli import app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
ELSEWHERE = {"docs/new-kinds.md": "tests/test_docs_new_kinds.py"}
"""Page -> test that runs its blocks."""

BLOCK = re.compile(r"^(?:<!-- parsed: .+? -->\n\n?)?```(?:python|sh)\n.*?^```$", re.MULTILINE | re.DOTALL)
RUN = ("python", "sh")
SHOWN = ("text", "math")
"""Languages whose blocks are only shown."""


class Block(NamedTuple):
    """One block: its language, its text, and whether it is only parsed."""

    language: str
    text: str
    parsed: bool


def blocks(page: str) -> list[Block]:
    """The blocks of a page, in order."""
    found = []
    for match in BLOCK.findall(page):
        head, _, rest = match.partition("```")
        language, _, text = rest.removesuffix("```").partition("\n")
        found.append(Block(language, text, bool(head)))
    return found


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One epoch of each kind instead of many; files land in a temporary folder."""
    for name, recipe in train.RECIPES.items():
        monkeypatch.setitem(train.RECIPES, name, replace(recipe, epochs=1, quantized_epochs=1))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("path", [p for p in PAGES if blocks(p.read_text(encoding="utf-8"))], ids=name_of)
def test_blocks_run(path: Path, short: None) -> None:
    if name_of(path) in ELSEWHERE:
        assert (ROOT / ELSEWHERE[name_of(path)]).is_file()
        return
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks(path.read_text(encoding="utf-8")):
        if block.language == "sh":
            for line in block.text.replace("\\\n", " ").splitlines():
                shell(line, block.parsed)
        elif block.parsed:
            check_names(ast.parse(block.text))
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                exec(compile(block.text, name_of(path), "exec"), namespace)


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_no_block_is_missed(path: Path) -> None:
    page = path.read_text(encoding="utf-8")
    fences = re.findall(r"^([ >]*)```([\w-]*)", page, re.MULTILINE)[::2]
    assert sum(language in RUN for _, language in fences) == len(blocks(page)), "indented, or not closed"
    unknown = {language for _, language in fences} - {*RUN, *SHOWN, ""}
    assert not unknown, f"blocks in {unknown}: expected {RUN} to run, {SHOWN} to show"


def shell(line: str, parsed: bool) -> None:
    """Run a line of a shell, or check that it could be run."""
    words = shlex.split(line, comments=True)
    while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
        words = words[1:]
    if not words:
        return
    program, *arguments = words
    if program == "mlsnn":
        check_options(arguments)
        if not parsed:
            mlsnn(*arguments)
    elif program == "make":
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        assert all(f"\n{word}:" in makefile for word in arguments if "=" not in word), line
    elif program == "pip":
        check_pip(arguments)
    else:
        assert program == "python" and parsed and (ROOT / arguments[0]).is_file(), line


def check_options(arguments: list[str]) -> None:
    """Commands, options and their values exist and have the right types; nothing runs."""
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands"):
        assert arguments and arguments[0] in command.commands, f"mlsnn {' '.join(arguments)}: no such command"
        command, arguments = command.commands[arguments[0]], arguments[1:]
    command.make_context(command.name, list(arguments))


def check_pip(arguments: list[str]) -> None:
    """Files of constraints and extras exist."""
    assert arguments[0] == "install"
    if "-c" in arguments:
        assert (ROOT / arguments[arguments.index("-c") + 1]).is_file(), arguments
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for extra in re.findall(r"[\w.-]+\[([\w,]+)\]", " ".join(arguments)):
        assert all(f"\n{name} = [" in project for name in extra.split(",")), extra


def check_names(tree: ast.AST) -> None:
    """Every ``ml.a.b`` exists."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (path := ast.unparse(node)).startswith("ml.") and "(" not in path:
            reduce(getattr, path.split(".")[1:], lava_mlsnn)


@pytest.mark.parametrize(
    "line",
    [
        "mlsnn train --data digits --epoch-count 3",
        "mlsnn trian",
        "mlsnn train --epochs many",
        "make nothing",
        "pip install -c constraints/2.7.txt .",
        "pip install 'lava-mlsnn[nothing]'",
        "curl x",
    ],
)
def test_wrong_lines_are_found(line: str) -> None:
    with pytest.raises(Exception, match=r"."):
        shell(line, parsed=True)


def test_wrong_names_and_blocks_are_found() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        check_names(ast.parse("x = ml.sim.nothing(1)"))
    page = "```python\n1\n```\n\n<!-- parsed: CIFAR -->\n\n```sh\nmlsnn info\n```\n"
    assert blocks(page) == [Block("python", "1\n", False), Block("sh", "mlsnn info\n", True)]
