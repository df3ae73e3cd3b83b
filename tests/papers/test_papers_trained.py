"""Items that train, with tiny settings: the path, not the numbers."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from lava_mlsnn import data, train
from lava_mlsnn.analysis import gradient_norms
from lava_mlsnn.cli import app
from lava_mlsnn.papers import Job, Lab, Relation, Request, Spread, find, run
from lava_mlsnn.papers.findings import as_accurate, better, difference
from lava_mlsnn.papers.lab import accuracy
from lava_mlsnn.papers.paper000 import setting, sums

TINY = setting.Networks({"width": 2, "blocks": (1, 1), "hidden": (6,)}, {"width": 2, "blocks": (2,)}, 0.2, (1, 4), (4,))


@pytest.fixture(scope="module")
def few() -> data.Dataset:
    """100 of the digits, under a name of their own."""
    digits = data.load("digits")
    return dataclasses.replace(
        digits,
        name="few",
        train_images=digits.train_images[:100],
        train_labels=digits.train_labels[:100],
        test_images=digits.test_images[:40],
        test_labels=digits.test_labels[:40],
    )


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for the module: items share trainings."""
    return tmp_path_factory.mktemp("reproduce")


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch, few: data.Dataset) -> None:
    real = data.load
    monkeypatch.setattr(data, "load", lambda name, *args, **kw: few if name == "digits" else real(name, *args, **kw))
    monkeypatch.setattr(setting, "SMALL", TINY)
    monkeypatch.setitem(train.RECIPES, "digits", train.recipe("digits", epochs=1, quantized_epochs=1, batch=50))


def request_in(out: Path) -> Request:
    return Request(seeds=(0,), out=out)


@pytest.mark.parametrize("item", [i.short for i in find("paper000") if i.trains])
def test_every_item_writes_its_files(item: str, out: Path):
    table, picture, text = run(item, request_in(out))
    with table.open(encoding="utf-8") as file:
        content = list(csv.DictReader(file))
    assert content and picture.read_bytes().startswith(b"\x89PNG")
    words = text.read_text(encoding="utf-8")
    title = words.splitlines()[0]
    assert "few" in title and "mlsnn reproduce" in words
    if item not in ("table3", "table4"):  # those speak of CIFAR's geometry, and say so
        assert "CIFAR" not in title


def test_figure_4_counts_behind_the_sums(out: Path) -> None:
    findings = find("fig4")[0].findings(request_in(out))
    ten = find("fig10")[0].findings(request_in(out)).rows
    for name in ("sew_resnet18", "sparse_resnet18"):
        mine, theirs = (frame[frame["network"] == name] for frame in (findings.rows, ten))
        assert list(mine["events"]) == list(theirs["sent"]) and len(mine) == 2
        np.testing.assert_allclose(mine["per_first_residual"], theirs["sent"] / theirs["residual"].iloc[0])
    assert [relation.claim.partition(" from")[0] for relation in findings.relations] == [
        "SEW: events grow",
        "Sparse: events do not grow",
    ]


def test_tables_show_others_as_printed(out: Path) -> None:
    tables = find("table1")[0].findings(request_in(out)).tables
    assert [len(tables[f"As printed, {data}"]) for data in ("CIFAR-10", "CIFAR-100")] == [15, 8]
    assert tables["As printed, CIFAR-10"].iloc[-1].tolist() == ["MBLIF", "SG", "multi-level", "ResNet20", "1", "94.59%"]
    assert len(find("table2")[0].findings(request_in(out)).tables["As printed, CIFAR10-DVS"]) == 8


def test_the_page_names_what_nothing_does(out: Path) -> None:
    page = run(("paper003-fig1", "paper003-fig4"), request_in(out))[-1].read_text(encoding="utf-8")
    assert "Nothing here does: CIFAR-100 rows of Table 1" in page and "Not done here: fig2" in page


def test_what_hangs_on_energy_is_told_in_both_countings(out: Path):
    """Columns, rows of the CSV and verdicts of the items whose verdicts energy decides."""
    for item, columns in (("fig7", ("energy_J", "energy_published_J")), ("fig11", ("energy_J", "energy_published_J"))):
        table, _, text = run(item, request_in(out))
        assert set(columns) <= set(table.read_text(encoding="utf-8").splitlines()[0].split(","))
        words = text.read_text(encoding="utf-8")
        assert "exact" in words and "published" in words
    for item in ("fig7", "table3"):
        lines = run(item, request_in(out))[2].read_text(encoding="utf-8").splitlines()
        verdicts = [line for line in lines if line.startswith("- ") and ("nergy" in line or "E_N" in line)]
        exact = [line for line in verdicts if "exact counting" in line]
        assert exact and len(exact) == sum("published counting" in line for line in verdicts) == len(verdicts) / 2


def test_items_share_trainings_and_nothing_is_trained_twice(out: Path, monkeypatch: pytest.MonkeyPatch):
    run("table1", request_in(out))
    monkeypatch.setattr("lava_mlsnn.train.training.fit", None)
    before = (out / "paper000-table1.csv").read_bytes()
    run("table1", request_in(out))
    assert (out / "paper000-table1.csv").read_bytes() == before
    run("fig10", request_in(out))  # SEW and Sparse at N = 4 are table1's


def test_an_interrupted_training_goes_on(few: data.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Stopped behind its first epoch, resumed: the network of a run without interruption."""
    job = Job("cnn", {"levels": 2, "steps": 1, "width": 2, "depth": 2}, seed=1)
    recipe = train.recipe("digits", epochs=2)
    whole = Lab(few, recipe, tmp_path / "a").run(job)

    class Stop(Exception):  # noqa: N818
        pass

    from lava_mlsnn.train.lightning_import import pl

    def stop(self, trainer, module):
        if trainer.current_epoch == 1:
            raise Stop

    lab = Lab(few, recipe, tmp_path / "b")
    with monkeypatch.context() as patch, pytest.raises(Stop):
        patch.setattr(pl.Callback, "on_train_epoch_start", stop)
        lab.run(job)
    assert list(lab.folder(job).glob("*.ckpt")) and not (lab.folder(job) / "outcome.json").exists()
    resumed = lab.run(job)
    for (name, a), b in zip(whole.net().state_dict().items(), resumed.net().state_dict().values(), strict=True):
        assert torch.equal(a, b), name
    assert resumed.activity() == whole.activity()
    assert not list(lab.folder(job).glob("*.ckpt"))


def test_outcomes_are_what_the_network_does(few: data.Dataset, out: Path):
    from lava_mlsnn import energy, sim

    lab = Lab(few, train.RECIPES["digits"], out)
    outcome = lab.run(Job("sew_resnet18", {"levels": 4, "steps": 1, **TINY.residual}, 0, 0.2))
    again = sim.run(outcome.graph(), few.test_images)
    assert outcome.activity() == again.activity
    assert outcome.accuracy == (again.labels == few.test_labels).mean() == outcome.record["accuracy"]["quantized"]
    for network, counts in (("snn", again.activity), ("ann", None)):
        published = energy.estimate(outcome.graph(), counts, options="qualia").total  # as the paper counts
        assert outcome.energy("qualia", network)["total"] == pytest.approx(published, rel=1e-12)
        exact = energy.estimate(outcome.graph(), counts).total
        assert outcome.energy(network=network)["total"] == pytest.approx(exact, rel=1e-12) != published
    older = {k: v for k, v in outcome.record["energy"].items() if k != "exact"}  # kept before it was a price
    kept = dataclasses.replace(outcome.kept, record={**outcome.record, "energy": older})
    assert dataclasses.replace(outcome, kept=kept).energy() == outcome.energy()
    older = {k: v for k, v in outcome.record.items() if k != "predicted"}  # kept before classes were recorded
    unlabeled = dataclasses.replace(outcome, kept=dataclasses.replace(outcome.kept, record=older))
    assert (outcome.right == (again.labels == few.test_labels)).all() and (unlabeled.right == outcome.right).all()
    assert accuracy((outcome, unlabeled)).values == (outcome.accuracy,) * 2
    assert len(outcome.history) == 2 and all("val_loss" in epoch for epoch in outcome.history)
    counted = sums.counts(outcome)
    assert [s.kind for s in counted.sums] == ["spikes", "spikes"]


def test_what_decides_a_training_decides_its_folder(few: data.Dataset, tmp_path: Path):
    recipe = train.RECIPES["digits"]
    lab = Lab(few, recipe, tmp_path)
    job = Job("cnn", {"levels": 2, "steps": 1}, 0)
    others = [
        (lab, dataclasses.replace(job, seed=1)),
        (lab, dataclasses.replace(job, options={"levels": 3, "steps": 1})),
        (lab, dataclasses.replace(job, validation=0.1)),
        (Lab(few, dataclasses.replace(recipe, batch=10), tmp_path), job),
        (Lab(dataclasses.replace(few, test_labels=few.test_labels[::-1].copy()), recipe, tmp_path), job),
    ]
    assert len({str(lab.folder(job)), *(str(a.folder(b)) for a, b in others)}) == 6
    folder = lab.folder(job)
    folder.mkdir(parents=True)
    (folder / "outcome.json").write_text(json.dumps({"key": {}}), encoding="utf-8")
    with pytest.raises(ValueError, match="a record of another training"):
        lab.run(job)
    (folder / "outcome.json").write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match="expected JSON"):
        lab.run(job)


def test_verdicts():
    same = as_accurate("c", ("a", "b"), Spread.of([0.9, 0.9001, 0.9002]), Spread.of([0.901, 0.9011, 0.9012]))
    near = as_accurate("c", ("a", "b"), Spread.of([0.9, 0.92, 0.91]), Spread.of([0.91, 0.9, 0.92]))
    apart = as_accurate("c", ("a", "b"), Spread.of([0.9, 0.9001, 0.9002]), Spread.of([0.8, 0.8001, 0.8002]))
    single = as_accurate("c", ("a", "b"), Spread.of([0.9]), Spread.of([0.8]))
    assert (same.holds, near.holds, apart.holds, single.holds) == (True, None, False, None)
    assert Relation("c", None, "").verdict == "cannot tell"
    high, low = Spread.of([0.9, 0.901, 0.902]), Spread.of([0.8, 0.801, 0.802])
    assert [better("c", ("a", "b"), *pair).holds for pair in ((high, low), (low, high))] == [True, False]
    assert better("c", ("a", "b"), Spread.of([0.9]), Spread.of([0.8])).holds is None
    assert better("c", ("a", "b"), Spread.of([0.9, 0.92]), Spread.of([0.91, 0.93])).holds is None
    from scipy.stats import ttest_ind

    a, b = [1.0, 2.0, 4.0], [2.0, 2.5, 2.6]
    interval = ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    assert difference(Spread.of(a), Spread.of(b), 0.95)[1:] == pytest.approx((interval.low, interval.high))
    with pytest.raises(ValueError, match="at least one value"):
        Spread.of([])
    assert np.isnan(difference(Spread.of([1]), Spread.of([2]))[1])


def test_command_line(tmp_path: Path):
    runner = CliRunner()
    listed = runner.invoke(app, ["reproduce"])
    assert listed.exit_code == 0 and "paper000-fig11" in listed.output
    done = runner.invoke(app, ["reproduce", "fig2", "fig5", "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    page = (tmp_path / "paper000.md").read_text(encoding="utf-8")
    assert page.startswith("# Paper 000 on few") and page.count("## Fig.") == 2
    assert "Not done here: fig4, table1, table2, fig6" in page and "paper002" not in page
    assert "`mlsnn reproduce fig2 fig5 --data digits --preset quick --seeds 0,1,2`" in page
    runner.invoke(app, ["reproduce", "fig2", "fig5", "--steps", "4", "--alpha", "0.5", "--out", str(tmp_path)])
    assert "--seeds 0,1,2 --steps 4 --alpha 0.5`" in (tmp_path / "paper000.md").read_text(encoding="utf-8")
    wrong = (["fig3"], ["fig2", "--seeds", "a"], ["fig2", "--preset", "slow"], ["fig2", "--alpha", "0"])
    for arguments in wrong:
        failed = runner.invoke(app, ["reproduce", *arguments, "--out", str(tmp_path)])
        assert failed.exit_code == 2 and "expected" in failed.output


def test_gradients_are_watched_in_training_and_change_nothing(few: data.Dataset, tmp_path: Path) -> None:
    """With one batch, the epoch's norms are those at the initial weights; with more, the weights are the same."""
    options = {"levels": 4, "steps": 1, "width": 2, "blocks": (2,)}
    job = Job("sparse_resnet18", options, seed=1, gradients=True)
    whole = train.Recipe(epochs=1, quantized_epochs=0, batch=100, optimizer=train.Optimizer("sgd", lr=0.1))
    lab = Lab(few, whole, tmp_path / "a")
    (epoch,) = lab.run(job).history
    expected = gradient_norms(lab.training(job).network(), few.train_images, few.train_labels, batch=100).to_frame()
    assert list(expected["name"]) == ["stage1.0.add", "stage1.1.add"] * 3
    for row in expected.itertuples():
        assert epoch[f"gradient {row.place} {row.name}"] == pytest.approx(row.mean, rel=1e-4)
    lab = Lab(few, dataclasses.replace(whole, batch=30, quantized_epochs=1), tmp_path / "b")
    watched, plain = lab.run(job), lab.run(dataclasses.replace(job, gradients=False))
    assert watched.folder != plain.folder and not any("gradient" in key for key in plain.history[0])
    for name, value in watched.net().state_dict().items():
        torch.testing.assert_close(value, plain.net().state_dict()[name], rtol=0, atol=0)


def test_figure_8_is_before_in_and_after_training(out: Path) -> None:
    findings = find("fig8")[0].findings(request_in(out))
    when = findings.rows.groupby("when", sort=False).size()
    assert dict(when) == dict.fromkeys(("initial weights", "in training", "trained"), 30)
    claims = [relation.claim for relation in findings.relations]
    assert sum(claim.endswith("in training") for claim in claims) == 4 and len(claims) == 12
