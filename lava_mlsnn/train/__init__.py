"""Training on Lightning: recipes, quantization in the last epochs, the same weights for the same seed."""

from __future__ import annotations

from .evaluate import accuracies, predict
from .experiment import EXPERIMENTS, Experiment, create, train
from .loop import Result, fit, seeded
from .recipe import RECIPES, Augment, Optimizer, Recipe, Schedule, recipe

__all__ = [
    "EXPERIMENTS",
    "RECIPES",
    "Augment",
    "Experiment",
    "Optimizer",
    "Recipe",
    "Result",
    "Schedule",
    "accuracies",
    "create",
    "fit",
    "predict",
    "recipe",
    "seeded",
    "train",
]
