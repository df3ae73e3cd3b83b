"""The verdicts of two runs beside each other, read from the pages that the runs wrote."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from lava_mlsnn.cli.app import app
from lava_mlsnn.papers import Relation, Request, agreement, find, run
from lava_mlsnn.papers.verdicts import HEADING, Agreement, explained, listed, read

DOCS = Path(__file__).parents[2] / "docs"


def page(path: Path, *verdicts: tuple[str, str, bool | None, str], title: str = "Paper 000 on digits") -> Path:
    """As ``run`` writes one: verdicts as (item, claim, whether it holds, numbers)."""
    found = [(item, Relation(*rest)) for item, *rest in verdicts]
    lines = [f"# {title}", "Made by `mlsnn reproduce fig6 --data digits`; python 3.11.", HEADING]
    lines += [listed(*pair) for pair in found]
    lines += ["## Items", "- a line that is no verdict.", *(explained(relation) for _, relation in found)]
    path.write_text("\n\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_page_is_read_as_it_was_decided(tmp_path):
    request = Request(out=tmp_path)
    names = ["paper000-fig5", "paper003-fig1", "paper003-fig4", "paper004-table5"]
    *_, path = run(names, request)
    expected = {(item.short, r.claim): r for item in find(*names) for r in item.findings(request).relations}
    found = read(path)
    assert found.relations == expected
    assert list(found.relations) == list(expected)
    assert found.command == request.command(" ".join(names))
    assert {r.holds for r in expected.values()} == {True, False}


def test_every_page_of_the_documentation_is_read():
    pages = [read(path) for path in DOCS.glob("reproduce-*.md")]
    assert len(pages) >= 6
    assert {r.holds for page in pages for r in page.relations.values()} == {True, False, None}
    assert all(r.numbers for page in pages for r in page.relations.values())


def test_what_changes_is_counted_and_told(tmp_path):
    same = ("fig6", "a: b", True, "1 (2)")
    first = page(
        tmp_path / "a.md", same, ("fig6", "c", True, "3"), ("fig7", "c", None, "4"), ("fig7", "d", False, "5"),
        ("fig8", "only here", True, "0"), ("fig9", "stays", None, "7 (one)"),
    )  # fmt: skip
    second = page(
        tmp_path / "b.md", same, ("fig6", "c", False, "3.5"), ("fig7", "c", True, "4.5"), ("fig7", "d", None, "5.5"),
        ("fig9", "stays", None, "7 (two)"), ("fig9", "only there", True, "0"), ("fig9", "and this", True, "0"),
    )  # fmt: skip
    both = Agreement(read(first), read(second))
    assert both.exact == [("fig6", "a: b")]
    assert both.trained == [("fig6", "c"), ("fig7", "c"), ("fig7", "d"), ("fig9", "stays")]
    assert both.changed == [("fig6", "c"), ("fig7", "c"), ("fig7", "d")]
    assert both.contrary == [("fig6", "c")]
    assert both.alone == 3
    text = agreement([(first, second)])
    assert "| Paper 000 on digits | 4 | 1 | 2 | 1 | 3 | 1 |" in text
    assert "- fig6: c: holds in the first run (3), **does not hold** in the second (3.5)." in text
    assert "- fig7: d: **does not hold** in the first run (5), cannot tell in the second (5.5)." in text
    assert "- fig9: stays: cannot tell in both runs (first: 7 (one). Second: 7 (two))." in text
    assert text.index("### Other verdicts") < text.index("fig7: d") < text.index("### The same") < text.index("stays")
    assert "a: b" not in text  # no training decided it


def test_several_pages_are_added_up(tmp_path):
    first = page(tmp_path / "a.md", ("fig6", "c", True, "3"))
    again = page(tmp_path / "b.md", ("fig6", "c", True, "3.1"))
    other = [page(tmp_path / name, ("x", "y", None, name), title="Paper 004") for name in ("c.md", "d.md")]
    text = agreement([(first, again), (other[0], other[1])])
    assert "| together | 2 | 2 | 0 | 0 | 0 | 0 |" in text
    third = agreement([(first, again), (first, page(tmp_path / "e.md", ("fig6", "c", None, "3.2")))])
    assert "| Paper 000 on digits | 1 | 1 | 0 | 0 | 0 | 0 |" in third
    assert "| Paper 000 on digits | 1 | 0 | 1 | 0 | 0 | 0 |" in third
    assert "| together | 2 | 1 | 1 | 0 | 0 | 0 |" in third
    assert text.count("### The same verdicts") == 2 and "### Other verdicts" not in text


def test_the_command(tmp_path):
    first = page(tmp_path / "a.md", ("fig6", "c", True, "3"))
    again = page(tmp_path / "b.md", ("fig6", "c", None, "3.1"))
    out = tmp_path / "second.md"
    result = CliRunner().invoke(app, ["verdicts", str(first), str(again), "-o", str(out)])
    assert result.exit_code == 0, result.output
    assert out.read_text(encoding="utf-8") == agreement([(first, again)])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a page of several items that mlsnn reproduce wrote"),
        ("# Paper\n\nno verdicts\n", "expected a page of several items that mlsnn reproduce wrote"),
        (f"# P\n\nMade by `mlsnn reproduce a`; b.\n\n{HEADING}\n\n- fig6: c: holds.\n", "fig6: c: expected a line"),
    ],
)
def test_another_file_is_refused_by_name(tmp_path, text, message):
    path = tmp_path / "page.md"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=f"page.md: {message}"):
        read(path)


def test_a_claim_that_stands_twice_is_refused(tmp_path):
    twice = page(tmp_path / "a.md", ("fig6", "c", True, "3"), ("fig6", "c", True, "4"))
    with pytest.raises(ValueError, match=r"a\.md: fig6: c: expected it once, found it twice"):
        read(twice)


def test_pages_that_do_not_compare_are_refused(tmp_path):
    first = page(tmp_path / "a.md", ("fig6", "c", True, "3"))
    other = page(tmp_path / "b.md", ("fig6", "c", True, "3.1"), title="Paper 002 on digits")
    with pytest.raises(ValueError, match=r"same title, got 'Paper 000 on digits', 'Paper 002 on digits'"):
        agreement([(first, other)])
    with pytest.raises(ValueError, match=r"a\.md.*a\.md: expected claims that both runs decide by trainings"):
        agreement([(first, first)])
