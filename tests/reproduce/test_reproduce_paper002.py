"""Paper 002's items on networks so small that they take seconds: what they say, not how well they do."""

from __future__ import annotations

from pathlib import Path

import pytest

from lava_mlsnn.reproduce.findings import Spread
from lava_mlsnn.reproduce.paper002 import tables, trained
from lava_mlsnn.reproduce.registry import find
from lava_mlsnn.reproduce.request import Request


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trained, "QUICK", {"levels": 1, "steps": 2, "width": 2, "blocks": (1, 1, 1)})


def test_table_2_names_what_it_cannot_tell(tmp_path: Path) -> None:
    request = Request(out=tmp_path, seeds=(0,), epochs=1)
    found = tables.table2(request)
    assert list(found.rows.network) == ["S2S", "V2V", "S2M"]
    (relation,) = found.relations
    assert relation.holds in (None, False), "one seed cannot show an order"
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("outcome.json")}
    again = tables.table2(request)
    assert again.rows.equals(found.rows) and len(before) == 3
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("outcome.json")}, "trained once"


def test_an_order_is_told_from_its_neighbours() -> None:
    table = tables.TABLES[2]

    def verdict(*means: float) -> bool | None:
        found = {row.name: Spread.of((m - 0.001, m, m + 0.001)) for row, m in zip(table.rows, means, strict=True)}
        return tables._order(table, found).holds

    assert verdict(0.9, 0.8, 0.7) is True and verdict(0.9, 0.8, 0.8) is None
    assert verdict(0.9, 0.9, 0.95) is False and verdict(0.7, 0.8, 0.9) is False


def test_parameters_hold_exactly(tmp_path: Path) -> None:
    found = tables.table7(Request(out=tmp_path, seeds=(0,), epochs=1))
    counts = [relation for relation in found.relations if "parameters" in relation.claim]
    assert len(counts) == 4 and all(relation.holds for relation in counts)


def test_early_stop_and_activity(tmp_path: Path) -> None:
    from matplotlib.figure import Figure

    request = Request(out=tmp_path, seeds=(0,), epochs=1)
    stopped = find("paper002-table16")[0].findings(request)
    assert list(stopped.rows.network) == ["4 of 4", "3 of 4", "2 of 4", "1 of 4"]
    (item,) = find("paper002-fig3")
    found = item.findings(request)
    assert set(found.rows.form) == {"s2s", "s2m", "v2v"} and found.rows["share that fires"].between(0, 1).all()
    found.draw(Figure())
