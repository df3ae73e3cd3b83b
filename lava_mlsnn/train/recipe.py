"""How to train, as small frozen dataclasses; those with a name are in :mod:`.recipes`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from ..helpers.check import choice, finite, flag, instance, integer

OPTIMIZERS = ("sgd", "adam", "adamw")
SCHEDULES = ("constant", "cosine", "step", "milestones")


@dataclass(frozen=True)
class Optimizer:
    """Gradient descent; weight decay acts on weight matrices and kernels, not on biases, norms and thresholds.

    Args:
        name: "sgd" (Nesterov if momentum > 0), "adam" or "adamw".
        lr: learning rate at its highest.
        momentum: of sgd.
        weight_decay: coupled (sgd, adam) or decoupled (adamw).
    """

    name: str = "sgd"
    lr: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        choice(self.name, "optimizer", OPTIMIZERS)
        finite(self.lr, "lr", positive=True)
        finite(self.momentum, "momentum", low=0, below=1)
        finite(self.weight_decay, "weight_decay", low=0)


@dataclass(frozen=True)
class Schedule:
    """Learning rate over time, as a factor of ``Optimizer.lr``.

    Args:
        name: "constant"; "cosine" down to ``factor`` at the end; "step": times ``factor`` every ``every`` epochs;
            "milestones": times ``factor`` at each share ``at`` of the training.
        warmup: epochs of linear rise at the start.
        factor, every: see ``name``.
        at: milestones, rising shares of the training; default those of [VicenteSola2022], section 3.5.
    """

    name: str = "cosine"
    warmup: float = 0.0
    factor: float = 0.0
    every: int = 50
    at: tuple[float, ...] = (0.7, 0.8, 0.9)

    def __post_init__(self) -> None:
        choice(self.name, "schedule", SCHEDULES)
        finite(self.warmup, "warmup", low=0)
        finite(self.factor, "schedule factor", low=0, high=1)
        set_integers(self, every=(1,))
        at = tuple(finite(share, "milestone", positive=True, below=1) for share in self.at)
        if not at or list(at) != sorted(set(at)):
            raise ValueError(f"milestones: expected one or more rising shares of the training, got {self.at}")
        object.__setattr__(self, "at", at)


@dataclass(frozen=True)
class Augment:
    """What is done to training images; pixels stay integers (:mod:`lava_mlsnn.train.augment`).

    Args:
        shift: largest shift in pixels, drawn per image and axis, zeros move in.
        flip: mirror left to right with probability 1/2.
        crop: a random rectangle of at least this share of the area, its sides in a ratio of 3/4 to 4/3, is stretched
            over the whole map; None is no crop.
    """

    shift: int = 0
    flip: bool = False
    crop: float | None = None

    def __post_init__(self) -> None:
        set_integers(self, shift=(0,))
        flag(self.flip, "flip")
        if self.crop is not None:
            finite(self.crop, "crop", positive=True, high=1)


@dataclass(frozen=True)
class Energy:
    """How much energy a network may cost (:mod:`lava_mlsnn.train.penalty`); exactly one of the three is given.

    Args:
        share: of the ANN of the same shapes, by :func:`lava_mlsnn.energy.estimate`; the training finds the weight.
        joules: the same as joules per image.
        weight: a fixed weight in the loss, in nats for the whole energy of the ANN; no target.
    """

    share: float | None = None
    joules: float | None = None
    weight: float | None = None

    def __post_init__(self) -> None:
        given = [f.name for f in fields(self) if getattr(self, f.name) is not None]
        if len(given) != 1:
            raise ValueError(f"energy: expected one of share, joules or weight, got {', '.join(given) or 'none'}")
        object.__setattr__(self, given[0], finite(getattr(self, given[0]), f"energy {given[0]}", positive=True))

    def target(self, ann: float) -> float | None:
        """Wanted share of an ANN of ``ann`` joules, None for a fixed weight."""
        return self.share if self.joules is None else self.joules / ann


@dataclass(frozen=True)
class Distill:
    """Soft targets beside the labels: what a teacher, such as the network's ReLU twin, says of the same images.

    .. math:: L = (1 - w) L_{labels} + w \\tau^2 KL(softmax(t / \\tau) || softmax(y / \\tau))

    with the logits y of the network and t of the teacher (Hinton et al., *Distilling the knowledge in a neural
    network*, 2015).

    Args:
        weight: w, above 0, at most 1.
        temperature: tau.
    """

    weight: float = 0.5
    temperature: float = 2.0

    def __post_init__(self) -> None:
        finite(self.weight, "distill weight", positive=True, high=1)
        finite(self.temperature, "temperature", positive=True)


@dataclass(frozen=True)
class Recipe:
    """One way to train a network.

    Args:
        epochs: with float weights.
        quantized_epochs: afterwards, with the integer network in the loop (batch norm folded, weights rounded).
        weight_bits: of the quantized weights.
        batch: images per step.
        optimizer, schedule, augment: see their classes; the schedule runs over all epochs together.
        label_smoothing: of the cross entropy.
        mixup: alpha of the mixture of two images, their share drawn per batch from Beta(alpha, alpha); 0 is none.
        clip: largest norm of the gradient in the float epochs; None is no limit.
        quantized_clip: the same in the integer epochs, where frozen batch norms hold nothing back: at learning rates of
            0.02 and more a network can be lost in a few steps. Usual norms are a tenth of this and stay as they are.
        validation: share of the training images that is held out and watched after each epoch.
        patience: epochs without a better validation accuracy after which the float epochs end early.
        energy: what the network may cost: a share of its ANN's energy as a number, or an :class:`Energy`; None is no
            limit. It holds in the float and in the integer epochs.
        rate: weight in the loss of the mean spike per neuron and timestep, 0 .. 1: the plain penalty of firing rates,
            which knows no prices.
        distill: how a teacher's answers count, who is given to the training (:func:`lava_mlsnn.train.fit`); None is no
            teacher. They count in the float and in the integer epochs.

    Raises:
        ValueError: names the field, its value and what is accepted.

    Example:
        >>> Recipe(epochs=20).total_epochs
        26
        >>> Recipe(energy=0.3).energy
        Energy(share=0.3, joules=None, weight=None)
        >>> Recipe(batch=0)
        Traceback (most recent call last):
        ValueError: batch: expected an integer >= 1, got 0
    """

    epochs: int = 24
    quantized_epochs: int = 6
    weight_bits: int = 8
    batch: int = 32
    optimizer: Optimizer = field(default_factory=Optimizer)
    schedule: Schedule = field(default_factory=Schedule)
    augment: Augment = field(default_factory=Augment)
    label_smoothing: float = 0.0
    mixup: float = 0.0
    clip: float | None = None
    quantized_clip: float | None = 1.0
    validation: float = 0.0
    patience: int | None = None
    energy: Energy | float | None = None
    rate: float = 0.0
    distill: Distill | None = None

    def __post_init__(self) -> None:
        set_integers(self, epochs=(1,), quantized_epochs=(0,), batch=(1,), weight_bits=(2, 8))
        finite(self.label_smoothing, "label_smoothing", low=0, below=1)
        finite(self.mixup, "mixup", low=0)
        finite(self.validation, "validation", low=0, below=1)
        finite(self.rate, "rate", low=0)
        if self.energy is not None and not isinstance(self.energy, Energy):
            object.__setattr__(self, "energy", Energy(share=self.energy))
        if self.distill is not None:
            instance(self.distill, Distill, "distill")
        for name in ("clip", "quantized_clip"):
            if getattr(self, name) is not None:
                finite(getattr(self, name), name, positive=True)
        if self.patience is not None:
            set_integers(self, patience=(1,))
            if not self.validation:
                raise ValueError("patience needs validation > 0: expected a share of the training images to watch")

    @property
    def total_epochs(self) -> int:
        """Float and quantized epochs together."""
        return self.epochs + self.quantized_epochs

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready content; :meth:`from_dict` reads it back."""
        content = asdict(self)
        content["schedule"]["at"] = list(self.schedule.at)
        return content

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Recipe:
        """Inverse of :meth:`to_dict`; ValueError for a key that is not one of a recipe."""
        nested = {
            "optimizer": Optimizer,
            "schedule": Schedule,
            "augment": Augment,
            "energy": Energy,
            "distill": Distill,
        }
        values = {
            key: _build(nested[key], value) if key in nested and isinstance(value, dict) else value
            for key, value in content.items()
        }
        return _build(cls, values)


def set_integers(frozen: Any, **limits: tuple[int, ...]) -> None:
    """Replace fields of a frozen dataclass by the ints that they are, 3.0 by 3; limits as of :func:`integer`."""
    for name, ends in limits.items():
        object.__setattr__(frozen, name, integer(getattr(frozen, name), name, *ends))


def _build(kind: Any, values: dict[str, Any]) -> Any:
    known = [f.name for f in fields(kind)]
    for key in values:
        choice(key, f"{kind.__name__} field", known)
    return kind(**values)


def changed(content: Mapping[str, Any]) -> dict[str, Any]:
    """Entries of a recipe's dictionary that are not at their defaults, nested ones too, JSON-ready.

    What trainings and studies are known by: a field that a later version adds leaves it as it is.

    Example:
        >>> changed({**Recipe(batch=3, optimizer=Optimizer(lr=1.0)).to_dict(), "distill": None})
        {'batch': 3, 'optimizer': {'lr': 1.0}}
    """
    plain, defaults = (json.loads(json.dumps(one)) for one in (content, Recipe().to_dict()))
    return _changed(plain, defaults)


def _changed(values: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for name, value in values.items():
        default = defaults.get(name)
        if isinstance(value, Mapping) and isinstance(default, Mapping):
            value, default = _changed(value, default), {}
        if value != default:
            found[name] = value
    return found
