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
        help="NAME[:PATH][,KEY=VALUE...], for example digits or cifar10dvs:/data/dvs,size=64 (mlsnn data list tells "
        "the names); or FILE.npz with images and labels.",
    ),
]
Json = Annotated[
    Path | None, typer.Option("--json", help="Where results land as JSON.", show_default="beside the network")
]
Seed = Annotated[int, typer.Option("--seed", help="Of weights, order and augmentation.", min=0)]


def beside(net: Path, ending: str) -> Path:
    """``x.net`` -> ``x.<ending>`` in the same folder."""
    return net.with_name(f"{net.name.removesuffix('.net')}.{ending}")


def key_values(items: list[str], what: str) -> dict[str, Any]:
    """``["width=8", "blocks=1,1", "neuron=relu"]`` -> {"width": 8, "blocks": (1, 1), "neuron": "relu"}.

    Raises:
        ValueError: an item without "=".
    """
    found: dict[str, Any] = {}
    for item in items:
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
