from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from lava_mlsnn import train
from lava_mlsnn.block import BNTT
from lava_mlsnn.train.task import build_optimizer, learning_rate_factor


def test_whole_floats_become_integers():
    recipe = train.Recipe(epochs=3.0, batch=32.0, augment=train.Augment(shift=1.0))
    assert [type(n) for n in (recipe.epochs, recipe.batch, recipe.augment.shift)] == [int] * 3
    assert recipe == train.Recipe(epochs=3, batch=32, augment=train.Augment(shift=1))


def test_recipe_survives_json():
    recipe = train.recipe("digits", epochs=3, lr=0.01, label_smoothing=0.1)
    assert train.Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: train.Recipe(epochs=0), "epochs: expected an integer >= 1, got 0"),
        (lambda: train.Recipe(quantized_epochs=-1), "quantized_epochs: expected an integer >= 0, got -1"),
        (lambda: train.Recipe(label_smoothing=1.0), "label_smoothing.*got 1.0"),
        (lambda: train.Recipe(validation=1.5), "validation.*got 1.5"),
        (lambda: train.Recipe(clip=0.0), "clip: expected a finite number > 0, got 0.0"),
        (lambda: train.Recipe(quantized_clip=-1.0), "quantized_clip: expected a finite number > 0, got -1.0"),
        (lambda: train.Recipe(patience=3), "patience needs validation"),
        (lambda: train.Recipe(weight_bits=9), "weight_bits.*9"),
        (lambda: train.Recipe(weight_bits=7.5), "weight_bits: expected an integer in 2 .. 8, got 7.5"),
        (lambda: train.Recipe(epochs=True), "epochs: expected an integer >= 1, got True"),
        (lambda: train.Recipe(batch=2.5), "batch: expected an integer >= 1, got 2.5"),
        (lambda: train.Recipe(batch="3"), "batch: expected an integer >= 1, got '3'"),
        (lambda: train.Recipe(mixup="0.2"), "mixup: expected a finite number >= 0, got '0.2'"),
        (lambda: train.Recipe(validation=False), "validation: expected a finite number >= 0 and < 1, got False"),
        (lambda: train.Optimizer(lr=True), "lr: expected a finite number > 0, got True"),
        (lambda: train.Schedule(factor="0.1"), "schedule factor: expected a finite number >= 0 and <= 1, got '0.1'"),
        (lambda: train.Augment(flip="no"), "flip: expected True or False, got 'no'"),
        (lambda: train.Augment(crop=True), "crop: expected a finite number > 0 and <= 1, got True"),
        (lambda: train.Machine(nodes=True), "nodes: expected an integer >= 1, got True"),
        (lambda: train.Optimizer("lamb"), "optimizer: expected one of sgd, adam, adamw, got 'lamb'"),
        (lambda: train.Optimizer(lr=float("nan")), "lr: expected a finite number > 0, got nan"),
        (lambda: train.Optimizer(momentum=1.0), "momentum.*got 1.0"),
        (lambda: train.Schedule("cosin"), "schedule: expected one of constant, cosine, step, milestones, got 'cosin'"),
        (lambda: train.Schedule(factor=2.0), "factor.*got 2.0"),
        (lambda: train.Augment(crop=0.0), "crop: expected a finite number > 0 and <= 1, got 0.0"),
        (lambda: train.Recipe(mixup=-1.0), "mixup: expected a finite number >= 0, got -1.0"),
        (lambda: train.Machine(devices=0), "devices: expected an integer >= 1, got 0"),
        (lambda: train.Machine(strategy="fsdp"), "strategy: expected one of auto, ddp, got 'fsdp'"),
        (lambda: train.Machine(accelerator="tpu"), "accelerator: expected one of auto, cpu, gpu, got 'tpu'"),
        (lambda: train.Machine(precision="8"), "precision: expected one of 32, bf16, 16, auto, got '8'"),
        (lambda: train.Machine("cpu", precision="16"), 'precision: "16" needs a GPU, expected "32" or "bf16" on a CPU'),
        (lambda: train.Augment(shift=-1), "shift: expected an integer >= 0, got -1"),
        (lambda: train.recipe("digts"), "recipe: expected one of digits.*'digts'"),
        (lambda: train.recipe("digits", epoch=3), "recipe field: expected one of epochs.*'epoch'"),
        (lambda: train.Recipe.from_dict({"optimizer": {"rate": 1}}), "Optimizer field.*'rate'"),
    ],
)
def test_bad_values_are_named(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_auto_precision_is_what_the_processor_has(monkeypatch: pytest.MonkeyPatch):
    """It is resolved at once, so that records, keys and checkpoints name what was computed with."""
    for has, precision in ((True, "bf16"), (False, "32")):
        monkeypatch.setattr(train.machine, "_has_bf16", lambda has=has: has)
        assert train.Machine("cpu", precision="auto") == train.Machine("cpu", precision=precision)
    assert train.Machine("cpu").precision == "32"


@pytest.mark.parametrize(
    ("says", "processor", "precision", "emulated"),
    [
        (False, "x86_64", "bf16", True),
        (False, "AMD64", "bf16", True),
        (True, "x86_64", "bf16", False),
        (None, "x86_64", "bf16", False),
        (False, "aarch64", "bf16", False),  # torch asks for an instruction of x86
        (False, "x86_64", "32", False),
        (False, "x86_64", "auto", False),
    ],
)
def test_numbers_that_the_processor_lacks_are_known(monkeypatch, says, processor, precision, emulated):
    monkeypatch.setattr(train.machine, "_says_bf16", lambda: says)
    monkeypatch.setattr(train.machine.platform, "machine", lambda: processor)
    assert train.Machine("cpu", precision=precision).is_emulated == emulated


def test_what_the_processor_has_is_what_it_says():
    flags = Path("/proc/cpuinfo")
    if not hasattr(torch.cpu, "_is_avx512_bf16_supported") or not flags.is_file():
        pytest.skip("this torch, or this system, does not say")
    assert train.machine._has_bf16() == ("avx512_bf16" in flags.read_text().split())


def test_step_schedule_is_the_papers():
    factor = learning_rate_factor(train.Schedule("step", factor=0.9, every=50), steps=2000, epochs=200)
    assert [round(factor(step), 6) for step in (0, 499, 500, 1999)] == [1.0, 1.0, 0.9, round(0.9**3, 6)]


@pytest.mark.parametrize(
    ("name", "optimizer", "lr", "epochs", "factor"),
    [("paper000-cifar", "sgd", 8e-2, 1500, 0.9), ("paper000-dvs", "adam", 1e-3, 500, 0.5)],
)
def test_recipes_of_paper_000(name: str, optimizer: str, lr: float, epochs: int, factor: float):
    """Section 5.1; the integer epochs go on where the paper's end."""
    recipe = train.recipe(name)
    assert (recipe.optimizer.name, recipe.optimizer.lr, recipe.epochs) == (optimizer, lr, epochs)
    assert recipe.label_smoothing == recipe.mixup == recipe.validation == 0
    steps = recipe.total_epochs * 10
    rate = learning_rate_factor(recipe.schedule, steps, recipe.total_epochs)
    for epoch in (0, 49, 50, 499, epochs - 1):
        assert rate(10 * epoch) == pytest.approx(factor ** (epoch // 50))
    assert (recipe.augment.flip, recipe.augment.crop is not None) == (name == "paper000-cifar",) * 2


def test_weight_decay_spares_norms_and_biases():
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), BNTT(2, steps=3, bias=True), nn.LayerNorm((2, 4, 4)))
    decayed, spared = build_optimizer(net, train.Optimizer("sgd", weight_decay=0.1)).param_groups
    assert decayed["weight_decay"] == 0.1 and [p.ndim for p in decayed["params"]] == [4]
    assert spared["weight_decay"] == 0 and {p.ndim for p in spared["params"]} == {1, 2, 3}


def test_milestones_are_shares_of_the_training():
    def rates(**at) -> list[float]:
        factor = learning_rate_factor(train.Schedule("milestones", factor=0.1, **at), steps=100, epochs=10)
        return [round(factor(step), 4) for step in (49, 50, 69, 70, 80, 90)]

    assert rates() == [1, 1, 1, 0.1, 0.01, 0.001]
    assert rates(at=(0.5, 0.7, 0.9)) == [1, 0.1, 0.1, 0.01, 0.01, 0.001]
    recipe = train.recipe("paper002", schedule=train.Schedule("milestones", factor=0.1, at=(0.5, 0.7, 0.9)))
    assert train.Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe
    for wrong in ((), (0.9, 0.5), (0.5, 1.0)):
        with pytest.raises(ValueError, match="milestone"):
            train.Schedule("milestones", at=wrong)


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw"])
def test_every_optimizer_descends(name: str):
    net = nn.Linear(3, 1)
    optimizer = build_optimizer(net, train.Optimizer(name, lr=0.01, weight_decay=1e-4))
    before = net(torch.ones(3)).item()
    net(torch.ones(3)).sum().backward()
    optimizer.step()
    assert net(torch.ones(3)).item() < before
