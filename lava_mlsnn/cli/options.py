"""Arguments and options that several commands share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

Net = Annotated[Path, typer.Argument(help="Network: a .net file (ours or stock NetX).", show_default=False)]
Data = Annotated[
    str,
    typer.Option(
        "--data",
        help="NAME[:PATH][,KEY=VALUE...], for example fashion-mnist or cifar10dvs:/data/dvs,size=64 (mlsnn data list "
        "shows the names); or one's own: FILE.npz with images, labels and maybe split, a folder of PNG or JPEG files "
        "per class, idx files, events:PATH with a folder of recordings per class.",
    ),
]
Json = Annotated[
    Path | None, typer.Option("--json", help="File of the results as JSON.", show_default="beside the network")
]
AlsoJson = Annotated[Path | None, typer.Option("--json", help="Also write the results as JSON.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="File.", show_default="beside the model or file")]
EnergyModel = Annotated[str, typer.Option("--model", help="lemaire, horowitz, loihi1 or loihi2_estimate.")]
Stock = Annotated[
    bool, typer.Option("--stock", help="Also with stock neurons only (T = 1): the price of needing no microcode.")
]

Levels = Annotated[int, typer.Option("--levels", "-N", help="Largest value of a spike; 1 is binary.")]
ModelOptions = Annotated[
    list[str] | None,
    typer.Option("--model-option", "-m", help="NAME=VALUE, an option of the architecture; may be repeated."),
]
Recipe = Annotated[
    str | None,
    typer.Option(
        help="How to train; an unknown name lists the known ones.", show_default="that of the data, or digits"
    ),
]
Epochs = Annotated[int | None, typer.Option(help="Epochs with float weights.", show_default="recipe")]
QuantizedEpochs = Annotated[
    int | None, typer.Option(help="Epochs with integer weights afterwards.", show_default="recipe")
]
Batch = Annotated[int | None, typer.Option(help="Images per step.", show_default="recipe")]
Seed = Annotated[int, typer.Option("--seed", help="Of weights, order and augmentation.", min=0)]
Threads = Annotated[
    int,
    typer.Option(
        min=0, help="Threads of torch; small nets are fastest and repeat exactly with 1; 0 is torch's choice."
    ),
]


def use_threads(count: int) -> None:
    """Have torch compute with ``count`` threads; 0 leaves it its choice."""
    import torch

    if count:
        torch.set_num_threads(count)


def beside(net: Path, ending: str) -> Path:
    """``x.net`` -> ``x.<ending>`` in the same folder."""
    return net.with_name(f"{net.name.removesuffix('.net')}.{ending}")


def key_values(items: list[str] | None, what: str) -> dict[str, Any]:
    """``["width=8", "blocks=1,1", "neuron=relu"]`` -> {"width": 8, "blocks": (1, 1), "neuron": "relu"}.

    Raises:
        ValueError: an item without "=".
    """
    found: dict[str, Any] = {}
    for item in items or ():
        key, equals, text = item.partition("=")
        if not equals or not key:
            raise ValueError(f"{what} {item!r}: expected NAME=VALUE")
        found[key] = tuple(map(_parsed, text.split(","))) if "," in text else _parsed(text)
    return found


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
