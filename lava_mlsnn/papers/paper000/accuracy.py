"""Tables 1 and 2: accuracy in one timestep, beside the paper's."""

from __future__ import annotations

from math import prod
from typing import Any

import pandas as pd

from .. import draw as drawing
from ..findings import Findings, Spread, within_noise
from ..lab import Outcome
from ..request import Request
from . import published, setting
from .setting import SEW, SPARSE, TITLES, VGG

CIFAR = {"in_shape": (3, 32, 32), "num_classes": 10, "levels": 4, "steps": 1}


def table1(request: Request) -> Findings:
    """N = 4, T = 1."""
    found = {VGG: setting.vgg(request, 4, 1), **{name: setting.residual(request, name, 4) for name in (SEW, SPARSE)}}
    spreads = {name: setting.accuracy(outcomes) for name, outcomes in found.items()}
    data = request.dataset().name
    printed = pd.DataFrame(
        [
            {
                "network": TITLES[name],
                f"accuracy on {data}": spreads[name].percent(),
                "parameters here": f"{found[name][0].record['parameters']:,}",
                **{f"paper, {d}": f"{values[name]:.2%}" for d, values in published.TABLE_1.items()},
                "parameters at full width (CIFAR-10)": f"{parameters(name):,}",
            }
            for name in found
        ]
    )
    return Findings(
        f"Table 1: accuracy in one timestep, N = 4, on {data}",
        _rows(found, {name: published.TABLE_1["CIFAR-10"][name] for name in found}),
        _drawer({f"{data}, T = 1, N = 4": spreads}),
        {"Accuracy": printed},
        (
            within_noise(
                "Sparse-ResNet has the accuracy of SEW-ResNet (section 5.4)",
                ("Sparse", "SEW"),
                spreads[SPARSE],
                spreads[SEW],
            ),
        ),
        (setting.told(request), "The paper's accuracies are of other data; they stand beside for orientation only.")
        if request.quick
        else (setting.told(request),),
    )


def table2(request: Request) -> Findings:
    """N = 10, T = 1, and VGG16 with T = 10, N = 1 (section 6.2)."""
    from ... import data as rooms

    found = {
        f"{TITLES[VGG]}, T = 1, N = 10": setting.vgg(request, 10, 1),
        f"{TITLES[VGG]}, T = 10, N = 1": setting.vgg(request, 1, 10),
        f"{TITLES[SPARSE]}, T = 1, N = 10": setting.residual(request, SPARSE, 10),
    }
    paper = dict(
        zip(
            found,
            (published.TABLE_2[VGG], published.TABLE_2_BINARY[VGG], published.TABLE_2[SPARSE]),
            strict=True,
        )
    )
    spreads = {name: setting.accuracy(outcomes) for name, outcomes in found.items()}
    data = request.dataset().name
    printed = pd.DataFrame(
        [
            {
                "network": name,
                f"accuracy on {data}": spreads[name].percent(),
                "paper, CIFAR10-DVS": f"{paper[name]:.2%}",
            }
            for name in found
        ]
    )
    notes = [setting.told(request)]
    if not rooms.has_frames(request.data):
        notes.append(
            f"{data} are still images, shown again at each step: this exercises the command, it says nothing of "
            "event data."
        )
    names = list(found)
    return Findings(
        f"Table 2: ten levels in one timestep, on {data}",
        _rows(found, paper),
        _drawer({data: spreads}),
        {"Accuracy": printed},
        (
            within_noise(
                "VGG16 with N = 10 in one timestep reaches what ten timesteps of binary spikes reach (section 6.2)",
                ("N = 10", "T = 10"),
                spreads[names[0]],
                spreads[names[1]],
            ),
        ),
        notes,
    )


def parameters(name: str) -> int:
    """Trainable numbers of the paper's network for CIFAR-10 at full width.

    Example:
        >>> parameters("sew_resnet18") == parameters("sparse_resnet18")
        True
    """
    import torch

    from ... import model

    with torch.device("meta") if name != VGG else torch.device("cpu"):
        net = model.create(name, **CIFAR)
    return sum(prod(p.shape) for p in net.parameters())


def _rows(found: dict[str, tuple[Outcome, ...]], paper: dict[str, float]) -> pd.DataFrame:
    rows = [
        {
            "network": name,
            "seed": outcome.job.seed,
            **{f"accuracy_{how}": value for how, value in outcome.record["accuracy"].items()},
            "parameters": outcome.record["parameters"],
            "paper": paper[name],
        }
        for name, outcomes in found.items()
        for outcome in outcomes
    ]
    return pd.DataFrame(rows)


def _drawer(groups: dict[str, dict[str, Spread]]) -> Any:
    def draw(figure: Any) -> None:
        axes = figure.subplots()
        names = list(next(iter(groups.values())))
        drawing.bars(axes, names, {k: [v[n] for n in names] for k, v in groups.items()}, scale=0.01)
        low = min(s.mean - (s.std if s.std == s.std else 0) for v in groups.values() for s in v.values())
        axes.set(ylabel="accuracy in %", ylim=(max(0.0, 100 * low - 3), 100.5))

    return draw
