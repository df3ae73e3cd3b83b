"""docs/paper-map.md: every equation, figure and table of the papers once, and everything that it names exists."""

from __future__ import annotations

import re
from functools import reduce
from pathlib import Path
from typing import Any

import pytest

import lava_mlsnn
from lava_mlsnn.cli import app
from lava_mlsnn.papers import ITEMS, find
from lava_mlsnn.papers.bibliography import BY_ITEMS

PAGE = (Path(__file__).parents[2] / "docs" / "paper-map.md").read_text(encoding="utf-8")
PRINTED = {
    "paper000": {"Eq": 12, "Fig": 11, "Table": 4},
    "paper002": {"Eq": 24, "Fig": 6, "Table": 17},
    "paper003": {"Eq": 20, "Fig": 5, "Table": 3},
    "paper004": {"Eq": 20, "Fig": 6, "Table": 6},
}
"""How many of each the papers have, numbered from 1."""


def sections() -> dict[str, list[list[str]]]:
    """Paper -> cells of each row."""
    found = {}
    for text in PAGE.split("\n## ")[1:]:
        paper = "paper" + re.findall(r"paper (\d+)", text.splitlines()[0])[0]
        assert f"[{BY_ITEMS[paper].key}]" in text.splitlines()[0]
        rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
        found[paper] = [row for row in rows if row[0] != "in the paper"]
    return found


def places(cell: str) -> set[tuple[str, int]]:
    """ "Eq 1 to 3" -> ("Eq", 1), ("Eq", 2), ("Eq", 3)."""
    kind = re.match(r"Eq|Fig|Table", cell)
    numbers = [int(number) for number in re.findall(r"\d+", cell)]
    if kind is None:
        return set()
    return {(kind[0], n) for n in (range(numbers[0], numbers[-1] + 1) if " to " in cell else numbers)}


def resolve(name: str) -> Any:
    """A dotted name inside the package."""
    return reduce(getattr, name.split("."), lava_mlsnn)


@pytest.mark.parametrize("paper", PRINTED)
def test_everything_that_is_numbered_is_there_once(paper: str) -> None:
    named = [place for row in sections()[paper] for place in places(row[0])]
    printed = {(kind, n) for kind, most in PRINTED[paper].items() for n in range(1, most + 1)}
    assert set(named) == printed and len(named) == len(printed)


def test_what_is_named_exists() -> None:
    codes = [code for rows in sections().values() for row in rows for code in re.findall(r"`([^`]+)`", row[-1])]
    assert len(codes) > 60
    for code in codes:
        if code.startswith("mlsnn reproduce "):
            assert [item.name for item in find(code.split()[-1])] == [code.split()[-1]]
        elif code.startswith("mlsnn "):
            assert code.split()[1] in {command.name or command.callback.__name__ for command in app.registered_commands}
        elif "." in code:
            resolve(code)
        else:
            assert code in {"fusion", "messages", "residual", *lava_mlsnn.model.names()}, code


def test_every_item_is_named() -> None:
    assert {name for name in ITEMS if f"`mlsnn reproduce {name}`" not in PAGE} == set()


def test_each_row_says_what_computes_it_or_why_nothing_does() -> None:
    for rows in sections().values():
        for row in rows:
            assert len(row) == 3 and ("`" in row[2] or re.match(r"– \w+", row[2]) or "the same" in row[2]), row
    assert places("Eq 1 to 3") == {("Eq", 1), ("Eq", 2), ("Eq", 3)} and places("Fig. 2, 3") == {("Fig", 2), ("Fig", 3)}
