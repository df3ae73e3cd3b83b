"""Items of [VicenteSola2022] on networks so small that they take seconds: what they say, not how well they do."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from lava_mlsnn import data, model, train
from lava_mlsnn.papers import standins
from lava_mlsnn.papers.findings import Spread
from lava_mlsnn.papers.lab import Job
from lava_mlsnn.papers.paper002 import activity, search, tables, trained, transfer
from lava_mlsnn.papers.paper002.variants import TABLES
from lava_mlsnn.papers.registry import find
from lava_mlsnn.papers.request import Request
from lava_mlsnn.train.training import MODEL_FILE

trained_quick = dict(trained.QUICK)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trained, "QUICK", {"levels": 1, "steps": 5, "width": 2, "blocks": (1, 1, 1)})
    monkeypatch.setattr(trained, "QUICK_WIDER", {"width": 3})
    monkeypatch.setattr(transfer, "QUICK_WIDER", {"width": 3, "boost": True})


def test_table_2_names_what_it_cannot_tell(tmp_path: Path) -> None:
    request = Request(out=tmp_path, seeds=(0,), epochs=1)
    found = find("paper002-table2")[0].findings(request)
    assert list(found.rows.network) == ["S2S", "V2V", "S2M", "S2M, fires at Vth"]
    (relation,) = found.relations
    assert relation.holds in (None, False), "one seed cannot show an order"
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("outcome.json")}
    again = find("paper002-table2")[0].findings(request)
    assert again.rows.equals(found.rows) and len(before) == 4
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("outcome.json")}, "trained once"


def test_a_network_of_two_tables_is_trained_once(tmp_path: Path) -> None:
    """S2S, the raw image and BNTT are all that an S-ResNet has anyway."""
    request = Request(out=tmp_path, seeds=(0,), epochs=1)
    found = [find(f"paper002-table{number}")[0].findings(request).rows for number in (4, 5)]
    assert [list(rows.network) for rows in found] == [["raw image", "Poisson spikes"], ["BNTT", "BN over time"]]
    kept = [json.loads(path.read_text("utf-8"))["key"]["options"] for path in tmp_path.rglob("outcome.json")]
    others = [{key: value for key, value in options.items() if key not in trained.QUICK} for options in kept]
    assert sorted(others, key=str) == [{"encoding": "poisson"}, {"norm": "bn"}, {}]


def test_an_order_is_decided_by_neighbors() -> None:
    table = TABLES[2]

    def verdict(*means: float) -> bool | None:
        found = {row.name: Spread.of((m - 0.001, m, m + 0.001)) for row, m in zip(table.rows[:3], means, strict=True)}
        return tables._order(table.claim, found, 10).holds

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
    wanted = ["5 of 5", "4 of 5", "3 of 5", "2 of 5", "2 of 2", "1 of 5", "1 of 2"]
    assert list(stopped.rows.network) == wanted and len(stopped.relations) == 3
    (item,) = find("paper002-fig3")
    found = item.findings(request)
    assert set(found.rows.form) == {"s2s", "s2m", "v2v"} and found.rows["share active"].between(0, 1).all()
    assert len(found.rows) == 3 * 7 * 5 and found.rows["gamma"].notna().all(), "7 convolutions in both panels"
    found.draw(figure := Figure())
    maps = figure.axes[:6]
    assert {axes.get_xlabel() for axes in maps} == {"timestep"} and {axes.get_ylabel() for axes in maps} != {""}
    shapes = {axes.images[0].get_array().shape for axes in maps}
    assert shapes == {(7, 5)}


def test_activity_is_counted_after_the_sum() -> None:
    """Of S2S: an entry is active where the second layer or the residual path is."""
    digits = data.load("digits")
    net = train.create("s_resnet38", digits, **trained.QUICK, residual="s2s")
    names, shares, gammas = activity.activity(net, digits)
    assert names[0] == "stem" and len(names) == len(shares) == len(gammas) == 7
    net.eval()
    images = torch.from_numpy(digits.test_images.astype(np.int64))
    with torch.no_grad():
        spikes = net.stem(net.input(images))
        block = net.body[0]
        own = block.conv2(block.conv1(spikes))
    after = ((own + spikes) != 0).double().mean((0, 1, 2, 3)).numpy()
    np.testing.assert_allclose(shares[2], after, atol=1e-9)
    assert (after > (own != 0).double().mean((0, 1, 2, 3)).numpy()).any()
    with torch.no_grad():
        block.conv1.connections[0].norm.weight[:, 0] = 7.0
    assert np.allclose(activity.activity(net, digits)[2][1], 4.0), "gamma: mean over the channels of conv1's norm"


def _weights_of(folder: Path) -> bytes:
    return model.load(folder / MODEL_FILE).body[0].conv1.connections[0].synapse.weight.detach().numpy().tobytes()


def test_first_weights_come_from_other_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = Request(out=tmp_path, seeds=(0,), epochs=1)
    found = find("paper002-table12")[0].findings(request)
    plain, tuned = found.rows.network[0], found.rows.network[1]
    assert tuned == f"{plain}, from mnist5k-8x8" and len(found.rows) == len(found.relations) + 2 == 4
    kept = [json.loads(path.read_text()) for path in tmp_path.rglob("outcome.json")]
    assert sorted("start" in record["key"] for record in kept) == [False] * 4 + [True] * 2
    assert "The first convolution is copied, the readout is copied." in " ".join(found.notes)
    assert len({_weights_of(path.parent) for path in tmp_path.rglob("outcome.json")}) == 6, (
        "first weights change nothing"
    )
    monkeypatch.setattr(transfer, "SOURCES", {})  # the digits themselves, which are at hand at once
    events = find("paper002-table11")[0].findings(request)
    assert "digits-moving" in events.title and events.rows.network[1].endswith("from digits")
    wanted = "The first convolution is adapted to other channels or classes, the readout is copied."
    assert wanted in " ".join(events.notes)


def test_full_runs_have_the_printed_epochs_and_widths(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What would be trained, without training it."""
    asked: list[tuple[dict[str, object], int, tuple[float, ...]]] = []

    class Done:
        folder, record, accuracy, right = tmp_path, {}, 0.5, np.arange(10) < 5

        def __init__(self, chosen: dict[str, object]) -> None:
            self.kept, self.job = None, Job("s_resnet38", chosen)

        def net(self) -> object:
            return model.create("s_resnet38", in_shape=(1, 8, 8), num_classes=10, levels=1, steps=2, width=2)

    def fake(request: Request, chosen: dict[str, object], dataset=None, starts=None, epochs=70, at=None):
        plan = trained.recipe(request, epochs, at)
        asked.append((chosen, plan.epochs, plan.schedule.at))
        return (Done(chosen),)

    monkeypatch.setattr(trained, "trained", fake)
    monkeypatch.setattr(tables, "_stopped", lambda *_: 0.5)
    monkeypatch.setattr(transfer, "_taken", lambda *_: "")
    monkeypatch.setattr(transfer, "_source", lambda request, target: target)
    monkeypatch.setattr(transfer, "_events", lambda request, steps: request.dataset())
    request = Request(out=tmp_path, preset="full", seeds=(0,))

    def plans(item: str) -> list[tuple[object, ...]]:
        asked.clear()
        find(f"paper002-{item}")[0].findings(request)
        return [(chosen["width"], chosen["blocks"], chosen["steps"], epochs, at) for chosen, epochs, at in asked]

    deep, usual, early = (6, 6, 6), (0.7, 0.8, 0.9), (0.5, 0.7, 0.9)
    assert plans("table2") == [(32, deep, 50, 70, usual)] * 4
    assert [plan[1] for plan in plans("table3")] == [(6, 6, 6), (3, 3, 3), (7, 7, 7)]
    assert plans("table4") == [(16, deep, 50, 100, usual)] * 2
    assert plans("table8") == [(16, deep, 50, 200, usual)] * 2
    wide = [(32, deep, 50, 70, usual)] * 3
    assert plans("table6") == plans("table7") == [(16, deep, 50, 200, usual)] * 2 + wide
    assert [(p[0], p[3], p[4]) for p in plans("table11")] == [
        *((16, epochs, at) for epochs, at in ((200, usual), (70, early), (70, early))),
        *((32, epochs, at) for epochs, at in ((70, usual), (70, early), (70, early))),
    ]
    assert [(p[0], p[3]) for p in plans("table12")] == [(16, 200), (16, 200), (16, 100), (32, 70), (32, 70), (32, 70)]
    assert [(p[0], p[2]) for p in plans("table15")] == [(16, 1), (16, 50), (32, 1), (32, 50)]
    assert [p[2] for p in plans("table16")] == [50, 20] and [p[2] for p in plans("table17")] == [20, 20, 50]


def test_quick_runs_have_the_paper_s_time_and_its_scale() -> None:
    """They belong together: 0.3 at few steps trains S2M to chance."""
    assert trained_quick["steps"] == 50 and "alpha" not in trained_quick
    request = Request(steps=4, alpha=1.0)
    chosen = trained.options(request, {"residual": "s2m"}, {})
    assert (chosen["steps"], chosen["alpha"], chosen["residual"]) == (4, 1.0, "s2m")
    assert "--steps 4 --alpha 1.0" in request.command("paper002-table2")
    assert "alpha 1.0" in trained.note(request) and "alpha 0.3, levels 1, steps 5" in trained.note(Request())
    for wrong in ({"steps": 1}, {"alpha": 0.0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Request(**wrong)


def test_boosting_is_also_tried_with_matched_start_and_step(tmp_path: Path) -> None:
    found = find("paper002-table7")[0].findings(Request(out=tmp_path, seeds=(0,), epochs=1))
    wanted = ["plain, 2 filters", "boosting, 2 filters", "plain, 3 filters", "boosting, 3 filters"]
    assert list(found.rows.network) == [*wanted, "boosting, matched, 3 filters"]
    assert [r.claim.partition(":")[0] for r in found.relations[-2:]] == [wanted[-1], "boosting, matched, 3 filters"]


def test_searches_see_held_out_training_images_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "LEAKS", (0.2, 0.9))
    monkeypatch.setattr(search, "ALPHAS", (0.01, 1.0))
    request = Request(out=tmp_path, seeds=(0,), epochs=2)
    leaks = find("paper002-table9")[0].findings(request)
    assert list(leaks.rows.leak) == ["searched", "trained", "0.2", "0.9"]
    scales = find("paper002-alpha")[0].findings(request)
    table = next(iter(scales.tables.values()))
    assert list(table[""]) == ["s2s", "v2v", "s2m"] and len(scales.rows) == 6
    kept = [json.loads(path.read_text())["key"] for path in tmp_path.rglob("outcome.json")]
    data_of = {json.dumps(key["data"]) for key in kept if key["options"].get("plif") != "shared"}
    assert len(data_of) == 1 and len({json.dumps(key["data"]) for key in kept}) == 2


def test_large_images_are_shrunk_and_some_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trained, "QUICK_ROWS", 4)
    monkeypatch.setattr(trained, "QUICK_IMAGES", 500)
    found = trained.images(Request())
    assert found.shape == (1, 4, 4) and abs(len(found.train_labels) - 500) < 6 and len(found.test_labels) == 359
    assert "500 of the training images" in found.source or "of the training images, drawn per class" in found.source
    assert trained.images(Request(preset="full")).shape == (1, 8, 8)


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
