"""Training on Lightning: recipes, quantization in the last epochs, the same weights for the same seed."""

from __future__ import annotations

from .evaluate import accuracies, predict
from .experiment import EXPERIMENTS, Experiment, default_model, default_recipe, train
from .float_model import FloatRun, float_run
from .kept import Kept, keep
from .loop import Result, fit, seeded
from .machine import Machine
from .recipe import Augment, Energy, Optimizer, Recipe, Schedule
from .recipes import RECIPES, recipe
from .training import ModelFile, Training, create

__all__ = [
    "EXPERIMENTS",
    "RECIPES",
    "Augment",
    "Energy",
    "Experiment",
    "FloatRun",
    "Kept",
    "Machine",
    "ModelFile",
    "Optimizer",
    "Recipe",
    "Result",
    "Schedule",
    "Training",
    "accuracies",
    "create",
    "default_model",
    "default_recipe",
    "fit",
    "float_run",
    "keep",
    "predict",
    "recipe",
    "seeded",
    "train",
]
