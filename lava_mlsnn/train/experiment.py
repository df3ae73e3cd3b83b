"""Networks and trainings that have a name: what the demo, the shipped nets and the tests are made from."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import data
from ..data.registry import Spec, published
from .machine import Machine
from .recipe import Recipe
from .recipes import RECIPES

if TYPE_CHECKING:
    from rich.console import Console

    from .. import model
    from .training import ModelFile, Training


@dataclass(frozen=True)
class Experiment:
    """One training.

    Args:
        model: name of an architecture.
        options: of :func:`lava_mlsnn.model.create`, without those that the dataset decides.
        dataset: name of the data, as for :func:`lava_mlsnn.data.load`.
        recipe: name of the recipe.
        seed: of initial weights, order and augmentation.
        precision: of :class:`Machine`.
    """

    model: str
    options: Mapping[str, Any] = field(default_factory=dict)
    dataset: str = "digits"
    recipe: str = "digits"
    seed: int = 0
    precision: str = "32"

    @property
    def command(self) -> str:
        """The command line that does the same."""
        levels, steps = self.options.get("levels", 4), self.options.get("steps", 1)
        others = (
            f" -m {shlex.quote(f'{key}={_plain(value)}')}"
            for key, value in self.options.items()
            if key not in ("levels", "steps", "parts")  # parts of a converted network come from its file
        )
        return (
            f"mlsnn train {self.model} --data {shlex.quote(self.dataset)} --recipe {self.recipe} --levels {levels} "
            f"--steps {steps}{''.join(others)} --seed {self.seed}"
            f"{'' if self.precision == '32' else f' --precision {self.precision}'}"
        )

    def training(
        self,
        recipe: Recipe | None = None,
        machine: Machine | None = None,
        start: ModelFile | None = None,
        dataset: data.Dataset | None = None,
        teacher: ModelFile | None = None,
    ) -> Training:
        """What the names stand for; ``recipe`` replaces the named one, ``dataset`` is the named one if it is loaded."""
        from .training import Training

        dataset = dataset or data.load_for(self.dataset, self.options.get("steps", 1))
        recipe = recipe or RECIPES[self.recipe]
        machine = machine or Machine(precision=self.precision)
        return Training(self.model, self.options, dataset, recipe, self.seed, machine, start, teacher)


_SMALL = {"width": 16, "blocks": (1, 1)}
"""Of a residual network for small images."""

_HALVED = {"width": 32, "blocks": (1, 1), "stem": "dvs"}
"""Of a residual network for Fashion-MNIST: stages on maps of 7x7 and 4x4 train on one core in a third of an hour."""

_LOWERS = {"fusion": "group", "mixing": "channel"}
"""Options with which windows become integers."""

_BARRIERS = {"barrier_grad": "ste", **_SMALL}
"""As the shipped nets were trained; "clip" became the default later."""

_ATIF = {"neuron": {"kind": "atif", "mode": "nonuniform"}, **_BARRIERS}
_S_RESNET = {"levels": 1, "steps": 4, "width": 12, "blocks": (1, 1, 1), "residual": "s2s"}
_WINDOWS = {"levels": 4, "steps": 1, "width": 20, "stages": ("wFw", "wF"), "groups": 2, **_LOWERS}

EXPERIMENTS: dict[str, Experiment] = {
    "digits_mlp_t1n4": Experiment("mlp", {"levels": 4, "steps": 1, "hidden": (128, 64)}),
    "digits_cnn_t1n4": Experiment("cnn", {"levels": 4, "steps": 1, "width": 12}),
    "digits_sew_resnet_t1n4": Experiment("sew_resnet18", {"levels": 4, "steps": 1, **_SMALL}),
    "digits_sparse_resnet_t1n4": Experiment("sparse_resnet18", {"levels": 4, "steps": 1, **_BARRIERS}),
    "digits_sparse_resnet_t4n1": Experiment("sparse_resnet18", {"levels": 1, "steps": 4, **_BARRIERS}),
    "digits_sparse_resnet_atif_t4n1": Experiment("sparse_resnet18", {"levels": 1, "steps": 4, **_ATIF}),
    "digits_sparse_resnet_atif_t1n4": Experiment("sparse_resnet18", {"levels": 4, "steps": 1, **_ATIF}),
    "digits_s_resnet_t4n1": Experiment("s_resnet20", _S_RESNET, recipe="digits-leaky"),
    "digits_window_cnn_t1n4": Experiment("window_cnn12", _WINDOWS, recipe="digits-windows"),
    "fashion_cnn_t1n4": Experiment(
        "cnn", {"levels": 4, "steps": 1, "width": 24}, "fashion-mnist", "fashion-mnist-long", precision="bf16"
    ),
    "fashion_sew_resnet_t1n4": Experiment(
        "sew_resnet18", {"levels": 4, "steps": 1, **_HALVED}, "fashion-mnist", "fashion-mnist-long"
    ),
    "fashion_sparse_resnet_t1n4": Experiment(
        "sparse_resnet18", {"levels": 4, "steps": 1, **_HALVED}, "fashion-mnist", "fashion-mnist-long"
    ),
}
"""The shipped nets, by the name of their file in ``netx_exports/``."""


def default_recipe(dataset: str) -> str:
    """Name of the recipe for a dataset that none is chosen for.

    >>> default_recipe("mnist5k"), default_recipe("cifar10:data/cifar")
    ('mnist5k', 'digits')
    """
    name = Spec.parse(dataset).name
    return name if name in RECIPES else "digits"


def default_model(dataset: str) -> tuple[str, dict[str, Any]]:
    """Name and options of the network for a dataset that none is chosen for: a Sparse-ResNet of the data's size.

    Data that come with a package are small, and so is their network; data sets that one has to download get the full
    Sparse-ResNet18. Fashion-MNIST has a network of its own, which one core trains in minutes.

    Raises:
        ValueError: unknown dataset.

    Example:
        >>> default_model("digits")
        ('sparse_resnet18', {'width': 16, 'blocks': (1, 1)})
        >>> default_model("cifar10:data/cifar")
        ('sparse_resnet18', {})
        >>> default_model("fashion-mnist")
        ('cnn', {'width': 16})
    """
    if Spec.parse(dataset).name == "fashion-mnist":
        return "cnn", {"width": 16}
    return "sparse_resnet18", dict(_SMALL) if published(dataset) is None else {}


def train(
    experiment: Experiment,
    *,
    recipe: Recipe | None = None,
    out: str | Path | None = None,
    resume: bool | None = False,
    force: bool = False,
    progress: bool | Console = True,
    name: str | None = None,
    machine: Machine | None = None,
    start: ModelFile | None = None,
    dataset: data.Dataset | None = None,
    teacher: ModelFile | None = None,
) -> tuple[model.Network, dict[str, Any]]:
    """Create, train and measure the network of an experiment, and save it if there is a folder for it.

    Args:
        experiment: see :class:`Experiment`.
        recipe: replaces the named one.
        out, resume, force, progress, name, machine: see :func:`lava_mlsnn.train.fit`; ``out`` also receives
            model.safetensors. ``resume=None`` goes on from a checkpoint if there is one.
        start: a trained network whose weights are the initial ones.
        dataset: the experiment's, if it is loaded already.
        teacher: a trained network whose answers are learned, too, if the recipe wants it.

    Returns:
        The network and a JSON-ready record of it; most of it is also in the model file's notes.
    """
    from .evaluate import accuracies

    training = experiment.training(recipe, machine, start, dataset, teacher)

    def measure(net: model.Network) -> dict[str, Any]:
        return {"accuracy": accuracies(net, training.dataset, training.recipe.weight_bits)}

    return training.run(measure, out=out, resume=resume, force=force, progress=progress, name=name)


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return json.dumps(value)
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
