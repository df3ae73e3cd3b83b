"""Trained and measured networks, kept on disk: what was done once is not done again, what was interrupted goes on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..graph.activity import Activity

if TYPE_CHECKING:
    from rich.console import Console

    from ..data import Dataset
    from ..model import Network
    from ..netx import NetGraph
    from ..train import Recipe

FORMAT = 1
"""Version of what a run's folder holds; part of its key. It counts up when a default of a recipe changes."""

MODEL, GRAPH, RECORD = "model.safetensors", "network.net", "outcome.json"


@dataclass(frozen=True)
class Job:
    """One training: what decides its weights.

    Args:
        model: name of an architecture.
        options: of it, without those that the dataset decides.
        seed: of weights, order and augmentation.
        validation: share of the training images that is held out and watched.
        floats: whether it has no integers and is measured by its float model (:func:`lava_mlsnn.train.float_run`).
        counted: whether a float model's events are counted, beside its accuracy: its neurons must send nothing else.
        start: folder of a run whose weights it starts from (:func:`lava_mlsnn.model.s_resnet.fine_tuned`).
    """

    model: str
    options: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    validation: float = 0.0
    floats: bool = False
    counted: bool = True
    start: Path | None = None

    @property
    def is_twin(self) -> bool:
        """Whether it is an ANN."""
        return self.options.get("neuron") == "relu"

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
        folder: model.safetensors, network.net (spiking networks), metrics.csv, outcome.json.
        record: JSON-ready: accuracy ("float", "quantized"; "engine" counted by the integer engine), history (per
            epoch), parameters, activity, energy in joules per preset and term.
    """

    job: Job
    folder: Path
    record: Mapping[str, Any]

    @property
    def accuracy(self) -> float:
        """Share of right labels: of the integer network, or of floats where there is none."""
        return float(self.record["accuracy"]["float" if self.job.is_twin or self.job.floats else "engine"])

    @property
    def history(self) -> list[dict[str, float]]:
        """Losses and accuracies per epoch."""
        return list(self.record["history"])

    def net(self) -> Network:
        """The torch network."""
        from .. import model

        return model.load(self.folder / MODEL)

    def graph(self) -> NetGraph:
        """What was exported."""
        from .. import netx

        return netx.load(self.folder / GRAPH)

    def activity(self) -> Activity:
        """Counts over the test images."""
        return Activity.from_dict(self.record["activity"])

    def energy(self, preset: str = "qualia", network: str = "snn") -> dict[str, float]:
        """Joules per image and term, and "total", by the Lemaire model with the named options."""
        terms: dict[str, float] = self.record["energy"][preset][network]
        return {**terms, "total": sum(terms.values())}


class Lab:
    """Trains and measures networks on one dataset by one recipe; the folder ``out/runs`` remembers them.

    A run is known by everything that decides its numbers: model, options, recipe, seed, and the dataset's name, shapes
    and labels. A folder with a checkpoint but no outcome is resumed.

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
        self.fingerprint = fingerprint(dataset)

    def recipe_of(self, job: Job) -> Recipe:
        """The recipe, with the job's validation part; without integers, all epochs have float weights."""
        changes: dict[str, Any] = {"validation": job.validation} if job.validation else {}
        if job.is_twin or job.floats:
            changes |= {"epochs": self.recipe.total_epochs, "quantized_epochs": 0}
        return replace(self.recipe, **changes)

    def key(self, job: Job) -> dict[str, Any]:
        """What the run is known by, JSON-ready."""
        content = {
            "format": FORMAT,
            "model": job.model,
            "options": {**job.options},
            "seed": job.seed,
            "data": self.fingerprint,
            "recipe": _changed(self.recipe_of(job).to_dict(), type(self.recipe)().to_dict()),
        }
        if job.start is not None:
            content["start"] = job.start.name
        found: dict[str, Any] = json.loads(json.dumps(content, sort_keys=True))
        return found

    def folder(self, job: Job) -> Path:
        """Where the run lives."""
        digest = hashlib.sha256(json.dumps(self.key(job), sort_keys=True).encode()).hexdigest()
        return self.out / "runs" / f"{self.dataset.name}-{job.label}-{digest[:10]}"

    def run(self, job: Job) -> Outcome:
        """The outcome of a job: read, or trained and measured.

        Raises:
            ValueError: a folder whose record belongs to another job.
        """
        folder = self.folder(job)
        record = _read(folder / RECORD)
        if record is None:
            record = self._work(job, folder)
            _write(record, folder / RECORD)
        if record.get("key") != self.key(job):
            raise ValueError(f"{folder / RECORD}: a record of another training: expected to find that of {job.label}")
        return Outcome(job, folder, record)

    def untrained(self, job: Job) -> Network:
        """The network of a job with its initial weights."""
        from .. import model, train
        from ..model.s_resnet import fine_tuned

        net = train.create(job.model, self.dataset, seed=job.seed, **job.options)
        if job.start is not None:
            fine_tuned(net, model.load(job.start / MODEL).state_dict())
        return net

    def _work(self, job: Job, folder: Path) -> dict[str, Any]:
        from .. import model, train

        folder.mkdir(parents=True, exist_ok=True)
        recipe = self.recipe_of(job)
        net = self.untrained(job)
        result = train.fit(
            net,
            self.dataset,
            recipe,
            seed=job.seed,
            out=folder,
            resume=any(folder.glob("*.ckpt")),
            progress=self.progress,
            name=job.label,
        )
        model.save(net, folder / MODEL, {"job": job.label, "data": self.dataset.name})
        record = {
            "key": self.key(job),
            "seconds": round(result.seconds, 2),
            "parameters": sum(p.numel() for p in net.parameters()),
            "history": list(result.history),
            "test_images": len(self.dataset.test_labels),
            **self._measured(job, net, folder),
        }
        for checkpoint in folder.glob("*.ckpt"):
            checkpoint.unlink()
        return record

    def _measured(self, job: Job, net: Network, folder: Path) -> dict[str, Any]:
        from .. import train

        if job.is_twin or (job.floats and not job.counted):
            return _measure_floats(net, self.dataset)
        if job.floats:
            return train.float_run(net, self.dataset).record(self.dataset)
        return _measure(net, self.dataset, self.recipe_of(job), folder)


def fingerprint(dataset: Dataset) -> dict[str, Any]:
    """Name, shapes and a digest of the labels: two versions or splits of the same data are not confused."""
    digest = hashlib.sha256()
    for labels in (dataset.train_labels, dataset.test_labels):
        digest.update(labels.tobytes())
    return {
        "name": dataset.name,
        "train": list(dataset.train_images.shape),
        "test": list(dataset.test_images.shape),
        "labels": digest.hexdigest()[:16],
    }


def _measure_floats(net: Network, dataset: Dataset) -> dict[str, Any]:
    from ..train import predict

    return {"accuracy": {"float": float((predict(net, dataset).argmax(1) == dataset.test_labels).mean())}}


def _measure(net: Network, dataset: Dataset, recipe: Recipe, folder: Path) -> dict[str, Any]:
    """Export, run the whole test set in the integer engine, count, price."""
    from .. import netx, sim, train
    from ..energy import estimate

    graph = netx.quantize(net, weight_bits=recipe.weight_bits, labels=dataset.labels)
    netx.save(graph, folder / GRAPH)
    run = sim.run(graph, dataset.test_images)
    energy = {
        preset: {
            "snn": estimate(graph, run.activity, "lemaire", options=preset, spread=False).terms,
            "ann": estimate(graph, None, "lemaire", options=preset, spread=False).terms,
        }
        for preset in ("qualia", "paper000_tables")
    }
    engine = float((run.labels == dataset.test_labels).mean())
    return {
        "accuracy": {**train.accuracies(net, dataset, recipe.weight_bits), "engine": engine},
        "activity": run.activity.to_dict(),
        "energy": energy,
    }


def _changed(values: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Fields that are not at their defaults, nested ones too: a new field leaves the keys of older runs as they are."""
    found = {}
    for name, value in values.items():
        default = defaults[name]
        if isinstance(value, Mapping) and isinstance(default, Mapping):
            value, default = _changed(value, default), {}
        if value != default:
            found[name] = value
    return found


def _read(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: expected JSON ({error}); delete its folder to train again") from None
    return content


def _write(content: Mapping[str, Any], path: Path) -> None:
    """All or nothing: an interruption leaves no half file."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    part.replace(path)
