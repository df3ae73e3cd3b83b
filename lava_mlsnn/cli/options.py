"""Arguments and options that several commands share."""

from __future__ import annotations

import inspect
import json
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..helpers.starting import interrupts_later

if TYPE_CHECKING:
    from ..netx import NetGraph

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

Largest = Annotated[
    int | None,
    typer.Option(
        "--largest",
        min=1,
        help="Most values of an input or layer that a file may declare.",
        show_default="2^28; of a trained model's input 2^22",
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Write over files of other kinds.")]

Levels = Annotated[int, typer.Option("--levels", "-N", min=1, help="Largest value of a spike; 1 is binary.")]
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


@dataclass(frozen=True)
class Reading:
    """How network files are read: what stock NetX takes as arguments and its files do not say."""

    steps: Annotated[
        int | None, typer.Option(help="Timesteps of a sample, where a stock file does not say.", min=1)
    ] = None
    input_bits: Annotated[
        int, typer.Option(help="Bits of a graded input, for a stock file without input block.", min=0, max=24)
    ] = 0
    input_shape: Annotated[
        str | None, typer.Option(help="C,H,W of the input, for a stock file without input layer.")
    ] = None
    input_scale: Annotated[
        float | None, typer.Option(help="Value of one integer step of the input, where the file does not say.")
    ] = None
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse what stock NetX ignores or changes in a file; else a warning.")
    ] = False
    verify: Annotated[bool, typer.Option(help="Refuse a file whose content is not what its digest says.")] = True
    largest: Largest = None

    def load(self, net: Path) -> NetGraph:
        """The network of a file; each warning is one line."""
        from .. import netx
        from . import show

        shape = None
        if self.input_shape is not None:
            parts = self.input_shape.split(",")
            if len(parts) != 3 or not all(part.strip().isdecimal() for part in parts):
                raise ValueError(f"--input-shape: expected C,H,W, for example 1,28,28, got {self.input_shape!r}")
            shape = (int(parts[0]), int(parts[1]), int(parts[2]))
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always", netx.StockWarning)
            graph = netx.load(
                net,
                timesteps=self.steps,
                input_message_bits=self.input_bits,
                input_shape=shape,
                input_scale=self.input_scale,
                strict=self.strict,
                verify=self.verify,
                **bound(self.largest),
            )
        for warning in said:
            show.warn(str(warning.message))
        return graph


def bound(largest: int | None) -> dict[str, int]:
    """The argument ``largest`` of a reader, if there is one."""
    return {} if largest is None else {"largest": largest}


def reads_networks(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command with the parameter ``reading`` the options of :class:`Reading`."""
    hints = inspect.get_annotations(Reading, eval_str=True)
    extra = [
        inspect.Parameter(f.name, inspect.Parameter.KEYWORD_ONLY, default=f.default, annotation=hints[f.name])
        for f in fields(Reading)
    ]
    kept = [
        p.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for p in inspect.signature(command, eval_str=True).parameters.values()
        if p.name != "reading"
    ]

    @wraps(command)
    def wrapped(**given: Any) -> None:
        chosen = Reading(**{f.name: given.pop(f.name) for f in fields(Reading)})
        command(**given, reading=chosen)

    wrapped.__signature__ = inspect.Signature([*kept, *extra])  # type: ignore[attr-defined]
    wrapped.__annotations__ = {p.name: p.annotation for p in (*kept, *extra)}
    del wrapped.__wrapped__
    return wrapped


def energy(target: str | None, weight: float | None) -> Any:
    """What a network may cost: "0.3" of its ANN, or "20uJ"; or a fixed weight. None if neither is given.

    Raises:
        ValueError: both, or a text that is neither a share nor joules.
    """
    from ..helpers.units import from_joules
    from ..train import Energy

    if target is not None and weight is not None:
        raise ValueError(f"--energy-weight {weight:g}: expected it without --energy {target}, which finds the weight")
    if target is None:
        return None if weight is None else Energy(weight=weight)
    try:
        share = float(target)
    except ValueError:
        return Energy(joules=from_joules(target, "--energy", "a share of the ANN such as 0.3, or joules such as 20uJ"))
    return Energy(share=share)


def use_threads(count: int) -> None:
    """Have torch compute with ``count`` threads; 0 leaves it its choice."""
    with interrupts_later():
        import torch
    if count:
        torch.set_num_threads(count)


def beside(net: Path, ending: str) -> Path:
    """``x.net`` -> ``x.<ending>`` in the same folder, or here if nothing can be written there."""
    path = net.with_name(f"{net.name.removesuffix('.net')}.{ending}")
    return path if os.access(path.parent, os.W_OK) else Path(path.name)


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
