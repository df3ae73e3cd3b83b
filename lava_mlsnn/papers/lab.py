"""The networks that items train: what they are, how they are measured, and where they are kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..graph.activity import Activity
from .findings import Spread

if TYPE_CHECKING:  # torch is loaded when a network is wanted, not to list items
    from rich.console import Console

    from ..data import Dataset
    from ..model import Network
    from ..netx import NetGraph
    from ..train import Kept, Recipe, Training

GRAPH = "network.net"
PRICES: dict[str, str | None] = {"exact": None, "qualia": "qualia", "paper000_tables": "paper000_tables"}
"""How integer networks are priced: name in records -> options of the Lemaire model; "exact" is its default, in which an
event pays for the positions that it reaches, the others count as published (:mod:`lava_mlsnn.energy.counts`)."""

COUNTINGS = {"exact": "exact", "published": "qualia"}
"""Counting, as verdicts name it -> how is priced."""


@dataclass(frozen=True)
class Job:
    """One training, but for the data and the recipe, which the :class:`Lab` has.

    Args:
        model: name of an architecture.
        options: of it, without those that the dataset decides.
        seed: of weights, order and augmentation.
        validation: share of the training images that is held out and watched.
        floats: whether the network has no integers and is measured by its float model.
        counted: whether a float model's events are counted, too (:func:`lava_mlsnn.train.float_run`), which asks that
            its neurons send nothing but spikes.
        start: a finished training whose weights it starts from.
        gradients: whether its history has the norms of gradients at residual sums (:mod:`.watch`).
    """

    model: str
    options: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    validation: float = 0.0
    floats: bool = False
    counted: bool = True
    start: Kept | None = None
    gradients: bool = False

    @property
    def is_twin(self) -> bool:
        """Whether it is an ANN."""
        return self.options.get("neuron") == "relu"

    @property
    def measured(self) -> str:
        """How it is measured: "engine" (integers), "floats" or "counted floats"."""
        if self.is_twin or (self.floats and not self.counted):
            return "floats"
        return "counted floats" if self.floats else "engine"

    @property
    def recorded(self) -> str:
        """:attr:`measured`, and what is watched beside."""
        return f"{self.measured}, gradients" if self.gradients else self.measured

    @property
    def label(self) -> str:
        """A short name for progress and folders.

        Example:
            >>> Job("vgg16", {"levels": 4, "steps": 1, "width": 16}, seed=2).label
            'vgg16-t1n4-seed2'
        """
        kind = "ann" if self.is_twin else f"t{self.options.get('steps', 1)}n{self.options.get('levels', 4)}"
        barrier = f"-barrier_{self.options['barrier_grad']}" if "barrier_grad" in self.options else ""
        return f"{self.model}-{kind}{barrier}-seed{self.seed}"


@dataclass(frozen=True, eq=False)
class Outcome:
    """A trained network and what was measured of it on the test images.

    Args:
        job: what it is.
        kept: its folder and its record. Beside what every training records: accuracy ("float", "quantized"; "engine"
            counted by the integer engine), activity, energy in joules per price and term, and "predicted", the classes
            of the test images. A spiking network with integers is exported to network.net.
    """

    job: Job
    kept: Kept

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return self.kept.folder

    @property
    def record(self) -> Mapping[str, Any]:
        """What was recorded, JSON-ready."""
        return self.kept.record

    @property
    def accuracy(self) -> float:
        """Share of right labels: of the integer network, or of floats where there is none."""
        return float(self.record["accuracy"]["engine" if self.job.measured == "engine" else "float"])

    @property
    def right(self) -> NDArray[np.bool_]:
        """Which test images it has right; classes that were not recorded are predicted now."""
        dataset = self.kept.training.dataset
        kept = self.record.get("predicted")
        labels = _predicted(self, dataset) if kept is None else np.array(kept.split(), np.int64)
        found: NDArray[np.bool_] = labels == dataset.test_labels
        return found

    @property
    def history(self) -> list[dict[str, float]]:
        """Losses and accuracies per epoch."""
        return list(self.record["history"])

    def net(self) -> Network:
        """The torch network."""
        return self.kept.net()

    def graph(self) -> NetGraph:
        """What was exported."""
        from .. import netx

        return netx.load(self.folder / GRAPH)

    def activity(self) -> Activity:
        """Counts over the test images."""
        return Activity.from_dict(self.record["activity"])

    def energy(self, price: str = "exact", network: str = "snn") -> dict[str, float]:
        """Joules per image and term, and "total", by the Lemaire model as :data:`PRICES` names it.

        Counts that were kept before a price was known are priced now.
        """
        kept = self.record["energy"]
        found = kept[price] if price in kept else _priced(self.graph(), self.activity(), price)
        terms: dict[str, float] = found[network]
        return {**terms, "total": sum(terms.values())}


def accuracy(outcomes: Iterable[Outcome]) -> Spread:
    """Over seeds, with the images behind it."""
    return Spread.of_right(outcome.right for outcome in outcomes)


class Lab:
    """Trains and measures networks on one dataset by one recipe; the folder ``out/runs`` keeps them.

    Args:
        dataset: images and labels.
        recipe: how to train.
        out: folder of the reproduction.
        progress: as for :func:`lava_mlsnn.train.fit`.
    """

    def __init__(self, dataset: Dataset, recipe: Recipe, out: Path, progress: bool | Console = False) -> None:
        self.dataset = dataset
        self.recipe = recipe
        self.out = Path(out)
        self.progress = progress

    def training(self, job: Job) -> Training:
        """The job on this data by this recipe; without integers, all epochs have float weights."""
        from ..train import Training

        recipe = replace(self.recipe, validation=job.validation or self.recipe.validation)
        if job.measured != "engine":
            recipe = replace(recipe, epochs=recipe.total_epochs, quantized_epochs=0)
        return Training(job.model, job.options, self.dataset, recipe, job.seed, start=job.start)

    def folder(self, job: Job) -> Path:
        """Where the run lives."""
        from ..train.kept import folder_of

        return folder_of(self.training(job), self.out / "runs", job.recorded, job.label)

    def run(self, job: Job) -> Outcome:
        """The outcome of a job: read, or trained and measured; see :func:`lava_mlsnn.train.keep`."""
        from ..train import keep

        training = self.training(job)

        def measure(net: Network, folder: Path) -> dict[str, Any]:
            return _measure(net, training, job.measured, folder / GRAPH)

        watch: list[Any] = []
        if job.gradients:
            from .watch import GradientWatch

            watch = [GradientWatch()]
        how: dict[str, Any] = {"label": job.label, "progress": self.progress, "callbacks": watch}
        kept = keep(training, self.out / "runs", measure, job.recorded, **how)
        return Outcome(job, kept)


def _measure(net: Network, training: Training, measured: str, path: Path) -> dict[str, Any]:
    """Accuracy in floats; of an integer network export, run of the test set in the engine, counts and prices."""
    from .. import netx, sim, train

    dataset, bits = training.dataset, training.recipe.weight_bits
    if measured == "floats":
        labels = train.predict(net, dataset).argmax(1)
        return {"accuracy": {"float": float((labels == dataset.test_labels).mean())}, "predicted": _text(labels)}
    if measured == "counted floats":
        counted = train.float_run(net, dataset)
        return {**counted.record(dataset), "predicted": _text(counted.labels)}
    graph = netx.quantize(net, weight_bits=bits, labels=dataset.labels)
    netx.save(graph, path)
    run = sim.run(graph, dataset.test_images)
    return {
        "accuracy": {
            **train.accuracies(net, dataset, bits),
            "engine": float((run.labels == dataset.test_labels).mean()),
        },
        "predicted": _text(run.labels),
        "activity": run.activity.to_dict(),
        "energy": {price: _priced(graph, run.activity, price) for price in PRICES},
    }


def _text(labels: NDArray[Any]) -> str:
    return " ".join(map(str, labels))


def _predicted(outcome: Outcome, dataset: Dataset) -> NDArray[Any]:
    """As it is recorded today."""
    from .. import sim, train

    if outcome.job.measured == "engine":
        return sim.run(outcome.graph(), dataset.test_images).labels
    if outcome.job.measured == "counted floats":
        return train.float_run(outcome.net(), dataset).labels
    return train.predict(outcome.net(), dataset).argmax(1)


def _priced(graph: NetGraph, activity: Activity, price: str) -> dict[str, dict[str, float]]:
    """Joules per term of a network ("snn") and of the ANN of its shapes ("ann")."""
    from ..energy import estimate

    return {
        network: dict(estimate(graph, counts, "lemaire", options=PRICES[price], spread=False).terms)
        for network, counts in (("snn", activity), ("ann", None))
    }
