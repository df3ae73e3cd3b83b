"""Items of [VicenteSola2022] on networks so small that they take seconds: what they say, not how well they do."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from lava_mlsnn import data, model
from lava_mlsnn.papers.findings import Spread
from lava_mlsnn.papers.paper002 import standins, tables, trained, transfer
from lava_mlsnn.papers.registry import find
from lava_mlsnn.papers.request import Request
from lava_mlsnn.train.training import MODEL_FILE


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trained, "QUICK", {"levels": 1, "steps": 2, "width": 2, "blocks": (1, 1, 1)})
    monkeypatch.setattr(transfer, "QUICK_WIDER", {"width": 3, "boost": True})


def test_table_2_names_what_it_cannot_tell(tmp_path: Path) -> None:
    request = Request(out=tmp_path, seeds=(0,), epochs=1)
    found = find("paper002-table2")[0].findings(request)
    assert list(found.rows.network) == ["S2S", "V2V", "S2M"]
    (relation,) = found.relations
    assert relation.holds in (None, False), "one seed cannot show an order"
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("outcome.json")}
    again = find("paper002-table2")[0].findings(request)
    assert again.rows.equals(found.rows) and len(before) == 3
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("outcome.json")}, "trained once"


def test_an_order_is_decided_by_neighbors() -> None:
    table = tables.TABLES[2]

    def verdict(*means: float) -> bool | None:
        found = {row.name: Spread.of((m - 0.001, m, m + 0.001)) for row, m in zip(table.rows, means, strict=True)}
        return tables._order(table, found, 10).holds

    assert verdict(0.9, 0.8, 0.7) is True and verdict(0.9, 0.8, 0.8) is None
    assert verdict(0.9, 0.8, 0.12) is None, "12 % of ten classes is chance: nothing was learned"
    assert verdict(0.9, 0.9, 0.95) is False and verdict(0.7, 0.8, 0.9) is False


def test_parameters_hold_exactly(tmp_path: Path) -> None:
    found = find("paper002-table7")[0].findings(Request(out=tmp_path, seeds=(0,), epochs=1))
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


def _weights_of(folder: Path) -> bytes:
    return model.load(folder / MODEL_FILE).body[0].conv1.connections[0].synapse.weight.detach().numpy().tobytes()


def test_first_weights_come_from_other_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = Request(out=tmp_path, seeds=(0,), epochs=1)
    found = find("paper002-table12")[0].findings(request)
    plain, tuned = found.rows.network[0], found.rows.network[1]
    assert tuned == f"{plain}, from mnist5k-8x8" and len(found.rows) == len(found.relations) + 2 == 4
    kept = [json.loads(path.read_text()) for path in tmp_path.rglob("outcome.json")]
    assert sorted("start" in record["key"] for record in kept) == [False] * 4 + [True] * 2
    assert len({_weights_of(path.parent) for path in tmp_path.rglob("outcome.json")}) == 6, (
        "first weights change nothing"
    )
    monkeypatch.setattr(transfer, "SOURCES", {})  # the digits themselves, which are at hand at once
    events = find("paper002-table11")[0].findings(request)
    assert "digits-moving" in events.title and events.rows.network[1].endswith("from digits")


def test_resolutions_have_the_stems_of_table_13(tmp_path: Path) -> None:
    found = find("paper002-table13")[0].findings(Request(out=tmp_path, seeds=(0,), epochs=1))
    assert list(found.rows.network) == ["9 x 9, stem cifar", "18 x 18, stem dvs64", "36 x 36, stem dvs128"]


def test_the_paper_s_setting_needs_events(tmp_path: Path) -> None:
    for table in ("table11", "table13"):
        with pytest.raises(ValueError, match=r"recordings of events: expected cifar10dvs:PATH, got 'digits'"):
            find(f"paper002-{table}")[0].findings(Request(out=tmp_path, preset="full"))


def test_table_14_shows_what_others_reached(tmp_path: Path) -> None:
    found = find("paper002-table14")[0].findings(Request(out=tmp_path, seeds=(0,), epochs=1))
    assert len(found.tables["As printed"]) == 16 + 3 and not found.relations


def test_events_of_moving_images_are_their_edges() -> None:
    digits = data.load("digits")
    moved = standins.moving(digits, 4)
    image, events = digits.test_images[0, 0].astype(int), moved.test_images[0]
    right = np.pad(image, ((0, 1), (1, 0))) - np.pad(image, ((0, 1), (0, 1)))
    assert np.array_equal(events[0, ..., 0], right >= 8) and np.array_equal(events[1, ..., 0], right <= -8)
    assert not (events[0] & events[1]).any() and moved.test_labels is not None
    small = standins.shrunk(data.load("mnist5k"), 8)
    assert small.shape == (1, 8, 8) and 0 < small.train_images.mean() < data.load("mnist5k").train_images.mean()
