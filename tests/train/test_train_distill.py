"""A teacher's soft targets beside the labels."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from commands import mlsnn
from torch import nn

from lava_mlsnn import data, model, train
from lava_mlsnn.train.lightning_import import pl
from lava_mlsnn.train.task import distance

torch.set_num_threads(1)

RECIPE = train.Recipe(
    epochs=1, quantized_epochs=1, batch=128, optimizer=train.Optimizer(lr=0.1), distill=train.Distill(0.5, 2.0)
)


@pytest.fixture(scope="module")
def digits() -> data.Dataset:
    return data.load("digits").smaller(train=512, test=64)


@pytest.fixture(scope="module")
def teacher(digits: data.Dataset) -> model.Network:
    return taught(digits, 0)


def taught(digits: data.Dataset, seed: int) -> model.Network:
    """The ReLU twin, trained a little."""
    net = train.create("cnn", digits, seed=seed, width=4, neuron="relu")
    recipe = replace(RECIPE, epochs=2, quantized_epochs=0, distill=None)
    train.fit(net, digits, recipe, progress=False)
    return net


def fit(digits: data.Dataset, teacher: Any, recipe: train.Recipe = RECIPE, **more: Any) -> dict[str, torch.Tensor]:
    """Weights after a training of one and the same new network."""
    net = train.create("cnn", digits, seed=1, width=4)
    result = train.fit(net, digits, recipe, progress=False, teacher=teacher, **more)
    assert all(("distill_loss" in row) == (recipe.distill is not None) for row in result.history)
    return {name: value.clone() for name, value in net.state_dict().items()}


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, second[name]) for name, value in first.items())


def test_the_distance_is_that_of_the_softened_probabilities() -> None:
    """Its gradient is tau (p - q) / N: about the same at each temperature (Hinton et al. 2015, section 2.1)."""
    random = torch.Generator().manual_seed(0)
    logits, wanted = (3 * torch.randn(5, 7, generator=random, dtype=torch.float64) for _ in range(2))
    logits.requires_grad_()
    for tau in (1.0, 4.0):
        found = distance(logits, wanted, tau)
        p, q = (logits / tau).softmax(1), (wanted / tau).softmax(1)
        torch.testing.assert_close(found, tau**2 * (q * (q / p).log()).sum() / 5)
        (grad,) = torch.autograd.grad(found, logits)
        torch.testing.assert_close(grad, tau * (p - q) / 5)


def test_the_weight_divides_between_labels_and_teacher(digits: data.Dataset, teacher: model.Network) -> None:
    """With weight 1 the labels do not matter, not even wrong ones, and the teacher does; with less both do."""
    wrong = replace(digits, train_labels=np.roll(digits.train_labels, 1))
    alone = replace(RECIPE, distill=train.Distill(1.0, 2.0))
    assert same(fit(digits, teacher, alone), fit(wrong, teacher, alone))
    assert not same(fit(digits, teacher, alone), fit(digits, taught(digits, 7), alone))
    plain, both = fit(digits, None, replace(RECIPE, distill=None)), fit(digits, teacher)
    assert not same(both, fit(wrong, teacher)) and not same(both, plain)
    hot = replace(RECIPE, distill=train.Distill(0.5, 8.0))
    assert not same(both, fit(digits, teacher, hot))


def test_the_teacher_stays_as_it_is_and_out_of_the_checkpoint(
    digits: data.Dataset, teacher: model.Network, tmp_path: Path
) -> None:
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    teacher.zero_grad()
    teacher.train()  # a mode in which its batch norms would go on learning
    weights = fit(digits, teacher, out=tmp_path)
    assert same(before, teacher.state_dict()) and not teacher.training
    assert all(p.grad is None for p in teacher.parameters())
    kept = torch.load(tmp_path / "last.ckpt", weights_only=True)["state_dict"]
    assert {name.removeprefix("net.") for name in kept} == set(weights)


class Stop(pl.Callback):
    """Ends a training as an error would, when the integer epoch begins."""

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.current_epoch == 1:
            raise InterruptedError


@pytest.mark.parametrize("precision", ["32", "bf16"])
def test_it_resumes_bit_for_bit_with_the_same_teacher_alone(
    digits: data.Dataset, teacher: model.Network, precision: str, tmp_path: Path
) -> None:
    recipe, how = replace(RECIPE, mixup=0.2), {"machine": train.Machine("cpu", precision=precision)}
    with pytest.raises(InterruptedError):
        fit(digits, teacher, recipe, out=tmp_path, callbacks=[Stop()], **how)
    with pytest.raises(ValueError, match=r"a checkpoint of another training: teacher was '[0-9a-f]{32}', now '"):
        fit(digits, taught(digits, 7), recipe, out=tmp_path, resume=True, **how)
    with pytest.raises(ValueError, match=r"recipe\.distill\.temperature was 2\.0, now 3\.0"):
        fit(digits, teacher, replace(recipe, distill=train.Distill(0.5, 3.0)), out=tmp_path, resume=True, **how)
    assert same(fit(digits, teacher, recipe, out=tmp_path, resume=True, **how), fit(digits, teacher, recipe, **how))


class Answering(nn.Module):
    """A network whose answers are changed."""

    def __init__(self, net: nn.Module, changed: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.net, self.changed = net, changed

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.changed(self.net(x))


def test_teachers_that_do_not_fit_are_refused_in_words(digits: data.Dataset, teacher: model.Network) -> None:
    net = train.create("cnn", digits, width=4)
    small = replace(digits, train_images=digits.train_images[:, :, 1:], test_images=digits.test_images[:, :, 1:])
    few = replace(
        digits, train_labels=digits.train_labels % 3, test_labels=digits.test_labels % 3, labels=("a", "b", "c")
    )
    others = train.create("cnn", digits, width=4, neuron="relu")
    others.notes["labels"] = [*map(str, range(9, -1, -1))]
    for given, recipe, message in (
        (None, RECIPE, "teacher: expected one exactly if the recipe has distill, got none"),
        (teacher, replace(RECIPE, distill=None), "got one with a recipe that has no distill"),
        ("net.safetensors", RECIPE, "teacher: expected .*Module"),
        (net, RECIPE, "teacher: expected another network than the one that is trained"),
        (train.create("cnn", small, width=4), RECIPE, r"teacher: shape of the network's input is \(1, 7, 8\)"),
        (train.create("cnn", few, width=4), RECIPE, r"shape \(2, 10\) for 2 images, got \(2, 3\)"),
        (others, RECIPE, "dataset 'digits.*in their order, 0, 1, 2, .*got one of 9, 8, 7"),
        (nn.Sequential(net), RECIPE, "expected another network than the one that is trained, found parameters"),
        (Answering(teacher, lambda logits: logits[:1]), RECIPE, r"shape \(2, 10\) for 2 images, got \(1, 10\)"),
        (Answering(teacher, lambda logits: logits[0]), RECIPE, r"for 2 images, got \(10,\)"),
        (Answering(teacher, lambda logits: logits / 0), RECIPE, "got some that are not finite"),
    ):
        with pytest.raises(ValueError, match=message):
            train.fit(net, digits, recipe, progress=False, teacher=given)
    for weight, temperature, message in ((0, 2, "distill weight"), (1.5, 2, "distill weight"), (1, 0, "temperature")):
        with pytest.raises(ValueError, match=message):
            train.Distill(weight, temperature)
    with pytest.raises(ValueError, match=r"distill: expected .*Distill"):
        train.Recipe(distill=0.5)  # type: ignore[arg-type]
    assert train.Recipe.from_dict(json.loads(json.dumps(RECIPE.to_dict()))) == RECIPE


def test_the_command_line_takes_the_teacher_s_file(digits: data.Dataset, tmp_path: Path) -> None:
    shape = ["--data", "digits", "-m", "width=4", "--epochs", "1", "--batch", "256"]
    twin, out = tmp_path / "twin", tmp_path / "out"
    mlsnn("train", "cnn", *shape, "--quantized-epochs", 0, "-m", "neuron=relu", "--out", twin)
    file = twin / "model.safetensors"
    mlsnn(
        "train",
        "cnn",
        *shape,
        "--quantized-epochs",
        1,
        "--teacher",
        file,
        "--temperature",
        4,
        "--precision",
        "bf16",
        "--out",
        out,
    )
    record = json.loads((out / "result.json").read_text())
    assert record["recipe"]["distill"] == {"weight": 0.5, "temperature": 4.0}
    assert record["teacher"] == train.ModelFile(file).digest and record["command"].endswith("--temperature 4.0")
    assert all(part in record["command"] for part in ("--precision bf16", "--epochs 1", f"--teacher {file}"))
    assert record["history"][1]["distill_loss"] > 0
    assert model.load(out / "model.safetensors").notes["teacher"] == record["teacher"]
    plain = train.Training("cnn", {"width": 4}, digits, RECIPE)
    keys = [replace(plain, teacher=train.ModelFile(path)).key for path in (file, out / "model.safetensors")]
    assert keys[0] != keys[1] and "teacher" not in plain.key
    (tmp_path / "no.safetensors").write_bytes(b"nothing of the kind")
    for arguments, message in (
        (["--temperature", "4"], "--distill-weight, --temperature: expected them with --teacher, got none"),
        (["--teacher", str(tmp_path / "no.safetensors")], "no.safetensors"),
        (["--teacher", str(file), "--force", "--out", str(twin)], "lies in"),
        (["--from", str(file), "--force", "--out", str(twin)], "--force empties: expected another folder"),
        (["--teacher", str(file), "--distill-weight", "2"], "distill weight: expected a finite number > 0 and <= 1"),
    ):
        found = mlsnn("train", "cnn", *shape, "--out", tmp_path / "none", *arguments, code=2)
        assert message in " ".join(found.output.split())
    assert not (tmp_path / "none").exists() and file.exists()


def test_a_file_that_vanishes_while_its_network_teaches_costs_nothing(digits: data.Dataset, tmp_path: Path) -> None:
    """Its digest is taken before the training: at its end the file may be another one, or none."""
    file = tmp_path / "twin.safetensors"
    model.save(taught(digits, 0), file)
    teacher = train.ModelFile(file)
    digest = teacher.digest

    class Removes(pl.Callback):
        def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
            file.unlink()

    training = train.Training("cnn", {"width": 4}, digits, RECIPE, teacher=teacher)
    _, record = training.run(lambda net: {"accuracy": {}}, out=tmp_path / "out", callbacks=[Removes()])
    assert record["teacher"] == digest and (tmp_path / "out" / "model.safetensors").is_file()
