"""Training on Lightning: recipes, quantization in the last epochs, the same weights for the same seed."""

from __future__ import annotations

from .evaluate import accuracies, predict
from .loop import Result, fit, seeded
from .recipe import RECIPES, Augment, Optimizer, Recipe, Schedule, recipe

__all__ = [
    "RECIPES",
    "Augment",
    "Optimizer",
    "Recipe",
    "Result",
    "Schedule",
    "accuracies",
    "fit",
    "predict",
    "recipe",
    "seeded",
]
