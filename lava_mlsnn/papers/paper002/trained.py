"""S-ResNets of the items of [VicenteSola2022]: sizes, recipe, and the table of their accuracies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .. import draw as drawing
from ..findings import Findings, Relation, Spread
from ..lab import Job, Outcome, accuracy
from ..request import Request
from ..table import ORIENTATION, SEEDED, beside, per_seed, printed, seeded

if TYPE_CHECKING:
    from ...data import Dataset
    from ...train import Recipe

QUICK = {"levels": 1, "steps": 50, "width": 6, "blocks": (2, 2, 2)}
"""For stand-ins on a small machine; T is the paper's, as its surrogate's scale of 0.3 fits no other."""

QUICK_WIDER = {"width": 12}

FULL = {"levels": 1, "steps": 50, "width": 16, "blocks": (6, 6, 6)}
"""The paper's, unless a row says otherwise."""

WIDER = {"width": 32}

QUICK_EPOCHS, FULL_EPOCHS = 6, 70

QUICK_ROWS, QUICK_IMAGES = 14, 20_000
"""Images that are larger are shrunk to so many rows, and so many of them are trained on."""


def images(request: Request, steps: int = 1) -> Dataset:
    """The request's data; for quick runs shrunk, and a part of the training images."""
    return request.smaller(QUICK_ROWS, QUICK_IMAGES, steps)


def recipe(request: Request, epochs: int = FULL_EPOCHS, at: tuple[float, ...] | None = None) -> Recipe:
    """The digits' recipe for a few epochs, or the paper's.

    Args:
        request: which of the two; its ``epochs`` come before those printed.
        epochs: printed for this network. Quick runs have as large a part of their few.
        at: milestones of the learning rate, in full runs; None for those of section 3.5.
    """
    from ... import train

    name = request.recipe or ("digits-leaky" if request.quick else "paper002")
    if request.quick:
        epochs = max(1, round((request.epochs or QUICK_EPOCHS) * min(1.0, epochs / FULL_EPOCHS)))
    else:
        epochs = request.epochs or epochs
    found = train.recipe(name, epochs=epochs, quantized_epochs=request.quantized_epochs or 0)
    if at is not None and found.schedule.name == "milestones":
        found = replace(found, schedule=replace(found.schedule, at=at))
    return replace(found, batch=64) if request.quick and request.recipe is None else found


def options(request: Request, quick: Mapping[str, Any], full: Mapping[str, Any]) -> dict[str, Any]:
    """Of a network: what all have, and what this one is about."""
    chosen = {**QUICK, **quick} if request.quick else {**FULL, **full}
    if request.steps is not None:
        chosen["steps"] = request.steps
    return chosen if request.alpha is None else {**chosen, "alpha": request.alpha}


def steps(request: Request, share: float = 1.0) -> int:
    """A share of the T that the request's networks have."""
    return max(1, round(share * int(options(request, {}, {})["steps"])))


def trained(
    request: Request,
    chosen: Mapping[str, Any],
    dataset: Dataset | None = None,
    starts: Sequence[Outcome | None] | None = None,
    epochs: int = FULL_EPOCHS,
    at: tuple[float, ...] | None = None,
) -> tuple[Outcome, ...]:
    """One network per seed, measured with float weights; on other data than the request's, and from other weights.

    Rows of several tables are one network, of which one writes out what another leaves at its default: options at
    their defaults are dropped but for sizes, so that it is trained once.
    """
    from ...model.registry import arguments

    default, count = arguments("s_resnet38"), int(chosen["steps"])
    chosen = {name: value for name, value in chosen.items() if name in QUICK or value != default[name]}
    lab = request.lab(count, dataset or images(request, count), recipe(request, epochs, at))
    return tuple(
        lab.run(Job("s_resnet38", chosen, seed, floats=True, counted=False, start=start.kept if start else None))
        for seed, start in zip(request.seeds, starts or [None] * len(request.seeds), strict=True)
    )


def spread(networks: Sequence[Outcome]) -> Spread:
    """Accuracy over seeds."""
    return accuracy(networks)


def note(request: Request) -> str:
    """What was trained, for the notes."""
    dataset = images(request)
    chosen = options(request, {}, {})
    how = ", ".join(f"{name} {value}" for name, value in {"alpha": 0.3, **chosen}.items())
    epochs = f"{recipe(request).epochs} epochs" if request.quick or request.epochs else "the printed number of epochs"
    return (
        f"S-ResNets with {how} unless a row says otherwise; {epochs} with float weights on {len(dataset.train_labels)} "
        f"training images of {dataset.name}; accuracies on {len(dataset.test_labels)} test images, mean and standard "
        f"deviation over {len(request.seeds)} seed(s)."
    )


def findings(
    request: Request,
    title: str,
    data: str,
    found: Mapping[str, Spread],
    paper: Mapping[str, float],
    relations: Sequence[Relation],
    here: str | None = None,
    notes: tuple[str, ...] = (),
) -> Findings:
    """A table of accuracies beside the paper's on ``data``; ``here`` names our data if they are not the request's."""
    here, printed_on = here or images(request).name, f"paper, {data}"
    rows = {"network": lambda name, _: name, **SEEDED, printed_on: paper}
    shown = {"network": str, f"accuracy on {here}": found, printed_on: printed(paper)}
    return Findings(
        f"{title}, on {here}",
        per_seed({name: seeded(request.seeds, spread) for name, spread in found.items()}, rows),
        lambda figure: drawing.bars(figure.subplots(), list(found), {here: list(found.values())}),
        {"Accuracy": beside(found, shown)},
        relations,
        (note(request), *notes, *([ORIENTATION] if request.quick else [])),
    )
