"""Items of [Castagnetti2023]: what must hold on one neuron, and the tables' items on a small training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from lava_mlsnn.analysis import sparsity
from lava_mlsnn.papers.paper003 import accuracy, neuron
from lava_mlsnn.papers.registry import find
from lava_mlsnn.papers.request import Request

torch.set_num_threads(1)


@pytest.mark.parametrize("item", ["paper003-fig1", "paper003-fig2"])
def test_figures_of_the_quantiser_hold(item: str) -> None:
    findings = find(item)[0].findings(Request())
    assert findings.relations and all(relation.holds for relation in findings.relations)


def test_figure_3_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than 10 dB at T = 4, about what a fixed threshold reaches at T = 20."""
    monkeypatch.setattr(neuron.train, "__defaults__", (200, 0))
    monkeypatch.setattr(neuron, "BATCH", 500)
    findings = neuron.fig3(Request())
    assert [relation.holds for relation in findings.relations] == [True, True, False], "Vth stays above 1.2 sigma"
    assert all(relation.claim.endswith("with alpha = 20 where the paper has 1") for relation in findings.relations)
    monkeypatch.setattr(neuron.train, "__defaults__", (20, 0))
    plain = neuron.fig3(Request(alpha=1.0)).relations
    assert not any("alpha" in relation.claim for relation in plain)


def test_points_beat_one_threshold_and_stay_below_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neuron.train, "__defaults__", (200, 0))
    monkeypatch.setattr(neuron, "BATCH", 500)
    monkeypatch.setattr(neuron, "FORMS", {k: v for k, v in neuron.FORMS.items() if "points" not in k})
    findings = neuron.fig5(Request())
    table = next(iter(findings.tables.values()))
    decibels = table["SQNR in dB"].astype(float).tolist()
    assert decibels[0] + 2 < min(decibels[1:-1]) and max(decibels[:-1]) < decibels[-1]


def test_tables_train_and_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(accuracy.SMALL, "sew_resnet18", {"width": 4, "blocks": (1,)})
    request = Request(out=tmp_path, seeds=(0,), epochs=1, quantized_epochs=1)
    monkeypatch.setattr(accuracy, "QUICK_ROWS", 4)
    findings = accuracy.table(request, 2)
    assert findings.title.endswith("on digits"), "words are not shrunk"
    assert list(findings.rows["neuron"]) == ["ATIF-u", "ATIF-nu"]
    ann = request.lab(1).run(accuracy.job(request, "sew_resnet18", accuracy.ANN, 0))
    assert ann.job.is_twin and set(findings.rows["ann_accuracy"]) == {ann.accuracy}
    shown = next(iter(findings.tables.values()))
    assert list(shown["paper, ANN"]) == ["94.46%"] * 2
    assert set(shown["ANN"]) == {f"{100 * ann.accuracy:.1f} %"}
    assert sum("the ANN's accuracy in 4 timesteps" in relation.claim for relation in findings.relations) == 2
    outcome = request.lab(4).run(accuracy.job(request, "sew_resnet18", "ATIF-nu", 0))
    theta = sparsity(outcome.graph(), outcome.activity())
    graph, counts = outcome.graph(), outcome.activity()
    by_hand = [counts.values[x.name].sum() / (counts.samples * 4 * np.prod(x.shape)) for x in graph if x.neuron.spiking]
    assert list(theta.layers.values()) == by_hand and theta.mean == pytest.approx(np.mean(by_hand))
    row = findings.rows[findings.rows["neuron"] == "ATIF-nu"]
    assert float(row["theta"].iloc[0]) == pytest.approx(theta.mean)
    assert {x.neuron.kind for x in graph} >= {"scheduled", "readout"}


def test_networks_have_the_paper_s_surrogate() -> None:
    for asked, wanted in ((None, 1.0), (5.0, 5.0)):
        request = Request(alpha=asked)
        for name in accuracy.NEURONS:
            assert accuracy.job(request, "sew_resnet18", name, 0).options["neuron"]["alpha"] == wanted


def test_table_3_decides_the_order_of_theta(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(accuracy.SMALL, "sew_resnet18", {"width": 4, "blocks": (1,)})
    request = Request(out=tmp_path, seeds=(0,), epochs=1, quantized_epochs=1)
    monkeypatch.setattr(accuracy, "QUICK_ROWS", 4)
    monkeypatch.setattr(accuracy, "QUICK_IMAGES", 500)
    findings = accuracy.table(request, 3)
    assert findings.title.endswith("on digits-4x4") and "499 training and 359 test images" in findings.notes[0]
    fixed, *trained = next(iter(findings.tables.values()))["thresholds"]
    assert fixed == "1.00 .. 1.00" and fixed not in trained
    assert list(findings.rows["neuron"]) == list(accuracy.NEURONS) and findings.rows["ann_accuracy"].isna().all()
    claims = [relation.claim for relation in findings.relations if "theta of" in relation.claim]
    assert [claim.partition(": ")[2] for claim in claims] == [
        "theta of ATIF-u is below that of ATIF-nu",
        "theta of ATIF-nu is below that of fixed Vth",
    ]


def test_figure_4_tells_where_the_printed_thresholds_fail() -> None:
    findings = find("paper003-fig4")[0].findings(Request())
    verdicts = {relation.claim.rpartition(": ")[2]: relation.holds for relation in findings.relations[:-1]}
    assert verdicts["extended schedule, equal spacing"] and not verdicts["printed schedule, equal spacing"]
    assert not verdicts["extended schedule, gaps of +-50 %"] and findings.relations[-1].holds
    equal = findings.rows[(findings.rows["points"] == "equal spacing") & (findings.rows["schedule"] == "extended")]
    assert (equal["spikes"] == np.minimum((equal["i"] * 4).astype(int), 4)).all()
    findings.draw(Figure())
