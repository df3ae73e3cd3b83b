"""S-ResNets of the items of [VicenteSola2022]: sizes, recipe, and the table of their accuracies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .. import draw as drawing
from ..findings import Findings, Relation, Spread
from ..lab import Job, Outcome
from ..request import Request
from ..table import ORIENTATION, SEEDED, beside, per_seed, printed, seeded

if TYPE_CHECKING:
    from ...data import Dataset
    from ...train import Recipe

QUICK = {"levels": 1, "steps": 2, "width": 6, "blocks": (2, 2, 2)}
"""For stand-ins on a small machine."""

FULL = {"levels": 1, "steps": 50}
"""The paper's; width 16 and six blocks per stage unless a row says otherwise."""

QUICK_EPOCHS = 6


def recipe(request: Request) -> Recipe:
    """Six epochs of the digits' recipe, or the paper's."""
    from ... import train

    name = request.recipe or ("digits-leaky" if request.quick else "paper002")
    epochs = request.epochs or (QUICK_EPOCHS if request.quick else None)
    found = train.recipe(name, epochs=epochs, quantized_epochs=request.quantized_epochs or 0)
    return replace(found, batch=64) if request.quick and request.recipe is None else found


def options(request: Request, quick: Mapping[str, Any], full: Mapping[str, Any]) -> dict[str, Any]:
    """Of a network: what all have, and what this one is about."""
    return {**QUICK, **quick} if request.quick else {**FULL, "blocks": (6, 6, 6), **full}


def trained(
    request: Request,
    chosen: Mapping[str, Any],
    dataset: Dataset | None = None,
    starts: Sequence[Outcome | None] | None = None,
) -> tuple[Outcome, ...]:
    """One network per seed, measured with float weights; on other data than the request's, and from other weights."""
    lab = request.lab(int(chosen["steps"]), dataset, recipe(request))
    return tuple(
        lab.run(Job("s_resnet38", chosen, seed, floats=True, counted=False, start=start.kept if start else None))
        for seed, start in zip(request.seeds, starts or [None] * len(request.seeds), strict=True)
    )


def spread(networks: Sequence[Outcome]) -> Spread:
    """Accuracy over seeds."""
    return Spread.of(network.accuracy for network in networks)


def note(request: Request) -> str:
    """What was trained, for the notes."""
    plan, dataset = recipe(request), request.dataset()
    how = ", ".join(f"{k} {v}" for k, v in QUICK.items()) if request.quick else "the paper's sizes"
    return (
        f"S-ResNets with {how} unless a row says otherwise; {plan.epochs} epochs with float weights on {dataset.name}; "
        f"accuracies on {len(dataset.test_labels)} test images, mean and standard deviation over {len(request.seeds)} "
        "seed(s)."
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
    here, printed_on = here or request.dataset().name, f"paper, {data}"
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
