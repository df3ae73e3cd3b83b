"""Table 4, Fig. 5 and Table 6: what windows, projections and cells do to the accuracy, on stand-ins or on CIFAR-10."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from .. import draw as drawing
from ..findings import Findings, Relation, Spread, better
from ..lab import Job
from ..request import Request

CNN, RNN = "window_cnn12", "window_lstm12"


@dataclass(frozen=True)
class Networks:
    """Sizes of what a preset trains; empty options are the paper's."""

    options: Mapping[str, Any]
    thetas: tuple[float, ...]


SMALL = Networks({"width": 8, "stages": ("wFw", "wF")}, (0.1, 0.5, 0.9))
FULL = Networks({}, (0.1, 0.3, 0.5, 0.7, 0.9))

TABLE_4 = {
    CNN: {
        "g = 1": 91.80,
        "normal, g = 2": 92.15,
        "normal, g = 4": 92.28,
        "dilated, g = 2": 92.78,
        "dilated, g = 4": 93.13,
    },
    RNN: {
        "g = 1": 90.37,
        "normal, g = 2": 90.02,
        "normal, g = 4": 90.58,
        "dilated, g = 2": 91.82,
        "dilated, g = 4": 92.58,
    },
}
"""CIFAR-10, percent."""

WINDOWS: dict[str, dict[str, Any]] = {
    "g = 1": {"groups": 1, "dilated": False},
    "normal, g = 2": {"groups": 2, "dilated": False},
    "normal, g = 4": {"groups": 4, "dilated": False},
    "dilated, g = 2": {"groups": 2, "dilated": True},
    "dilated, g = 4": {"groups": 4, "dilated": True},
}

TABLE_6 = {"mlp": 84.32, "rnn": 88.32, "birnn": 89.71, "gru": 91.66, "lstm": 92.68}
"""CIFAR-10, percent; LSTM from Table 1."""


def table4(request: Request) -> Findings:
    """Groups 1, 2 and 4, normal and dilated, for both networks."""
    found = {
        name: {label: _accuracy(request, name, options) for label, options in WINDOWS.items()} for name in (CNN, RNN)
    }
    relations = []
    for name, spreads in found.items():
        dilated, normal, plain = (spreads[key] for key in ("dilated, g = 4", "normal, g = 4", "g = 1"))
        relations.append(
            better(f"{name}: dilated windows beat normal ones (g = 4)", ("dilated", "normal"), dilated, normal)
        )
        relations.append(better(f"{name}: four dilated windows beat one group", ("g = 4", "g = 1"), dilated, plain))
    rows = [
        {"network": name, "windows": label, "accuracy": value, "seed": seed, "paper_percent": TABLE_4[name][label]}
        for name, spreads in found.items()
        for label, spread in spreads.items()
        for seed, value in zip(request.seeds, spread.values, strict=True)
    ]
    shown = pd.DataFrame(
        [
            {
                "windows": label,
                **{
                    key: value
                    for name in (CNN, RNN)
                    for key, value in (
                        (name, found[name][label].percent()),
                        (f"paper, {name}", f"{TABLE_4[name][label]} %"),
                    )
                },
            }
            for label in WINDOWS
        ]
    )
    return _findings(request, "Table 4: groups, normal and dilated windows", rows, shown, found, relations)


def fig5(request: Request) -> Findings:
    """Projection functions (a), and theta (b, c)."""
    kinds = {
        "none": {"fusion": "none"},
        "one direction": {"fusion": "group"},
        "sum": {"fusion": "sum"},
        "relu": {"fusion": "relu"},
        "sigmoid": {"fusion": "sigmoid"},
        "tanh": {"fusion": "tanh"},
        "omega": {"fusion": "omega"},
    }
    a = {label: _accuracy(request, CNN, options) for label, options in kinds.items()}
    thetas = _networks(request).thetas
    b = {
        name: {f"theta = {theta}": _accuracy(request, name, {"fusion": "omega", "theta": theta}) for theta in thetas}
        for name in (CNN, RNN)
    }
    best = max((label for label in a if label != "omega"), key=lambda label: a[label].mean)
    relations = [better("the projection is the best function (Fig. 5a)", ("omega", best), a["omega"], a[best])]
    for name, spreads in b.items():
        top = max((label for label in spreads if label != "theta = 0.5"), key=lambda label: spreads[label].mean)
        claim = f"{name}: theta = 0.5 is best (Fig. 5b, c)"
        relations.append(better(claim, ("theta = 0.5", top), spreads["theta = 0.5"], spreads[top]))
    found = {f"{CNN}, functions": a, **{f"{name}, theta": spreads for name, spreads in b.items()}}
    rows = [
        {"panel": panel, "projection": label, "accuracy": value, "seed": seed}
        for panel, spreads in found.items()
        for label, spread in spreads.items()
        for seed, value in zip(request.seeds, spread.values, strict=True)
    ]
    shown = pd.DataFrame(
        [
            {"panel": panel, "projection": label, "accuracy": spread.percent()}
            for panel, spreads in found.items()
            for label, spread in spreads.items()
        ]
    )
    return _findings(request, "Fig. 5: projection functions and theta", rows, shown, found, relations)


def table6(request: Request) -> Findings:
    """Cells of the recurrent mixer."""
    spreads = {cell: _accuracy(request, RNN, {"cell": cell}) for cell in TABLE_6}
    others = {cell: spread for cell, spread in spreads.items() if cell != "lstm"}
    best = max(others, key=lambda cell: others[cell].mean)
    relations = [
        better("LSTM is the best cell (appendix 5.3)", ("lstm", best), spreads["lstm"], spreads[best]),
        better("recurrence beats the perceptron (Table 6)", ("rnn", "mlp"), spreads["rnn"], spreads["mlp"]),
    ]
    rows = [
        {"cell": cell, "accuracy": value, "seed": seed, "paper_percent": TABLE_6[cell]}
        for cell, spread in spreads.items()
        for seed, value in zip(request.seeds, spread.values, strict=True)
    ]
    shown = pd.DataFrame(
        [
            {"cell": cell, "accuracy": spread.percent(), "paper, CIFAR-10": f"{TABLE_6[cell]} %"}
            for cell, spread in spreads.items()
        ]
    )
    return _findings(request, "Table 6: recurrent cells", rows, shown, {"cells": spreads}, relations)


def _networks(request: Request) -> Networks:
    return SMALL if request.quick else FULL


def _accuracy(request: Request, name: str, options: Mapping[str, Any]) -> Spread:
    """Of the float model on the test images, over seeds; binary spikes as in the paper."""
    chosen = request.but(recipe=request.recipe or ("digits-windows" if request.quick else "paper004"))
    everything = {"levels": 1, "steps": 1, **_networks(request).options, **options}
    jobs = [Job(name, everything, seed, floats=True) for seed in request.seeds]
    lab = chosen.lab(1)
    return Spread.of(lab.run(job).accuracy for job in jobs)


def _findings(
    request: Request,
    title: str,
    rows: list[dict[str, Any]],
    shown: pd.DataFrame,
    groups: Mapping[str, Mapping[str, Spread]],
    relations: list[Relation],
) -> Findings:
    dataset = request.dataset()

    def draw(figure: Any) -> None:
        panels = figure.subplots(1, len(groups), squeeze=False)[0]
        for axes, (name, spreads) in zip(panels, groups.items(), strict=True):
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
        pd.DataFrame(rows),
        draw,
        {"Accuracy": shown},
        tuple(relations),
        (
            f"{size}, binary spikes, one timestep, float weights (the float model): projections and gates have no "
            f"integers. One of the {len(dataset.test_labels)} test images is {100 / len(dataset.test_labels):.2f} "
            "points. The paper's accuracies are of CIFAR-10.",
        ),
        size=(4.2 * len(groups), 4.4),
    )
