from __future__ import annotations

import json

import pytest
import torch
from torch import nn

from lava_mlsnn import train
from lava_mlsnn.train.task import build_optimizer, learning_rate_factor


def test_recipe_survives_json():
    recipe = train.recipe("digits", epochs=3, lr=0.01, label_smoothing=0.1)
    assert train.Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: train.Recipe(epochs=0), "epochs: expected at least 1, got 0"),
        (lambda: train.Recipe(quantized_epochs=-1), "quantized_epochs: expected at least 0, got -1"),
        (lambda: train.Recipe(label_smoothing=1.0), "label_smoothing.*got 1.0"),
        (lambda: train.Recipe(validation=1.5), "validation.*got 1.5"),
        (lambda: train.Recipe(clip=0.0), "clip: expected more than 0, got 0.0"),
        (lambda: train.Recipe(patience=3), "patience needs validation"),
        (lambda: train.Recipe(weight_bits=9), "weight_bits.*9"),
        (lambda: train.Optimizer("lamb"), "optimizer: expected one of sgd, adam, adamw, got 'lamb'"),
        (lambda: train.Optimizer(lr=float("nan")), "lr: expected more than 0, got nan"),
        (lambda: train.Optimizer(momentum=1.0), "momentum.*got 1.0"),
        (lambda: train.Schedule("cosin"), "schedule: expected one of constant, cosine, step, got 'cosin'"),
        (lambda: train.Schedule(factor=2.0), "factor.*got 2.0"),
        (lambda: train.Augment(shift=-1), "shift: expected at least 0, got -1"),
        (lambda: train.recipe("digts"), "recipe: expected one of digits.*'digts'"),
        (lambda: train.recipe("digits", epoch=3), "recipe field: expected one of epochs.*'epoch'"),
        (lambda: train.Recipe.from_dict({"optimizer": {"rate": 1}}), "Optimizer field.*'rate'"),
    ],
)
def test_bad_values_are_named(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_step_schedule_is_the_papers():
    factor = learning_rate_factor(train.Schedule("step", factor=0.9, every=50), steps=2000, epochs=200)
    assert [round(factor(step), 6) for step in (0, 499, 500, 1999)] == [1.0, 1.0, 0.9, round(0.9**3, 6)]


def test_weight_decay_spares_norms_and_biases():
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    decayed, spared = build_optimizer(net, train.Optimizer("sgd", weight_decay=0.1)).param_groups
    assert decayed["weight_decay"] == 0.1 and [p.ndim for p in decayed["params"]] == [4]
    assert spared["weight_decay"] == 0 and {p.ndim for p in spared["params"]} == {1}


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw"])
def test_every_optimizer_descends(name: str):
    net = nn.Linear(3, 1)
    optimizer = build_optimizer(net, train.Optimizer(name, lr=0.01, weight_decay=1e-4))
    before = net(torch.ones(3)).item()
    net(torch.ones(3)).sum().backward()
    optimizer.step()
    assert net(torch.ones(3)).item() < before
