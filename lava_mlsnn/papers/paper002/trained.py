"""S-ResNets of paper 002's items: sizes, recipe, and how they are trained and kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..findings import Spread
from ..lab import Job, Lab, Outcome
from ..request import Request

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


def train_all(request: Request, chosen: Mapping[str, Any]) -> tuple[Outcome, ...]:
    """One network per seed."""
    return tuple(trained(request, chosen, seed) for seed in request.seeds)


def trained(
    request: Request,
    chosen: Mapping[str, Any],
    seed: int,
    dataset: Dataset | None = None,
    start: Outcome | None = None,
) -> Outcome:
    """Read, or trained and measured with float weights; on other data than the request's, and from other weights."""
    lab = Lab(dataset or request.dataset(int(chosen["steps"])), recipe(request), request.out, request.progress)
    first = None if start is None else start.kept
    return lab.run(Job("s_resnet38", chosen, seed, floats=True, counted=False, start=first))


def spread(networks: tuple[Outcome, ...]) -> Spread:
    """Accuracy over seeds."""
    return Spread.of(network.accuracy for network in networks)


def told(request: Request) -> str:
    """What was trained, for the notes."""
    plan, dataset = recipe(request), request.dataset()
    how = ", ".join(f"{k} {v}" for k, v in QUICK.items()) if request.quick else "the paper's sizes"
    return (
        f"S-ResNets with {how} unless a row says otherwise; {plan.epochs} epochs with float weights on {dataset.name}; "
        f"accuracies on {len(dataset.test_labels)} test images, mean and standard deviation over {len(request.seeds)} "
        "seed(s)."
    )
