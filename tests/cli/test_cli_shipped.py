from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from lava_mlsnn import data, netx, proc, sim, train
from lava_mlsnn.cli import app
from lava_mlsnn.cli.shipped import measures, read_manifest, regenerate
from lava_mlsnn.train.task import Classifier

FOLDER = Path(__file__).parents[2] / "netx_exports"
NETS: dict[str, Any] = read_manifest(FOLDER)["nets"]
FLOOR = {"digits": 0.97, "fashion-mnist": 0.915}
"""Accuracy with float weights that a network has to have to be worth shipping."""


@lru_cache
def loaded(dataset: str) -> data.Dataset:
    try:
        return data.load(dataset)
    except ValueError as error:
        if dataset != "fashion-mnist" or not str(error).startswith("Fashion-MNIST: expected fashion-mnist:PATH"):
            raise
        pytest.skip("needs Fashion-MNIST: apt-get install dataset-fashion-mnist")


def test_manifest_lists_exactly_the_files_and_the_experiments():
    assert sorted(NETS) == sorted(path.name for path in FOLDER.glob("*.net"))
    assert [name.removesuffix(".net") for name in NETS] == list(train.EXPERIMENTS)
    assert {(net["timesteps"], net["levels"]) for net in NETS.values()} >= {(1, 4), (4, 1)}


@pytest.mark.parametrize("name", NETS)
def test_file_is_the_one_described(name: str):
    entry, content = NETS[name], (FOLDER / name).read_bytes()
    assert len(content) == entry["bytes"] < 400_000
    assert hashlib.sha256(content).hexdigest() == entry["sha256"]
    graph = netx.load(FOLDER / name)
    assert netx.digest(graph) == entry["digest"] and graph.timesteps == entry["timesteps"]
    experiment = train.EXPERIMENTS[name.removesuffix(".net")]
    assert entry["command"] == experiment.command and entry["seed"] == experiment.seed


@pytest.mark.parametrize("name", NETS)
def test_accuracy_is_what_the_engine_finds(name: str):
    dataset, entry = loaded(NETS[name]["dataset"]), NETS[name]
    graph = netx.load(FOLDER / name)
    run = sim.run(graph, dataset.test_images)
    right = float((run.labels == dataset.test_labels).mean())
    assert entry["accuracy"]["engine"] == entry["accuracy"]["quantized"] == entry["accuracy"]["lava"] == right
    assert len(dataset.test_labels) == entry["test_images"]
    found = measures(graph, run)
    assert (found["parameters"], found["cores"]) == (entry["parameters"], entry["cores"])
    assert found["energy"] == pytest.approx(entry["energy"])
    assert entry["accuracy"]["float"] >= FLOOR[entry["dataset"]] and right >= entry["accuracy"]["float"] - 0.01


@pytest.mark.parametrize("name", NETS)
def test_lava_computes_the_same(name: str):
    graph, images = netx.load(FOLDER / name), loaded(NETS[name]["dataset"]).test_images[:20]
    run, lava = sim.run(graph, images), proc.simulate(FOLDER / name, images)
    assert np.array_equal(run.output, lava.output) and run.activity == lava.activity


def test_regenerate_one_net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "manifest.json").write_text((FOLDER / "manifest.json").read_text(encoding="utf-8"), encoding="utf-8")
    recipe = train.recipe("digits", epochs=1, quantized_epochs=1, batch=64)
    monkeypatch.setitem(train.RECIPES, "digits", recipe)
    found = regenerate(tmp_path, ["digits_mlp_t1n4"])["nets"]
    assert list(found) == list(NETS) and found["digits_cnn_t1n4.net"] == NETS["digits_cnn_t1n4.net"]
    entry = found["digits_mlp_t1n4.net"]
    assert entry["sha256"] == hashlib.sha256((tmp_path / "digits_mlp_t1n4.net").read_bytes()).hexdigest()
    assert read_manifest(tmp_path)["nets"] == found


def test_a_training_in_its_folder_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Cut off in its second epoch, it goes on with that one, not with the first."""
    monkeypatch.setitem(train.RECIPES, "digits", train.recipe("digits", epochs=2, quantized_epochs=1, batch=64))
    begun: list[int] = []

    def cut_off(task: Classifier) -> None:
        begun.append(task.current_epoch)
        if begun == [0, 1]:
            raise KeyboardInterrupt

    def made(runs: str) -> bytes:
        shutil.copy(FOLDER / "manifest.json", tmp_path)
        regenerate(tmp_path, ["digits_mlp_t1n4"], tmp_path / runs)
        return (tmp_path / "digits_mlp_t1n4.net").read_bytes()

    monkeypatch.setattr(Classifier, "on_train_epoch_start", cut_off)
    with pytest.raises(KeyboardInterrupt):
        made("runs")
    resumed = made("runs")
    assert begun == [0, 1, 1, 2]
    assert resumed == made("runs") and begun == [0, 1, 1, 2], "a finished one is not trained again"
    assert resumed == made("others") and begun == [0, 1, 1, 2, 0, 1, 2]


def test_data_are_looked_for_before_anything_is_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    missing = replace(train.EXPERIMENTS["digits_cnn_t1n4"], dataset="cifar10:NOWHERE")
    monkeypatch.setitem(train.EXPERIMENTS, "digits_cnn_t1n4", missing)
    monkeypatch.setattr(train, "train", lambda *_, **__: pytest.fail("trained before the data were there"))
    with pytest.raises(ValueError, match="NOWHERE"):
        regenerate(tmp_path)


def test_a_folder_without_manifest_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match=r"manifest\.json: expected the manifest"):
        regenerate(tmp_path, ["digits_mlp_t1n4"])


def test_the_command_s_old_name_still_works(tmp_path: Path):
    for command in ("shipped", "exports"):
        result = CliRunner().invoke(app, [command, "--only", "nope", "--out", str(tmp_path)])
        assert result.exit_code == 2 and "network: expected one of digits_mlp" in result.output
    assert "exports" not in CliRunner().invoke(app, ["--help"]).output
