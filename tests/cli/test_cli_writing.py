"""Nothing is lost and nothing is silent: what commands write over, where they write, and what they say when stopped."""

from __future__ import annotations

import json
import os
import shlex
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from commands import mlsnn

from lava_mlsnn import data, model, netx
from lava_mlsnn.cli import options, show
from lava_mlsnn.train.lightning_import import pl

TRAIN = ["train", "mlp", "-m", "hidden=8", "--batch", "256", "--epochs", "1", "--quantized-epochs", "1"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training, t, and its network, a.net."""
    folder = tmp_path_factory.mktemp("writing")
    mlsnn(*TRAIN, "--out", folder / "t", "--validation", "0.2")
    mlsnn("export", folder / "t/model.safetensors", "-o", folder / "a.net")
    return folder


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_training_is_not_overwritten(folder: Path, tmp_path: Path):
    before = files(folder / "t")
    output = mlsnn(*TRAIN, "--out", folder / "t", "--validation", "0.2", code=2).output
    assert "t/model.safetensors: a finished training is there" in output.replace("\n", "")
    assert "--resume" in output and "--force" in output and files(folder / "t") == before
    mlsnn(*TRAIN, "--out", tmp_path / "u")
    (tmp_path / "u/model.safetensors").unlink()
    assert "u/last.ckpt: the checkpoint of a training" in mlsnn(*TRAIN, "--out", tmp_path / "u", code=2).output
    mlsnn(*TRAIN, "--out", tmp_path / "u", "--force", "--seed", "3")
    assert json.loads((tmp_path / "u/result.json").read_text())["seed"] == 3


def test_resume_with_more_epochs_goes_on(tmp_path: Path):
    mlsnn(*TRAIN, "--out", tmp_path)
    first = json.loads((tmp_path / "result.json").read_text())["history"]
    mlsnn(*TRAIN[:-4], "--epochs", "3", "--quantized-epochs", "1", "--out", tmp_path, "--resume")
    record = json.loads((tmp_path / "result.json").read_text())
    assert record["history"][:2] == first and record["epochs"] == 4 and record["longer"] == [2]
    assert model.load(tmp_path / "model.safetensors").notes["longer"] == [2]


@pytest.mark.parametrize(
    "more",
    [
        ["--lr", "0.02", "--batch", "64", "--mixup", "0.2", "--clip", "0.5", "--validation", "0.2", "--patience", "3"],
        ["--energy", "0.4", "--rate", "0.01", "--precision", "bf16", "-m", 'neuron={"trainable": true}'],
        ["--energy-weight", "0.3", "--seed", "5", "-T", "2"],
    ],
)
def test_the_recorded_command_gives_the_same_weights(tmp_path: Path, more: list[str]) -> None:
    mlsnn(*TRAIN, *more, "--out", tmp_path / "first")
    record = json.loads((tmp_path / "first/result.json").read_text())
    words = shlex.split(record["command"])
    assert words[0] == "mlsnn"
    mlsnn(*words[1:], "--out", tmp_path / "again")
    again = json.loads((tmp_path / "again/result.json").read_text())
    assert again["recipe"] == record["recipe"] and again["command"] == record["command"]
    first, second = (model.load(tmp_path / name / "model.safetensors").state_dict() for name in ("first", "again"))
    assert all(torch.equal(second[name], value) for name, value in first.items())


def test_fine_tuning_starts_from_a_file(folder: Path, tmp_path: Path):
    source = folder / "t/model.safetensors"
    mlsnn("train", "--from", source, "--epochs", 1, "--quantized-epochs", 0, "--lr", 1e-9, "--out", tmp_path / "a")
    record = json.loads((tmp_path / "a/result.json").read_text())
    assert record["model"]["hidden"] == [8] and record["model"]["levels"] == 4 and len(record["start"]) == 64
    assert record["command"].endswith(f"--from {source}")
    net, tuned = model.load(source), model.load(tmp_path / "a/model.safetensors")
    weights = {name: value for name, value in tuned.state_dict().items() if name.endswith("weight")}
    assert weights and all((value - net.state_dict()[name]).abs().max() < 1e-4 for name, value in weights.items())
    assert "its architecture is mlp" in mlsnn("train", "cnn", "--from", source, "--out", tmp_path / "b", code=2).output
    again = ["train", "--from", tmp_path / "a/model.safetensors", "--epochs", 1, "--quantized-epochs", 0, "--lr", 1e-9]
    assert "start was" in mlsnn(*again, "--out", tmp_path / "a", "--resume", code=2).output


def test_a_checkpoint_is_not_exported(folder: Path):
    output = mlsnn("export", folder / "t/last.ckpt", code=2).output.replace("\n", "")
    assert "a checkpoint, from which mlsnn train --resume goes on" in output
    assert f"expected {folder / 't/model.safetensors'} or {folder / 't/best.safetensors'}" in output
    assert netx.load(folder / "a.net").labels == tuple("0123456789")


@pytest.mark.parametrize(
    ("arguments", "path", "content", "forced"),
    [
        (["report", "a.net", "-o", "x"], "x", "important", True),
        (["report", "a.net", "-o", "t/result.html"], "t/result.json", None, True),
        (["report", "a.net", "-o", "b.net"], "b.net", None, False),
        (["export", "t/model.safetensors", "-o", "x"], "x", "<html>", True),
        (["export", "t/model.safetensors", "-o", "t/best.safetensors"], "t/best.safetensors", None, False),
        (["export", "a.net", "--format", "stock", "-o", "x.html"], "x.html", "<html>", False),
        (["simulate", "a.net", "--json", "t/result.json"], "t/result.json", None, None),
        (["energy", "a.net", "--json", "x.json"], "x.json", "[1]", None),
        (["fit", "a.net", "--json", "a.net"], "a.net", None, None),
    ],
)
def test_files_of_other_kinds_are_not_overwritten(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    path: str,
    content: Any,
    forced: Any,
):
    for old, inside in files(folder).items():
        new = tmp_path / old.relative_to(folder)
        new.parent.mkdir(exist_ok=True)
        new.write_bytes(inside)
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path(path).write_text(content)
    before = files(tmp_path)
    output = mlsnn(*arguments, code=2).output
    assert path in output and output.count("\n") == 1 and files(tmp_path) == before
    if forced is not None:
        mlsnn(*arguments, "--force", code=0 if forced else 2)
        assert (files(tmp_path) == before) != forced


def test_results_are_replaced_by_those_of_the_same_command(folder: Path, tmp_path: Path):
    for _ in range(2):
        mlsnn("fit", folder / "a.net", "--json", tmp_path / "f.json")
        mlsnn("report", folder / "a.net", "-o", tmp_path / "r.html")
        mlsnn("export", folder / "t/model.safetensors", "-o", tmp_path / "x.net")


def test_results_of_a_network_in_a_read_only_folder_lie_here(folder: Path, tmp_path: Path, monkeypatch: Any):
    real = os.access
    monkeypatch.setattr(options.os, "access", lambda path, mode: Path(path) != folder and real(path, mode))
    monkeypatch.chdir(tmp_path)
    for command in ("simulate", "energy", "fit"):
        mlsnn(command, folder / "a.net")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.energy.json", "a.fit.json", "a.simulate.json"]


def test_a_place_where_nothing_can_be_written_is_found_before_the_work(folder: Path, monkeypatch: Any):
    monkeypatch.setattr(data, "load_for", lambda *_: pytest.fail("it computed"))
    monkeypatch.setattr(data, "load", lambda *_: pytest.fail("it computed"))
    for arguments in (
        ["simulate", folder / "a.net", "--json", "/proc/x/s.json"],
        ["report", folder / "a.net", "-o", "/proc/x/r.html"],
        [*TRAIN, "--out", "/proc/x"],
        ["reproduce", "fig2", "--out", "/proc/x"],
    ):
        output = mlsnn(*arguments, code=2).output
        assert output.startswith("error: /proc/x") and "cannot be written" in output and output.count("\n") == 1


def test_results_that_cannot_be_written_after_all_lie_elsewhere(tmp_path: Path, monkeypatch: Any):
    full = tmp_path / "x.json"
    monkeypatch.setattr(show.tempfile, "mkdtemp", lambda **_: str(tmp_path / "else"))
    real = show.files.write_json

    def write(content: Any, path: Path) -> Path:
        if path == full:
            raise OSError(f"{path}: cannot be written: No space left on device")
        return real(content, path)

    monkeypatch.setattr(show.files, "write_json", write)
    with pytest.raises(OSError, match=r"x\.json: cannot be written: No space .*; the results are in .*else/x\.json"):
        show.write_json({"a": 1}, full)
    assert json.loads((tmp_path / "else/x.json").read_text()) == {"a": 1}


def caused(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


IN_A_CLASS = caused(RuntimeError("Error calling __set_name__ on 'Field' instance"), KeyboardInterrupt())
"""What Python 3.11 makes of Ctrl-C where a module of torch defines a class."""


@pytest.mark.parametrize("command", ["simulate", "energy", "report"])
@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (KeyboardInterrupt(), 130, "interrupted: nothing was written, the same command begins anew\n"),
        (IN_A_CLASS, 130, "interrupted: nothing was written, the same command begins anew\n"),
        (caused(ValueError("x.net: damaged"), IN_A_CLASS), 130, "interrupted: nothing was written"),
        (MemoryError("Unable to allocate 4 TiB"), 2, "error: not enough memory: Unable to allocate 4 TiB\n"),
        (MemoryError(), 2, "error: not enough memory\n"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), 2, "error: not enough memory: Default"),
    ],
)
def test_what_ends_a_command_is_one_line(
    folder: Path, monkeypatch: Any, command: str, error: Any, code: int, line: str
):
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr("lava_mlsnn.cli.engines.load_data", fail)
    assert mlsnn(command, folder / "a.net", code=code).output.startswith(line)


def test_ctrl_c_says_what_a_training_keeps_and_how_to_go_on(tmp_path: Path, monkeypatch: Any):
    real = pl.Trainer.fit

    def pressed(self: Any, *args: Any, **kwargs: Any) -> None:
        class Press(pl.Callback):
            def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
                if trainer.current_epoch == 1:
                    os.kill(os.getpid(), signal.SIGINT)

        self.callbacks.append(Press())
        real(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(pl.Trainer, "fit", pressed)
        output = mlsnn(*TRAIN, "--out", tmp_path / "t", code=130).output
    line = f"interrupted: 1 epoch kept in {tmp_path / 't/last.ckpt'}, the same command with --resume goes on"
    assert output.splitlines()[-1] == line
    mlsnn(*TRAIN, "--out", tmp_path / "t", "--resume")
    mlsnn(*TRAIN, "--out", tmp_path / "whole")
    assert (tmp_path / "t/model.safetensors").read_bytes() == (tmp_path / "whole/model.safetensors").read_bytes()


def test_ctrl_c_says_what_a_simulation_keeps(folder: Path, tmp_path: Path, monkeypatch: Any):
    from lava_mlsnn import sim

    real = sim.run_resumable

    def pressed(graph: Any, images: Any, path: Any, progress: Any, **settings: Any) -> Any:
        def stop(done: int, total: int) -> None:
            if done > 250:
                raise KeyboardInterrupt

        return real(graph, images, path, progress=stop, **settings)

    with monkeypatch.context() as patch:
        patch.setattr(sim, "run_resumable", pressed)
        output = mlsnn("simulate", folder / "a.net", "--json", tmp_path / "s.json", code=130).output
    partial = tmp_path / "a.simulate.partial.npz"
    assert output == f"interrupted: the images that are done are kept in {partial}, the same command goes on\n"
    assert "at image 250 of 359" in mlsnn("simulate", folder / "a.net", "--json", tmp_path / "s.json").output


def test_commands_can_be_pasted(folder: Path, tmp_path: Path):
    (tmp_path / "my net.net").write_bytes((folder / "a.net").read_bytes())
    for command in ("simulate", "energy"):
        mlsnn(command, tmp_path / "my net.net")
        found = json.loads((tmp_path / f"my net.{command}.json").read_text())["run"]["command"]
        assert found.startswith(f"mlsnn {command} 'my net.net' --data digits")
