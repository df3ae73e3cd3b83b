"""Training on Lightning: recipes, quantization in the last epochs, the same weights for the same seed.

Torch and Lightning load when something is first trained or measured; recipes and experiments are known without them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..helpers.lazy import lazy
from .experiment import EXPERIMENTS, Experiment, default_model, default_recipe, train
from .machine import Machine
from .recipe import Augment, Distill, Energy, Optimizer, Recipe, Schedule
from .recipes import RECIPES, recipe

if TYPE_CHECKING:
    from .evaluate import accuracies, predict, seeded
    from .float_model import FloatRun, float_run
    from .kept import Kept, keep
    from .loop import Result, fit
    from .training import ModelFile, Training, create

_LAZY = {
    "FloatRun": ".float_model",
    "Kept": ".kept",
    "ModelFile": ".training",
    "Result": ".loop",
    "Training": ".training",
    "accuracies": ".evaluate",
    "create": ".training",
    "fit": ".loop",
    "float_run": ".float_model",
    "keep": ".kept",
    "predict": ".evaluate",
    "seeded": ".evaluate",
}

__all__ = [
    "EXPERIMENTS",
    "RECIPES",
    "Augment",
    "Distill",
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


__getattr__ = lazy(__name__, _LAZY)
