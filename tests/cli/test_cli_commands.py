from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import mlsnn
from typer.testing import CliRunner

from lava_mlsnn import data, netx, sim, train
from lava_mlsnn.cli import app
from lava_mlsnn.data import registry
from lava_mlsnn.helpers import units

COMMANDS = (
    *("train", "export", "simulate", "energy", "report", "info", "demo", "shipped", "models", "tutorials"),
    "install-lava",
)
TINY = ["--epochs", "1", "--quantized-epochs", "1", "--batch", "64"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny network, trained and exported by the command line: tiny.net, and binary.net of the same shape."""
    folder = tmp_path_factory.mktemp("cli")
    for name, levels, steps in (("tiny", 4, 1), ("binary", 1, 2)):
        arguments = ["-N", levels, "-T", steps, "-m", "width=4", "-m", "blocks=1,1", *TINY, "--out", folder / name]
        mlsnn("train", "sparse_resnet18", *arguments)
        mlsnn("export", folder / name / "model.safetensors", "-o", folder / f"{name}.net")
    return folder


def read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command: str):
    text = mlsnn(command, "--help").output
    assert f"mlsnn {command}" in text and "Example" in text


@pytest.mark.parametrize(
    ("command", "default"), [("simulate", "all, layers 32"), ("export", "beside the model"), ("sweep", "lr, leak and")]
)
def test_help_tells_defaults_that_follow_from_others(command: str, default: str):
    text = " ".join(mlsnn(command, "--help").output.replace("│", " ").split())
    assert default in text  # in "[default: ...]" of a help text it would be lost as markup


def test_train_and_export_write_what_they_say(folder: Path):
    result = read(folder / "tiny" / "result.json")
    assert set(result["accuracy"]) == {"float", "quantized"} and result["epochs"] == 2
    assert result["recipe"]["batch"] == 64 and result["model"]["blocks"] == [1, 1]
    assert {path.name for path in (folder / "tiny").iterdir()} >= {"model.safetensors", "metrics.csv", "last.ckpt"}
    export = read(folder / "tiny.export.json")
    graph = netx.load(folder / "tiny.net")
    assert export["digest"] == netx.digest(graph) and export["notes"]["accuracy"] == result["accuracy"]
    assert [layer["name"] for layer in export["layers"]] == [layer.name for layer in graph]
    assert graph.labels == tuple("0123456789")


def test_train_without_a_name_takes_the_small_network(tmp_path: Path):
    mlsnn("train", "--epochs", 1, "--quantized-epochs", 0, "--batch", 64, "-m", "width=4", "--out", tmp_path)
    model = read(tmp_path / "result.json")["model"]
    assert (model["name"], model["width"], model["blocks"]) == ("sparse_resnet18", 4, [1, 1])  # -m rules


@pytest.mark.parametrize(
    ("arguments", "sizes"),
    [
        (["--data", "mnist5k"], {"width": 16, "blocks": (1, 1)}),
        (["--data", "cifar10:PATH"], {}),
        (["sparse_resnet18", "--data", "mnist5k"], {}),
        (["sparse_resnet18", "--data", "mnist5k", "-m", "width=8"], {"width": 8}),
    ],
)
def test_the_default_network_depends_on_the_data(
    arguments: list[str], sizes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    class ChosenError(Exception):
        pass

    def chosen(experiment: train.Experiment, **_: Any) -> None:
        raise ChosenError(experiment)

    monkeypatch.setattr(train, "train", chosen)
    monkeypatch.setattr(registry, "require", lambda _: None)  # that the data are there is another test's
    result = CliRunner().invoke(app, ["train", *arguments])
    assert isinstance(result.exception, ChosenError)
    experiment = result.exception.args[0]
    assert experiment.model == "sparse_resnet18" and experiment.options == {**sizes, "levels": 4, "steps": 1}


def test_simulate_counts_the_whole_test_set(folder: Path):
    output = mlsnn("simulate", folder / "tiny.net", "--json", folder / "s.json").output
    digits, record = data.load("digits"), read(folder / "s.json")
    run = sim.run(netx.load(folder / "tiny.net"), digits.test_images)
    assert record["samples"] == len(digits.test_labels)
    assert record["accuracy"]["engine"] == float((run.labels == digits.test_labels).mean())
    assert record["accuracy"]["engine"] == read(folder / "tiny" / "result.json")["accuracy"]["quantized"]
    assert record["activity"] == run.activity.to_dict()
    assert "stage2.0.add" in output and "readout" in output


@pytest.mark.parametrize("model", ["fused", "layers"])
def test_simulate_in_lava(folder: Path, model: str):
    path = folder / f"{model}.json"
    arguments = ["--lava", model, "--samples", 3, "--json", path]
    mlsnn("simulate", folder / "binary.net", *arguments)
    (check,) = read(path)["checks"]
    assert check["passed"] and "equal on 3 images" in check["detail"] and "step by step" in check["detail"]


def test_one_wrong_spike_in_lava_is_found(folder: Path, monkeypatch: pytest.MonkeyPatch):
    from lava_mlsnn import proc

    real = proc.simulate

    def wrong(*args: Any, **kwargs: Any) -> sim.Run:
        run = real(*args, **kwargs)
        run.traces["stage1.0.conv1"][2, 1, 0, 0, 0] += 1
        return run

    monkeypatch.setattr(proc, "simulate", wrong)
    arguments = ["--lava", "fused", "--samples", 3, "--json", folder / "wrong.json"]
    mlsnn("simulate", folder / "tiny.net", *arguments, code=1)
    (check,) = read(folder / "wrong.json")["checks"]
    assert (
        not check["passed"]
        and "'stage1.0.conv1': 1 differ, the first at image 2, (c, h, w) (1, 0, 0), step 1" in (check["detail"])
    )


@pytest.mark.parametrize("model", ["lemaire", "horowitz", "loihi1"])
def test_energy_is_the_library_s(folder: Path, model: str):
    from lava_mlsnn import energy

    output = mlsnn("energy", folder / "tiny.net", "--model", model, "--json", folder / "e.json").output
    graph = netx.load(folder / "tiny.net")
    activity = sim.run(graph, data.load("digits").test_images).activity
    snn = energy.estimate(graph, activity, model)
    record = read(folder / "e.json")
    assert record["energy"]["snn"] == json.loads(snn.to_json())
    if model == "lemaire":  # a verdict, so both countings
        shares = snn.ratios(energy.estimate(graph, None))
        assert record["totals"]["ratios"] == shares and shares["exact"] < shares["published"]
        assert f"{units.ratio(shares['exact'])} exact, {units.ratio(shares['published'])} published" in output
    if model == "loihi1":  # no ANN runs there
        assert record["energy"]["ann"] is None and record["totals"]["ratio"] is None
    else:
        assert record["totals"]["ratio"] == snn.total / energy.estimate(graph, None, model).total


def test_report_of_two_networks(folder: Path):
    mlsnn("report", folder / "tiny.net", folder / "binary.net", "-o", folder / "both.html")
    html, record = (folder / "both.html").read_text(encoding="utf-8"), read(folder / "both.json")
    assert [network["name"] for network in record["networks"]] == ["tiny.net", "binary.net"]
    assert f'<data value="{record["networks"][1]["totals"]["events"]!r}"' in html


def test_the_command_of_a_report_can_be_pasted(folder: Path, tmp_path: Path):
    (tmp_path / "my net.net").write_bytes((folder / "tiny.net").read_bytes())
    mlsnn("report", tmp_path / "my net.net")
    assert read(tmp_path / "my net.report.json")["run"]["command"].startswith("mlsnn report 'my net.net' --data digits")


def test_a_killed_simulation_goes_on_and_says_where(folder: Path, tmp_path: Path):
    net = tmp_path / "tiny.net"
    net.write_bytes((folder / "tiny.net").read_bytes())
    graph, images = netx.load(net), data.load("digits").test_images

    def killed(done: int, total: int) -> None:
        if done > 120:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sim.run_resumable(graph, images, tmp_path / "tiny.simulate.partial.npz", piece=100, progress=killed)
    output = mlsnn("simulate", net).output
    assert f"continues an interrupted run at image 100 of {len(images)}" in output
    again = mlsnn("simulate", net, "--json", tmp_path / "again.json").output
    assert "continues" not in again
    first, second = read(tmp_path / "tiny.simulate.json"), read(tmp_path / "again.json")
    assert first["activity"] == second["activity"] and first["accuracy"] == second["accuracy"]


def test_results_land_beside_the_network(folder: Path):
    mlsnn("simulate", folder / "tiny.net")
    mlsnn("energy", folder / "tiny.net")
    mlsnn("report", folder / "tiny.net")
    names = {path.name for path in folder.iterdir()}
    assert {"tiny.simulate.json", "tiny.energy.json", "tiny.report.html", "tiny.report.json"} <= names


def test_info(tmp_path: Path):
    from lava_mlsnn import __version__
    from lava_mlsnn.lava_compat import mends as compat

    output = mlsnn("info", "--json", tmp_path / "info.json").output
    assert __version__ in output and "mended at import" in output and "aedat" in output
    content = read(tmp_path / "info.json")
    assert content["lava"] == compat.summary()
    assert {"events", "mnist", "nir", "speech", "sweep"} <= set(content["extras"])  # those that the README names


def test_resume_goes_on_where_it_was(folder: Path, tmp_path: Path):
    arguments = ["train", "mlp", "-m", "hidden=16", "--batch", "128", "--out"]
    mlsnn(*arguments, tmp_path / "whole", "--epochs", "2", "--quantized-epochs", "0")
    message = mlsnn(*arguments, tmp_path / "none", "--resume", code=2).output
    assert "expected a checkpoint" in message
    assert len((tmp_path / "whole" / "metrics.csv").read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "sparse_resnet19"], "sparse_resnet18"),
        (["train", "--data", "cifar11"], "expected one of digits, mnist5k"),
        (["train", "--recipe", "nope"], "recipe: expected one of digits"),
        (["train", "-m", "wdth=3"], "got 'wdth'"),
        (["train", "-m", "width"], "--model-option 'width': expected NAME=VALUE"),
        (["train", "-m", "levels=8"], "expected --levels 8"),
        (["train", "--epochs", "0"], "epochs: expected an integer >= 1, got 0"),
        (["train", "-m", "in_shape=1,2,3"], "decided by the dataset"),
        (["export", "missing.safetensors"], "missing.safetensors"),
        (["simulate", "missing.net"], "missing.net"),
        (["simulate", ":x:.net"], "file: :x:.net"),
        (["simulate", __file__], "test_cli_commands.py"),
        (["shipped", "--only", "nope", "--out", "/nonexistent"], "expected one of digits_mlp"),
    ],
)
def test_mistakes_get_one_line_and_exit_code_2(arguments: list[str], message: str, tmp_path: Path):
    if arguments[0] == "train":
        arguments = [*arguments, "--out", str(tmp_path / "out")]
    result = mlsnn(*arguments, code=2)
    assert message in result.output and result.output.startswith("error: ") and result.output.count("\n") == 1
    assert "Traceback" not in result.output


@pytest.mark.parametrize("command", ["train", "sweep", "demo"])
def test_a_negative_seed_is_refused(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    output = mlsnn(command, "--seed", -1, code=2).output
    assert "Invalid value" in output and "seed" in output
    assert not any(tmp_path.iterdir())


def test_a_network_for_other_images_is_refused(tmp_path: Path):
    dense = netx.Connection("input", netx.Dense(np.ones((10, 27))))
    graph = netx.NetGraph(netx.Input((3, 3, 3)), (netx.Layer("out", (dense,), (10, 1, 1), netx.Readout()),))
    netx.save(graph, tmp_path / "other.net")
    assert "(3, 3, 3); dataset 'digits' has (1, 8, 8)" in mlsnn("energy", tmp_path / "other.net", code=2).output


def test_as_a_program(folder: Path, tmp_path: Path):
    """Exit codes and streams as a shell sees them: results on stdout, the error on stderr."""
    command = [sys.executable, "-m", "lava_mlsnn.cli"]
    good = [*command, "energy", str(folder / "tiny.net"), "--json", str(tmp_path / "e.json")]
    done = subprocess.run(good, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and "ANN twin" in done.stdout and done.stderr == ""
    bad = subprocess.run([*command, "energy", "no.net"], capture_output=True, text=True, timeout=120)
    assert bad.returncode == 2 and bad.stdout == "" and bad.stderr.startswith("error: ")
    assert bad.stderr.count("\n") == 1


def test_simulate_shares_the_images_among_workers(tmp_path):
    net = tmp_path / "mlp.net"
    netx.save(netx.example("digits_mlp_t1n4"), net)
    files = [tmp_path / name for name in ("alone.json", "two.json")]
    mlsnn("simulate", net, "--json", files[0])
    mlsnn("simulate", net, "--workers", 2, "--json", files[1])
    alone, two = map(read, files)
    assert alone["activity"] == two["activity"] and alone["accuracy"] == two["accuracy"]
    wrong = mlsnn("simulate", net, "--workers", 2, "--scheduler", "tcp://a:1", code=2)
    assert "--workers 2: expected it without --scheduler tcp://a:1" in wrong.output
