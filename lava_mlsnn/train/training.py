"""A training: everything that decides its result, and the one way to create, fit, measure and save a network."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from .. import model
from ..data import Dataset
from ..data.dataset import require_dataset
from ..helpers.lock import locked
from ..helpers.sealed import file_digest
from ..model import Network
from ..model.catalog import OF_DATA, check_own
from ..model.file import LARGEST
from ..model.s_resnet import fine_tuned
from .content import fingerprint
from .evaluate import seeded
from .folder import FILE, LOCK, MODEL_FILE, prepare
from .lightning_import import pl
from .loop import Result, fit
from .machine import Machine
from .recipe import Recipe, changed
from .world import is_first

if TYPE_CHECKING:
    from .kept import Kept

FORMAT = 4
"""Version of :attr:`Training.key`; it counts up when what a training does with the same options changes."""

_FORMATS = {"sparse": 5, "window": 5}
"""The same of networks whose names begin so: their barriers had another gradient by default."""


def format_of(model: str) -> int:
    """Version of the trainings of an architecture.

    >>> format_of("cnn"), format_of("sparse_resnet18")
    (4, 5)
    """
    return _FORMATS.get(model.partition("_")[0], FORMAT)


NOTES = (
    "model",
    "dataset",
    "labels",
    "recipe",
    "seed",
    "accuracy",
    "test_images",
    "epochs",
    "longer",
    "start",
    "teacher",
)
"""What of a record is also written into the model file; "longer", "start" and "teacher" where there are any."""


@dataclass(frozen=True)
class ModelFile:
    """A network that :func:`lava_mlsnn.model.save` wrote, to start another training from."""

    path: Path
    largest: int = LARGEST

    @property
    def digest(self) -> str:
        """Of the file: 64 hexadecimal digits."""
        return file_digest(self.path)

    @property
    def options(self) -> dict[str, Any]:
        """Of its network as for :func:`create`, "name" among them, without those that the dataset decides."""
        return {key: value for key, value in self.net().config.items() if key not in OF_DATA}

    def net(self) -> Network:
        """The network."""
        return model.load(self.path, largest=self.largest)


@dataclass(frozen=True, eq=False)
class Training:
    """One training: what decides its result.

    Args:
        model: name of an architecture.
        options: of it, without those that the dataset decides.
        dataset: images and labels.
        recipe: how to train.
        seed: of initial weights, order and augmentation.
        machine: devices and precision; of these only the precision decides the result.
        start: a finished training, or a file of one, whose weights this one starts from
            (:func:`lava_mlsnn.model.s_resnet.fine_tuned`).
        teacher: the same of the network whose answers ``recipe.distill`` asks for.
    """

    model: str
    options: Mapping[str, Any]
    dataset: Dataset
    recipe: Recipe
    seed: int = 0
    machine: Machine = field(default_factory=Machine)
    start: Kept | ModelFile | None = None
    teacher: Kept | ModelFile | None = None

    @property
    def key(self) -> dict[str, Any]:
        """What the training is known by, JSON-ready; data by their content, see :func:`.content.fingerprint`.

        Of the recipe only what is not at its default: a field that a later version adds leaves the keys as they are.
        """
        content = {
            "format": format_of(self.model),
            "model": self.model,
            "options": dict(self.options),
            "seed": self.seed,
            "data": fingerprint(self.dataset),
            "recipe": changed(self.recipe.to_dict()),
            "precision": self.machine.precision,
            **self._others,
        }
        plain: dict[str, Any] = json.loads(json.dumps(content))
        return plain

    @property
    def _others(self) -> dict[str, str]:
        """Digests of the networks that it starts from and learns from, where there are any."""
        found = {"start": self.start, "teacher": self.teacher}
        return {name: other.digest for name, other in found.items() if other is not None}

    def network(self) -> Network:
        """The network with its initial weights."""
        net = create(self.model, self.dataset, seed=self.seed, **self.options)
        if self.start is not None:
            start = self.start.net()
            fine_tuned(net, start.state_dict(), labels=self.dataset.labels, known=start.notes.get("labels", ()))
        return net

    def fit(
        self,
        net: Network | None = None,
        *,
        out: str | Path | None = None,
        resume: bool | None = None,
        force: bool = False,
        progress: bool | Console = False,
        name: str | None = None,
        callbacks: Sequence[pl.Callback] = (),
    ) -> Result:
        """Train ``net``, or a new :meth:`network`; arguments as for :func:`lava_mlsnn.train.fit`.

        ``resume=None`` goes on from the checkpoint in ``out`` if there is one.
        """
        if resume is None:
            resume = out is not None and (Path(out) / FILE).is_file()
        return fit(
            net or self.network(),
            self.dataset,
            self.recipe,
            seed=self.seed,
            out=out,
            resume=resume,
            force=force,
            progress=progress,
            name=name or self.model,
            machine=self.machine,
            callbacks=callbacks,
            start=None if self.start is None else self.start.digest,
            teacher=None if self.teacher is None else self.teacher.net(),
        )

    def run(
        self,
        measure: Callable[[Network], Mapping[str, Any]],
        *,
        out: str | Path | None = None,
        resume: bool | None = None,
        force: bool = False,
        progress: bool | Console = False,
        name: str | None = None,
        callbacks: Sequence[pl.Callback] = (),
    ) -> tuple[Network, dict[str, Any]]:
        """Create, fit and measure the network, and save it as ``out / "model.safetensors"`` if there is a folder.

        Args:
            measure: returns what is to be recorded of the trained network, JSON-ready, "accuracy" among it; what it
                draws at random (Poisson encoding) depends on the seed.
            out, resume, force, progress, name, callbacks: see :meth:`fit`.

        Returns:
            The network, and a JSON-ready record: what was trained, how it went, what was measured.
        """
        how = {"out": out, "resume": resume, "force": force, "progress": progress, "name": name, "callbacks": callbacks}
        if out is None or not is_first():
            return self._run(measure, out, how)
        with locked(prepare(out) / LOCK, "training"):
            return self._run(measure, out, how)

    def _run(
        self, measure: Callable[[Network], Mapping[str, Any]], out: str | Path | None, how: Mapping[str, Any]
    ) -> tuple[Network, dict[str, Any]]:
        net, others = self.network(), self._others  # their files may be gone when the training ends
        result = self.fit(net, **how)
        with seeded(self.seed):
            measured = measure(net)
        record = {
            "model": net.config,
            "dataset": self.dataset.name,
            "labels": list(self.dataset.labels),
            "recipe": self.recipe.to_dict(),
            "seed": self.seed,
            **measured,
            "test_images": len(self.dataset.test_labels),
            "epochs": len(result.history),
            **({"longer": list(result.longer)} if result.longer else {}),
            "seconds": round(result.seconds, 2),
            "rank": result.rank,
            "parameters": sum(p.numel() for p in net.parameters()),
            "history": list(result.history),
            **others,
        }
        if out is not None and result.rank == 0:
            notes = {name: record[name] for name in NOTES if name in record}
            model.save(net, Path(out) / MODEL_FILE, notes)
        return net, record


def create(name: str, dataset: Dataset, *, seed: int = 0, **options: Any) -> Network:
    """A new network that fits a dataset: its shape, classes, input scale and bits.

    Args:
        name: one of :func:`lava_mlsnn.model.names`.
        dataset: what it is to be trained on.
        seed: of the initial weights.
        options: of the architecture and its neurons.

    Raises:
        ValueError: an unknown name or option, or one that the dataset decides.

    Example:
        >>> from lava_mlsnn import data
        >>> net = create("sparse_resnet18", data.load("digits"), levels=4, width=4, blocks=(1, 1))
        >>> net.in_shape, net.setting.input_bits
        ((1, 8, 8), 5)
    """
    require_dataset(dataset)
    check_own(options, dataset.name)
    decided = {
        "in_shape": dataset.shape,
        "num_classes": dataset.num_classes,
        "input_scale": dataset.input_scale,
        "input_bits": dataset.bits,
    }
    with seeded(seed):
        return model.create(name, **decided, **options)
