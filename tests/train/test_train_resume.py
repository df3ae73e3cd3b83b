"""Resuming: the same weights after a kill, one clear error for any other file."""

from __future__ import annotations

import csv
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import train_killed

from lava_mlsnn import data, train

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
    rows = list(csv.DictReader((tmp_path / "metrics.csv").read_text().splitlines()))
    losses = {int(row["epoch"]): float(row["train_loss"]) for row in rows if row["train_loss"]}
    assert losses == pytest.approx({row["epoch"]: row["train_loss"] for row in whole.history})
    assert len(list((tmp_path / "tensorboard").glob("events.out.tfevents.*"))) == 2, "one per process"
    assert not list(tmp_path.glob("*.part"))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("finished")
    fit(out, recipe=replace(train_killed.RECIPE, epochs=1))
    return out


def test_a_finished_training_is_not_made_longer(finished: Path) -> None:
    recipe = replace(train_killed.RECIPE, epochs=1)
    again, whole = fit(finished, resume=True, recipe=recipe), fit(recipe=recipe)
    assert all(torch.equal(value, weights(whole.net)[name]) for name, value in weights(again.net).items())
    assert again.history == whole.history and again.quantized
    with pytest.raises(ValueError, match=r"of another training: recipe\.epochs was 1, now 2\. Expected the same"):
        fit(finished, resume=True)


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
        with pytest.raises(ValueError, match=r"last.ckpt: damaged, or no checkpoint of a lava-mlsnn training"):
            fit(tmp_path, resume=True)
    torch.save({"state_dict": Trap(trap)}, path)
    with pytest.raises(ValueError, match=r"last.ckpt: damaged, or no checkpoint"):
        fit(tmp_path, resume=True)
    assert not trap.exists(), "nothing in a checkpoint is executed"
    torch.save({"epoch": 3, "state_dict": {}}, path)
    with pytest.raises(ValueError, match=r"of a lava-mlsnn training, found another file of torch"):
        fit(tmp_path, resume=True)
    torch.save({"lava-mlsnn training": {"format": 99}}, path)
    with pytest.raises(ValueError, match="checkpoint format 99, this library resumes format 1"):
        fit(tmp_path, resume=True)
