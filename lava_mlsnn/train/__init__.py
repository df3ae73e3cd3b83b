"""Training on Lightning: recipes, quantization in the last epochs, the same weights for the same seed."""

from __future__ import annotations

from .evaluate import accuracies, predict
from .experiment import EXPERIMENTS, Experiment, create, default_model, default_recipe, train
from .float_model import FloatRun, float_run
from .loop import Result, fit, seeded
from .machine import Machine
from .recipe import RECIPES, Augment, Optimizer, Recipe, Schedule, recipe

__all__ = [
    "EXPERIMENTS",
    "RECIPES",
    "Augment",
    "Experiment",
    "FloatRun",
    "Machine",
    "Optimizer",
    "Recipe",
    "Result",
    "Schedule",
    "accuracies",
    "create",
    "default_model",
    "default_recipe",
    "fit",
    "float_run",
    "predict",
    "recipe",
    "seeded",
    "train",
]
