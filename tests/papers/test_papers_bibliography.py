"""The table of papers, the page made from it, and the keys that docstrings cite."""

from __future__ import annotations

import re
from pathlib import Path

import lava_mlsnn
from lava_mlsnn.papers import ITEMS
from lava_mlsnn.papers.bibliography import BY_ITEMS, SOURCES, page

ROOT = Path(__file__).parents[2]
CITED = re.compile(r"\[((?:[A-Z][a-zA-Z]+(?:20|19)\d\d)|Lava)\]")


def test_the_page_is_the_table() -> None:
    written = (ROOT / "docs" / "bibliography.md").read_text(encoding="utf-8")
    assert written == page(), "write lava_mlsnn.papers.bibliography.page() to docs/bibliography.md"


def test_every_paper_with_items_has_a_source_and_every_key_is_known() -> None:
    assert {item.paper for item in ITEMS.values()} == set(BY_ITEMS)
    keys = {source.key for source in SOURCES}
    assert len(keys) == len(SOURCES) and len({source.name for source in SOURCES}) == len(SOURCES)
    rooms = [Path(lava_mlsnn.__file__).parent / room for room in ("train", "papers")]
    files = [path for room in rooms for path in room.rglob("*.py")] + list((ROOT / "docs").glob("reproduce-*.md"))
    cited = {key: path for path in files for key in CITED.findall(path.read_text(encoding="utf-8"))}
    assert set(cited) <= keys, {key: path for key, path in cited.items() if key not in keys}
    assert {source.key for source in BY_ITEMS.values()} <= set(cited)
    by_number = [path for path in files if re.search(r"\bpaper 00\d\b", path.read_text(encoding="utf-8"))]
    assert not by_number, f"cite papers by key: {by_number}"
