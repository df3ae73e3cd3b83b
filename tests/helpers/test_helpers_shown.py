"""What people look at shows itself as a table, without weights; ``repr`` is one line."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from lava_mlsnn import data, energy, loihi2, netx, sim
from lava_mlsnn.helpers.shown import Grid

GRAPH = netx.example("digits_sparse_resnet_t1n4")
DIGITS = data.load("digits")
RUN = sim.run(GRAPH, DIGITS.test_images[:5])
SHOWN: dict[str, Any] = {
    "graph": GRAPH,
    "layer": GRAPH["stage1.0.add"],
    "run": RUN,
    "dataset": DIGITS,
    "fit": loihi2.fit(GRAPH),
    "energy": energy.estimate(GRAPH, RUN.activity),
}


class Cells(HTMLParser):
    """Texts of a table's cells, and tags that are open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.open.append(tag)
        if tag in ("td", "th"):
            self.found.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, content: str) -> None:
        if self.open and self.open[-1] in ("td", "th"):
            self.found[-1] += content


@pytest.mark.parametrize("what", SHOWN)
def test_it_is_a_table_in_a_notebook_and_in_a_terminal(what: str) -> None:
    thing = SHOWN[what]
    grid = thing.grid()
    cells = Cells(thing._repr_html_())
    assert not cells.open and len(cells.found) == len(grid.columns) * (len(grid.rows) + 1)
    text = grid.text()
    assert all(cell in text for cell in cells.found)
    printed: list[str] = []
    thing._repr_pretty_(type("Printer", (), {"text": printed.append}), False)
    assert printed == [text] and len(repr(thing).splitlines()) == 1 and len(repr(thing)) < 400
    if what != "energy":  # its text is its summary
        assert str(thing) == text


def test_numbers_are_those_of_the_objects() -> None:
    frame = GRAPH.to_frame()
    assert list(frame.index) == [layer.name for layer in GRAPH] and frame["parameters"].sum() == GRAPH.parameters
    assert frame.loc["stage1.0.add", "reads"] == "stage1.0.conv2 + stem"
    assert "24,362" in GRAPH.summary() and GRAPH.summary() == str(GRAPH)
    events = {row[0]: row[1] for row in RUN.grid().rows}
    assert events["stem"] == RUN.activity.mean_events("stem")
    assert DIGITS.grid().rows[-1] == ("all", 1438, 359)
    assert sum(row[3] for row in SHOWN["fit"].grid().rows) == SHOWN["fit"].cores


def test_no_spec_prints_its_weights() -> None:
    conv = GRAPH["stem"].synapse
    assert "<int32 (16, 1, 3, 3), -113 .. 119>" in repr(conv) and len(repr(conv)) < 150
    assert repr(netx.Dense(np.array([[1, 2]]))) == "Dense(weight=[[1, 2]])"
    assert len(repr(GRAPH["stem"].connections)) < 200


def test_text_is_escaped() -> None:
    html = Grid("<b>", ("<i>",), [("<script>",)], ["a & b"]).html()
    assert "<script>" not in html and "&lt;script&gt;" in html and "a &amp; b" in html
