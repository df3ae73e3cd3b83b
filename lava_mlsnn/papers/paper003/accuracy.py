"""Tables 1, 2 and 3 of [Castagnetti2023]: accuracy and sparsity of networks with trained thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ...analysis import sparsity
from .. import draw as drawing
from ..findings import Findings, Relation, Spread, better
from ..lab import Job
from ..request import Request
from ..table import SEED, beside, per_seed

STEPS = 4
NEURONS: dict[str, Any] = {
    "fixed Vth": "multilevel",
    "ATIF-u": {"kind": "atif", "mode": "uniform"},
    "ATIF-nu": {"kind": "atif", "mode": "nonuniform"},
    "ATIF-nu, printed": {"kind": "atif", "mode": "nonuniform", "schedule": "printed"},
}
TITLES = {"vgg16": "VGG-16", "sew_resnet18": "ResNet-18"}


@dataclass(frozen=True)
class Table:
    """What a table compares on which data, and (network, neuron) -> accuracy and theta as printed."""

    models: tuple[str, ...]
    neurons: tuple[str, ...]
    data: str
    paper: Mapping[tuple[str, str], tuple[float, float]]


VGG, RESNET = TITLES
TABLES = {
    1: Table(
        (VGG, RESNET),
        ("ATIF-u", "ATIF-nu"),
        "CIFAR-10",
        {
            (VGG, "ATIF-u"): (0.9251, 0.111),
            (RESNET, "ATIF-u"): (0.9384, 0.113),
            (VGG, "ATIF-nu"): (0.9313, 0.129),
            (RESNET, "ATIF-nu"): (0.9465, 0.148),
        },
    ),
    2: Table(
        (RESNET,),
        ("ATIF-u", "ATIF-nu"),
        "GSC v2",
        {(RESNET, "ATIF-u"): (0.9431, 0.12), (RESNET, "ATIF-nu"): (0.9429, 0.12)},
    ),
    3: Table(
        (RESNET,),
        tuple(NEURONS),
        "CIFAR-10",
        {
            (RESNET, "fixed Vth"): (0.8968, 0.17),
            (RESNET, "ATIF-u"): (0.9384, 0.113),
            (RESNET, "ATIF-nu"): (0.9465, 0.148),
        },
    ),
}
"""By number."""

RECIPES = {"speech": "paper003-speech"}

SMALL: Mapping[str, Mapping[str, Any]] = {
    "vgg16": {"width": 8, "blocks": (1, 1), "hidden": (32,)},
    "sew_resnet18": {"width": 8, "blocks": (1, 1)},
}


def job(request: Request, model: str, neuron: str, seed: int) -> Job:
    """One training: T = 4, binary spikes."""
    sizes = SMALL[model] if request.quick else {}
    return Job(model, {"levels": 1, "steps": STEPS, "neuron": NEURONS[neuron], **sizes}, seed)


def table(request: Request, number: int) -> Findings:
    """Table 1: VGG16 and ResNet18; 2: ResNet18 on speech commands; 3: fixed and trained thresholds."""
    compared = TABLES[number]
    models, neurons, data, paper = compared.models, compared.neurons, compared.data, compared.paper
    if not request.quick and request.recipe is None:
        request = request.but(recipe=RECIPES.get(request.dataset().name, "paper003-cifar"))
    lab, here = request.lab(STEPS), request.dataset().name
    found = {
        (m, n): tuple(lab.run(job(request, m, n, seed)) for seed in request.seeds) for m in models for n in neurons
    }
    accuracy = {key: Spread.of(o.accuracy for o in outcomes) for key, outcomes in found.items()}
    sparse = {o: sparsity(o.graph(), o.activity()).mean for outcomes in found.values() for o in outcomes}
    theta = {key: Spread.of(sparse[o] for o in outcomes) for key, outcomes in found.items()}
    columns = {
        "network": lambda key: TITLES[key[0]],
        "neuron": lambda key: key[1],
        f"accuracy on {here}": accuracy,
        "theta": lambda key: _decimals(theta[key], 1),
        "spikes per neuron": lambda key: _decimals(theta[key], STEPS),
        f"paper, {data}": lambda key: f"{paper[key][0]:.2%}" if key in paper else "",
        "paper, theta": lambda key: f"{paper[key][1]:g}" if key in paper else "",
    }
    rows = {
        "network": lambda key, _: key[0],
        "neuron": lambda key, _: key[1],
        **SEED,
        "accuracy": lambda _, outcome: outcome.accuracy,
        "theta": lambda _, outcome: sparse[outcome],
    }
    claims = [
        Relation(
            f"{TITLES[m]}, {n}: less than one spike per neuron (section 4.2)",
            max(theta[m, n].values) * STEPS < 1,
            f"{STEPS * theta[m, n].mean:.2f}",
        )
        for m, n in found
    ]
    claims += [
        better(f"{TITLES[m]}: {more} is more accurate than {less}", (more, less), accuracy[m, more], accuracy[m, less])
        for m in models
        for less, more in pairwise(neurons[:3])
        if paper[m, more][0] > paper[m, less][0]  # on speech commands it is less by 0.02 points
    ]

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        groups = {n: [accuracy[m, n] for m in models] for n in neurons}
        drawing.bars(axes, [TITLES[m] for m in models], groups, scale=0.01)
        axes.set(ylabel="accuracy in %")

    return Findings(
        f"Table {number}: accuracy and sparsity with trained thresholds, T = {STEPS}, on {here}",
        per_seed(found, rows),
        draw,
        {"Accuracy of the integer networks and theta (Eq 20)": beside(found, columns)},
        claims,
        (
            "ResNet-18 is the SEW form, whose sums of spikes have no neuron; the paper does not name its form. "
            "Weights have 8 bits here, in the paper they are floats.",
        ),
    )


def _decimals(spread: Spread, factor: int) -> str:
    deviation = "" if len(spread.values) < 2 else f" ± {factor * spread.std:.3f}"
    return f"{factor * spread.mean:.3f}{deviation}"
