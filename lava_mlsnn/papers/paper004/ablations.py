"""Table 4, Fig. 5 and Table 6 of [Yao2023]: accuracy with different windows, projections and recurrent cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import draw as drawing
from ..findings import Findings, Relation, Spread, better
from ..lab import Job, accuracy
from ..request import Request
from ..table import SEEDED, beside, per_seed, printed, seeded

if TYPE_CHECKING:
    import pandas as pd

    from ...data import Dataset
    from ...train import Recipe

CNN, RNN = "window_cnn12", "window_lstm12"

UNLIKE = (
    "Unlike the paper's (appendix 5.2), the recipes have no dropout (0.1), no augmentation splits (2 to 6), no noise "
    "of the learning rate (0.67) and no normalization of the channels."
)


@dataclass(frozen=True)
class Networks:
    """Sizes of what a preset trains; empty options are the paper's."""

    options: Mapping[str, Any]
    thetas: tuple[float, ...]


SMALL = Networks({"width": 16, "stages": ("wFw", "wF")}, (0.1, 0.5, 0.9))
"""At width 8 the recurrent networks underfit: 68 to 75 % of the training digits, 89 to 92 % at 16."""

QUICK_ROWS, QUICK_IMAGES = 16, 10_000
"""Images that are larger are shrunk to so many rows in quick runs, and so many of them are trained on."""

FULL = Networks({}, (0.1, 0.3, 0.5, 0.7, 0.9))

WINDOWS: dict[str, tuple[dict[str, Any], float, float]] = {
    "g = 1": ({"groups": 1, "dilated": False}, 91.80, 90.37),
    "normal, g = 2": ({"groups": 2, "dilated": False}, 92.15, 90.02),
    "normal, g = 4": ({"groups": 4, "dilated": False}, 92.28, 90.58),
    "dilated, g = 2": ({"groups": 2, "dilated": True}, 92.78, 91.82),
    "dilated, g = 4": ({"groups": 4, "dilated": True}, 93.13, 92.58),
}
"""Table 4: options, and the accuracy of both networks on CIFAR-10 in percent."""

TABLE_4 = {network: {label: row[1 + i] for label, row in WINDOWS.items()} for i, network in enumerate((CNN, RNN))}

TABLE_6 = {"mlp": 84.32, "rnn": 88.32, "birnn": 89.71, "gru": 91.66, "lstm": 92.68}
"""CIFAR-10, percent; LSTM from Table 1."""


def table4(request: Request) -> Findings:
    """Groups 1, 2 and 4, normal and dilated, for both networks."""
    found = {name: {label: _accuracy(request, name, WINDOWS[label][0]) for label in WINDOWS} for name in (CNN, RNN)}
    relations = []
    for name, spreads in found.items():
        dilated, normal, plain = (spreads[key] for key in ("dilated, g = 4", "normal, g = 4", "g = 1"))
        relations += [
            better(f"{name}: dilated windows beat normal ones (g = 4)", ("dilated", "normal"), dilated, normal),
            better(f"{name}: four dilated windows beat one group", ("g = 4", "g = 1"), dilated, plain),
        ]
    columns: dict[str, Any] = {"windows": str}
    for name, spreads in found.items():
        columns |= {name: spreads, f"paper, {name}": printed(TABLE_4[name], "{} %")}
    paper = {"paper_percent": lambda key, _: TABLE_4[key[0]][key[1]]}
    title = "Table 4: groups, normal and dilated windows"
    return _findings(request, title, ("network", "windows"), found, beside(WINDOWS, columns), relations, paper)


def fig5(request: Request) -> Findings:
    """Projection functions (a), and theta (b, c)."""
    kinds = {"none": "none", "one direction": "group"} | {k: k for k in ("sum", "relu", "sigmoid", "tanh", "omega")}
    a = {label: _accuracy(request, CNN, {"fusion": fusion}) for label, fusion in kinds.items()}
    thetas = _networks(request).thetas
    b = {
        name: {f"theta = {theta}": _accuracy(request, name, {"fusion": "omega", "theta": theta}) for theta in thetas}
        for name in (CNN, RNN)
    }
    relations = [_best("the projection is the best function (Fig. 5a)", "omega", a)]
    relations += [_best(f"{name}: theta = 0.5 is best (Fig. 5b, c)", "theta = 0.5", b[name]) for name in b]
    found = {f"{CNN}, functions": a, **{f"{name}, theta": spreads for name, spreads in b.items()}}
    keys = {(panel, label): found[panel][label] for panel in found for label in found[panel]}
    columns = {"panel": lambda key: key[0], "projection": lambda key: key[1], "accuracy": keys}
    title = "Fig. 5: projection functions and theta"
    return _findings(request, title, ("panel", "projection"), found, beside(keys, columns), relations)


def table6(request: Request) -> Findings:
    """Cells of the recurrent mixer."""
    spreads = {cell: _accuracy(request, RNN, {"cell": cell}) for cell in TABLE_6}
    relations = [
        _best("LSTM is the best cell (appendix 5.3)", "lstm", spreads),
        better("recurrence beats the perceptron (Table 6)", ("rnn", "mlp"), spreads["rnn"], spreads["mlp"]),
    ]
    columns = {"cell": str, "accuracy": spreads, "paper, CIFAR-10": printed(TABLE_6, "{} %")}
    paper = {"paper_percent": lambda key, _: TABLE_6[key[1]]}
    title, found = "Table 6: recurrent cells", {"cells": spreads}
    return _findings(request, title, ("", "cell"), found, beside(spreads, columns), relations, paper)


def _best(claim: str, mine: str, spreads: Mapping[str, Spread]) -> Relation:
    """That one accuracy is above the best of the others."""
    other = max((label for label in spreads if label != mine), key=lambda label: spreads[label].mean)
    return better(claim, (mine, other), spreads[mine], spreads[other])


def _networks(request: Request) -> Networks:
    return SMALL if request.quick else FULL


def _images(request: Request) -> Dataset:
    return request.smaller(QUICK_ROWS, QUICK_IMAGES)


def _recipe(request: Request) -> Recipe:
    return request.recipe_for(request.dataset(), "digits-windows" if request.quick else "paper004")


def _accuracy(request: Request, name: str, options: Mapping[str, Any]) -> Spread:
    """Of the float model on the test images, over seeds; binary spikes as in the paper."""
    everything = {"levels": 1, "steps": 1, **_networks(request).options, **options}
    lab = request.lab(1, _images(request), _recipe(request))
    return accuracy(lab.run(Job(name, everything, seed, floats=True)) for seed in request.seeds)


def _findings(
    request: Request,
    title: str,
    names: tuple[str, str],
    found: Mapping[str, Mapping[str, Spread]],
    shown: pd.DataFrame,
    relations: list[Relation],
    more: Mapping[str, Any] | None = None,
) -> Findings:
    """One panel per group; ``names`` are heads of the CSV for group and variant, "" for none."""
    dataset, recipe = _images(request), _recipe(request)
    pairs = {(group, label): seeded(request.seeds, found[group][label]) for group in found for label in found[group]}
    heads: dict[str, Any] = {name: lambda key, _, i=i: key[i] for i, name in enumerate(names) if name}
    rows = per_seed(pairs, {**heads, "accuracy": SEEDED["accuracy"], "seed": SEEDED["seed"], **(more or {})})

    def draw(figure: Any) -> None:
        panels = figure.subplots(1, len(found), squeeze=False)[0]
        for axes, (name, spreads) in zip(panels, found.items(), strict=True):
            drawing.bars(axes, [label.replace(", ", "\n") for label in spreads], {name: list(spreads.values())}, 0.01)
            axes.tick_params("x", labelrotation=45)
            axes.set(ylabel="accuracy / %")

    sizes = _networks(request).options
    size = (
        "The paper's layout and width"
        if not sizes
        else f"Small networks ({', '.join(f'{k} {v}' for k, v in sizes.items())})"
    )
    return Findings(
        f"{title}, on {dataset.name}",
        rows,
        draw,
        {"Accuracy": shown},
        relations,
        (
            f"{size}, binary spikes, one timestep, float weights (the float model): the projection and the cells "
            f"as printed have no integers. One of the {len(dataset.test_labels)} test images is "
            f"{100 / len(dataset.test_labels):.2f} points. {recipe.total_epochs} epochs on "
            f"{len(dataset.train_labels)} training images. The paper's accuracies are of CIFAR-10.",
            UNLIKE,
        ),
        size=(4.2 * len(found), 4.4),
    )
