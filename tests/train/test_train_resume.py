"""Resuming: the same weights after a kill, one clear error for any other file."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import train_killed

from lava_mlsnn import data, model, netx, train
from lava_mlsnn.helpers.sealed import seal
from lava_mlsnn.train import checkpoint
from lava_mlsnn.train.lightning_import import pl

torch.set_num_threads(1)


def weights(net: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in net.state_dict().items()}


def fit(out: Path | None = None, **changes: object) -> train.Result:
    arguments = {"seed": 5, "out": out, "progress": False, **changes}
    recipe = arguments.pop("recipe", train_killed.RECIPE)
    net = arguments.pop("net", None) or train_killed.network()
    return train.fit(net, arguments.pop("dataset", data.load("digits")), recipe, **arguments)  # type: ignore[arg-type]


def test_a_killed_process_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    program = [sys.executable, train_killed.__file__, str(tmp_path)]
    killed = subprocess.run(program, capture_output=True, timeout=120, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert (tmp_path / "last.ckpt").is_file()
    resumed, whole = fit(tmp_path, resume=True), fit()
    assert all(torch.equal(value, weights(whole.net)[name]) for name, value in weights(resumed.net).items())
    assert resumed.history == whole.history and len(whole.history) == 3 and resumed.quantized
    fit(tmp_path / "whole")
    assert (tmp_path / "metrics.csv").read_text() == (tmp_path / "whole" / "metrics.csv").read_text()
    rows = list(csv.DictReader((tmp_path / "metrics.csv").read_text().splitlines()))
    without_step = [{name: float(value) for name, value in row.items() if name != "step"} for row in rows]
    assert without_step == list(whole.history)
    assert len(list((tmp_path / "tensorboard").glob("events.out.tfevents.*"))) == 2, "one per process"
    assert not list(tmp_path.glob("*.part"))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("finished")
    fit(out, recipe=replace(train_killed.RECIPE, epochs=1))
    return out


def test_a_finished_training_that_is_resumed_stays_as_it_is(finished: Path) -> None:
    recipe = replace(train_killed.RECIPE, epochs=1)
    again, whole = fit(finished, resume=True, recipe=recipe), fit(recipe=recipe)
    assert all(torch.equal(value, weights(whole.net)[name]) for name, value in weights(again.net).items())
    assert again.history == whole.history and again.quantized and again.longer == ()


def test_a_folder_that_was_moved_is_resumed_without_a_word(tmp_path: Path) -> None:
    recipe = replace(train_killed.RECIPE, epochs=1)
    fit(tmp_path / "before", recipe=recipe)
    (tmp_path / "before").rename(tmp_path / "after")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = fit(tmp_path / "after", resume=True, recipe=recipe)
    assert len(again.history) == 2


def test_more_epochs_go_on_from_where_it_was(tmp_path: Path) -> None:
    """Finished after a float and an integer epoch, it goes back to floats for one more, and ends with integers."""
    short = replace(train_killed.RECIPE, epochs=1)
    first = fit(tmp_path, recipe=short)
    longer = fit(tmp_path, resume=True, recipe=replace(short, epochs=3))
    assert longer.history[:2] == first.history and [row["epoch"] for row in longer.history] == [0, 1, 2, 3]
    assert longer.quantized and longer.longer == (2,)
    again = fit(tmp_path, resume=True, recipe=replace(short, epochs=3))
    assert again.history == longer.history and again.longer == (2,)
    with pytest.raises(ValueError, match=r"recipe\.epochs was 3, now 1"):
        fit(tmp_path, resume=True, recipe=short)


def test_a_training_is_not_begun_over_another(finished: Path, tmp_path: Path) -> None:
    recipe, before = replace(train_killed.RECIPE, epochs=1), (finished / "last.ckpt").read_bytes()
    with pytest.raises(FileExistsError, match=r"last\.ckpt: the checkpoint of a training is there: expected resume"):
        fit(finished, recipe=recipe)
    assert (finished / "last.ckpt").read_bytes() == before
    (tmp_path / "model.safetensors").write_text("finished")
    with pytest.raises(FileExistsError, match=r"model\.safetensors: a finished training is there"):
        fit(tmp_path, recipe=recipe)
    fit(tmp_path, recipe=recipe, force=True)
    assert not (tmp_path / "model.safetensors").exists() and (tmp_path / "last.ckpt").exists()


def test_two_trainings_in_one_folder(tmp_path: Path) -> None:
    holder = "import sys, time; from lava_mlsnn.helpers.lock import locked\n"
    holder += "with locked(sys.argv[1] + '/.lock', 'training'): print('held', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", holder, tmp_path], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        with pytest.raises(BlockingIOError, match=rf"is in use: training by process {other.pid} of .* since 20"):
            fit(tmp_path)
        other.kill()
    fit(tmp_path, recipe=replace(train_killed.RECIPE, epochs=1))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["last.ckpt", "metrics.csv", "tensorboard"]


@pytest.mark.parametrize("precision", ["32", "bf16"])
def test_ctrl_c_ends_a_training_and_leaves_the_handler(tmp_path: Path, precision: str) -> None:
    machine = train.Machine("cpu", precision=precision)

    class Pressed(pl.Callback):
        def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
            if trainer.current_epoch == 1:
                os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path, callbacks=[Pressed()], machine=machine)
    assert signal.getsignal(signal.SIGINT) is before and checkpoint.epochs_done(tmp_path) == 1
    resumed, whole = fit(tmp_path, resume=True, machine=machine), fit(machine=machine)
    assert all(torch.equal(value, weights(whole.net)[name]) for name, value in weights(resumed.net).items())


def test_the_best_network_is_kept(tmp_path: Path) -> None:
    recipe = train.recipe("digits", epochs=1, quantized_epochs=4, batch=128, validation=0.2, lr=0.5)
    net = train.create("mlp", data.load("digits"), hidden=(8,))
    history = fit(tmp_path, net=net, recipe=recipe).history
    best = max(history[1:], key=lambda row: row["val_accuracy"])
    kept = model.load(tmp_path / "best.safetensors")
    assert kept.notes["epoch"] == best["epoch"] and kept.notes["validation_accuracy"] == best["val_accuracy"]
    part = data.load("digits").validation(recipe.validation, 5)
    right = train.predict(kept, part).argmax(1) == part.test_labels
    assert float(right.mean()) == pytest.approx(best["val_accuracy"])
    assert netx.quantize(kept).labels == () and kept.notes["labels"] == list("0123456789")


def test_another_training_is_refused_and_told_apart(finished: Path) -> None:
    recipe, digits = replace(train_killed.RECIPE, epochs=1), data.load("digits")
    images = digits.train_images.copy()
    images[0, 0, 0, 0] += 1
    small = train.create("cnn", digits, width=2)
    for changes, message in (
        ({"seed": 6}, "seed was 5, now 6"),
        ({"recipe": replace(recipe, mixup=0.0)}, r"recipe\.mixup was 0\.2, now 0\.0"),
        (
            {"recipe": replace(recipe, batch=64, clip=None)},
            r"recipe\.batch was 128, now 64; recipe\.clip was 1\.0, now N",
        ),
        ({"net": small}, "model.depth was None, now|model.* was None, now .*; [0-9]+ more"),
        ({"dataset": replace(digits, train_images=images)}, r"data\.digest was '[0-9a-f]{32}', now '"),
        ({"machine": train.Machine("cpu", precision="bf16")}, "precision was '32', now 'bf16'"),
    ):
        with pytest.raises(ValueError, match=message):
            fit(finished, resume=True, **{"recipe": recipe, **changes})


class Trap:
    """Unpickled, it would write a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


def test_what_is_no_checkpoint_is_refused_in_words(finished: Path, tmp_path: Path) -> None:
    whole, path, trap = (finished / "last.ckpt").read_bytes(), tmp_path / "last.ckpt", tmp_path / "trap"
    with pytest.raises(ValueError, match=r"resume: expected a checkpoint .*found none"):
        fit(tmp_path, resume=True)
    for content in (b"", b"not a checkpoint", whole[: len(whole) // 2], whole[:-1000], whole[100:]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"last.ckpt: not a checkpoint of a lava-mlsnn training \(its content"):
            fit(tmp_path, resume=True)
    torch.save({"state_dict": Trap(trap)}, path)
    seal(path)
    with pytest.raises(ValueError, match=r"last.ckpt: not a checkpoint"):
        fit(tmp_path, resume=True)
    assert not trap.exists(), "nothing in a checkpoint is executed"
    torch.save({"epoch": 3, "state_dict": {}}, path)
    seal(path)
    with pytest.raises(ValueError, match=r"of a lava-mlsnn training, found another file"):
        fit(tmp_path, resume=True)
    torch.save({"lava-mlsnn training": {"format": 99}}, path)
    seal(path)
    with pytest.raises(ValueError, match="checkpoint format 99, this library resumes format 2"):
        fit(tmp_path, resume=True)
