"""Networks and trainings that have a name: what the demo, the shipped nets and the tests are made from."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from .. import data, model
from ..data import Dataset
from ..data.registry import published
from .evaluate import accuracies
from .loop import fit, seeded
from .machine import Machine
from .recipe import RECIPES, Recipe

MODEL_FILE = "model.safetensors"
SHAPE_OPTIONS = ("in_shape", "num_classes", "input_scale", "input_bits")


@dataclass(frozen=True)
class Experiment:
    """One training.

    Args:
        model: name of an architecture.
        options: of :func:`lava_mlsnn.model.create`, without those that the dataset decides.
        dataset: name of the data, as for :func:`lava_mlsnn.data.load`.
        recipe: name of the recipe.
        seed: of initial weights, order and augmentation.
    """

    model: str
    options: Mapping[str, Any] = field(default_factory=dict)
    dataset: str = "digits"
    recipe: str = "digits"
    seed: int = 0

    @property
    def command(self) -> str:
        """The command line that does the same."""
        levels, steps = self.options.get("levels", 4), self.options.get("steps", 1)
        others = (
            f" -m {shlex.quote(f'{key}={_plain(value)}')}"
            for key, value in self.options.items()
            if key not in ("levels", "steps")
        )
        return (
            f"mlsnn train {self.model} --data {self.dataset} --recipe {self.recipe} --levels {levels} --steps {steps}"
            f"{''.join(others)} --seed {self.seed}"
        )


_SMALL = {"width": 16, "blocks": (1, 1)}
"""Of a residual network for small images."""

_LOWERS = {"fusion": "group", "mixing": "channel"}
"""Options with which windows become integers."""

_ATIF = {"neuron": {"kind": "atif", "mode": "nonuniform"}, **_SMALL}
_S_RESNET = {"levels": 1, "steps": 4, "width": 12, "blocks": (1, 1, 1), "residual": "s2s"}
_WINDOWS = {"levels": 4, "steps": 1, "width": 20, "stages": ("wFw", "wF"), "groups": 2, **_LOWERS}

EXPERIMENTS: dict[str, Experiment] = {
    "digits_mlp_t1n4": Experiment("mlp", {"levels": 4, "steps": 1, "hidden": (128, 64)}),
    "digits_cnn_t1n4": Experiment("cnn", {"levels": 4, "steps": 1, "width": 12}),
    "digits_sew_resnet_t1n4": Experiment("sew_resnet18", {"levels": 4, "steps": 1, **_SMALL}),
    "digits_sparse_resnet_t1n4": Experiment("sparse_resnet18", {"levels": 4, "steps": 1, **_SMALL}),
    "digits_sparse_resnet_t4n1": Experiment("sparse_resnet18", {"levels": 1, "steps": 4, **_SMALL}),
    "digits_sparse_resnet_atif_t4n1": Experiment("sparse_resnet18", {"levels": 1, "steps": 4, **_ATIF}),
    "digits_sparse_resnet_atif_t1n4": Experiment("sparse_resnet18", {"levels": 4, "steps": 1, **_ATIF}),
    "digits_s_resnet_t4n1": Experiment("s_resnet20", _S_RESNET, recipe="digits-leaky"),
    "digits_window_cnn_t1n4": Experiment("window_cnn12", _WINDOWS, recipe="digits-windows"),
    "mnist5k_sparse_resnet_t1n4": Experiment(
        "sparse_resnet18", {"levels": 4, "steps": 1, **_SMALL}, "mnist5k", "mnist5k"
    ),
    "mnist5k_sparse_resnet_atif_t1n4": Experiment(
        "sparse_resnet18", {"levels": 4, "steps": 1, **_ATIF}, "mnist5k", "mnist5k"
    ),
    "mnist5k_s_resnet_t4n1": Experiment("s_resnet20", _S_RESNET, "mnist5k", "mnist5k"),
    "mnist5k_window_cnn_t1n4": Experiment("window_cnn12", _WINDOWS, "mnist5k", "mnist5k"),
}
"""The shipped nets, by the name of their file in ``netx_exports/``."""


def default_recipe(dataset: str) -> str:
    """Name of the recipe for a dataset that none is chosen for.

    >>> default_recipe("mnist5k"), default_recipe("cifar10:data/cifar")
    ('mnist5k', 'digits')
    """
    name = dataset.partition(":")[0]
    return name if name in RECIPES else "digits"


def default_model(dataset: str) -> tuple[str, dict[str, Any]]:
    """Name and options of the network for a dataset that none is chosen for: a Sparse-ResNet of the data's size.

    Data that come with a package are small, and so is their network; data sets that one has to download get the full
    Sparse-ResNet18.

    Raises:
        ValueError: unknown dataset.

    Example:
        >>> default_model("digits")
        ('sparse_resnet18', {'width': 16, 'blocks': (1, 1)})
        >>> default_model("cifar10:data/cifar")
        ('sparse_resnet18', {})
    """
    return "sparse_resnet18", dict(_SMALL) if published(dataset) is None else {}


def create(name: str, dataset: Dataset, *, seed: int = 0, **options: Any) -> model.Network:
    """A new network that fits a dataset: its shape, classes, input scale and bits.

    Args:
        name: one of :func:`lava_mlsnn.model.names`.
        dataset: what it is to be trained on.
        seed: of the initial weights.
        options: of the architecture and its neurons.

    Raises:
        ValueError: an unknown name or option, or one that the dataset decides.

    Example:
        >>> net = create("sparse_resnet18", data.load("digits"), levels=4, width=4, blocks=(1, 1))
        >>> net.in_shape, net.setting.input_bits
        ((1, 8, 8), 5)
    """
    for key in SHAPE_OPTIONS:
        if key in options:
            raise ValueError(f"option {key!r} is decided by the dataset {dataset.name!r}: expected it to be left out")
    decided = {
        "in_shape": dataset.shape,
        "num_classes": dataset.num_classes,
        "input_scale": dataset.input_scale,
        "input_bits": dataset.bits,
    }
    with seeded(seed):
        return model.create(name, **decided, **options)


def train(
    experiment: Experiment,
    *,
    recipe: Recipe | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    progress: bool | Console = True,
    name: str | None = None,
    machine: Machine | None = None,
) -> tuple[model.Network, dict[str, Any]]:
    """Create, train and measure the network of an experiment, and save it if there is a folder for it.

    Args:
        experiment: see :class:`Experiment`.
        recipe: replaces the named one.
        out, resume, progress, name, machine: see :func:`lava_mlsnn.train.fit`; ``out`` also receives
            model.safetensors.

    Returns:
        The network and a JSON-ready record of it; the same stands in the model file's notes.
    """
    dataset = data.load_for(experiment.dataset, experiment.options.get("steps", 1))
    recipe = recipe or RECIPES[experiment.recipe]
    net = create(experiment.model, dataset, seed=experiment.seed, **experiment.options)
    result = fit(
        net,
        dataset,
        recipe,
        seed=experiment.seed,
        out=out,
        resume=resume,
        progress=progress,
        name=name or experiment.model,
        machine=machine,
    )
    record = {
        "model": net.config,
        "dataset": dataset.name,
        "labels": list(dataset.labels),
        "recipe": recipe.to_dict(),
        "seed": experiment.seed,
        "accuracy": accuracies(net, dataset, recipe.weight_bits),
        "test_images": len(dataset.test_labels),
        "epochs": len(result.history),
        "seconds": round(result.seconds, 2),
        "rank": result.rank,
    }
    if out is not None and result.rank == 0:
        model.save(net, Path(out) / MODEL_FILE, {k: v for k, v in record.items() if k not in ("seconds", "rank")})
    return net, record


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return json.dumps(value)
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
