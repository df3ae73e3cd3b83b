"""Tables 1 and 2 of [Castagnetti2025]: accuracy in one timestep."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import prod
from typing import TYPE_CHECKING, Any

from .. import draw as drawing
from ..findings import Findings, Spread, as_accurate
from ..lab import Outcome
from ..lab import accuracy as accuracy_of
from ..request import Request
from ..table import ACCURACIES, ORIENTATION, SEED, beside, per_seed, printed
from . import published, setting
from .setting import SEW, SPARSE, TITLES, VGG

if TYPE_CHECKING:
    import pandas as pd

CIFAR = {"in_shape": (3, 32, 32), "num_classes": 10, "levels": 4, "steps": 1}


def table1(request: Request) -> Findings:
    """N = 4, T = 1."""
    found = {VGG: setting.vgg(request, 4, 1), **{name: setting.residual(request, name, 4) for name in (SEW, SPARSE)}}
    columns = {
        "parameters here": lambda name: f"{found[name][0].record['parameters']:,}",
        **{f"paper, {data}": printed(values) for data, values in published.TABLE_1.items()},
        "parameters at full width (CIFAR-10)": lambda name: f"{parameters(name):,}",
    }
    return _findings(
        request,
        "Table 1: accuracy in one timestep, N = 4",
        found,
        published.TABLE_1["CIFAR-10"],
        columns,
        ("Sparse-ResNet has the accuracy of SEW-ResNet (section 5.4)", {"Sparse": SPARSE, "SEW": SEW}),
        (ORIENTATION,) if request.quick else (),
        label=f"{request.dataset().name}, T = 1, N = 4",
        others={f"As printed, {data}": rows for data, rows in published.OTHERS_1.items()},
    )


def table2(request: Request) -> Findings:
    """N = 10, T = 1, and VGG16 with T = 10, N = 1 (section 6.2)."""
    from ... import data

    graded, binary, sparse = names = (
        f"{TITLES[VGG]}, T = 1, N = 10",
        f"{TITLES[VGG]}, T = 10, N = 1",
        f"{TITLES[SPARSE]}, T = 1, N = 10",
    )
    found = {
        graded: setting.vgg(request, 10, 1),
        binary: setting.vgg(request, 1, 10),
        sparse: setting.residual(request, SPARSE, 10),
    }
    values = (published.TABLE_2[VGG], published.TABLE_2_BINARY[VGG], published.TABLE_2[SPARSE])
    paper = dict(zip(names, values, strict=True))
    still = (
        f"{request.dataset().name} are still images, shown again at each step: this exercises the command, it says "
        "nothing of event data."
    )
    return _findings(
        request,
        "Table 2: ten levels in one timestep",
        found,
        paper,
        {"paper, CIFAR10-DVS": printed(paper)},
        (
            "VGG16 with N = 10 in one timestep reaches what ten timesteps of binary spikes reach (section 6.2)",
            {"N = 10": graded, "T = 10": binary},
        ),
        () if data.has_frames(request.data) else (still,),
        others={"As printed, CIFAR10-DVS": published.OTHERS_2},
    )


def _findings(
    request: Request,
    title: str,
    found: Mapping[str, tuple[Outcome, ...]],
    paper: Mapping[str, float],
    columns: Mapping[str, Any],
    equal: tuple[str, Mapping[str, str]],
    notes: tuple[str, ...],
    label: str | None = None,
    others: Mapping[str, Iterable[tuple[Any, ...]]] | None = None,
) -> Findings:
    """Accuracies beside the paper's, the claim that two of them are equal, and what it prints of others."""
    here = request.dataset().name
    spreads = {name: accuracy_of(outcomes) for name, outcomes in found.items()}
    claim, ((first, one), (second, other)) = equal[0], equal[1].items()
    rows = {"parameters": lambda _, outcome: outcome.record["parameters"], "paper": paper}
    return Findings(
        f"{title}, on {here}",
        per_seed(found, {"network": lambda name, _: name, **SEED, **ACCURACIES, **rows}),
        _drawer(label or here, spreads),
        {
            "Accuracy": beside(
                found, {"network": lambda n: TITLES.get(n, n), f"accuracy on {here}": spreads, **columns}
            ),
            **{caption: _printed(rows) for caption, rows in (others or {}).items()},
        },
        (as_accurate(claim, (first, second), spreads[one], spreads[other]),),
        (setting.note(request), *notes),
    )


def _printed(rows: Iterable[tuple[Any, ...]]) -> pd.DataFrame:
    """Rows of others; none of their networks is trained here."""
    import pandas as pd

    heads = ("method", "type", "neuron", "architecture", "timesteps", "accuracy")
    return pd.DataFrame([dict(zip(heads, (*row[:-1], f"{row[-1]:.2%}"), strict=True)) for row in rows])


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


def _drawer(label: str, spreads: Mapping[str, Spread]) -> Any:
    def draw(figure: Any) -> None:
        axes = figure.subplots()
        drawing.bars(axes, list(spreads), {label: list(spreads.values())}, scale=0.01)
        low = min(s.mean - (s.std if s.std == s.std else 0) for s in spreads.values())
        axes.set(ylabel="accuracy in %", ylim=(max(0.0, 100 * low - 3), 100.5))

    return draw
