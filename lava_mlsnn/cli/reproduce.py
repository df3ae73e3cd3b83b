"""``mlsnn reproduce``"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import options, show


def reproduce(
    item: Annotated[
        list[str] | None,
        typer.Argument(help="Figures or tables, such as fig2 or paper000-table3; a paper is all of its; none lists."),
    ] = None,
    data: options.Data = "digits",
    preset: Annotated[
        str, typer.Option(help="quick: small networks, minutes on two cores; full: the paper's setting, wants a GPU.")
    ] = "quick",
    out: Annotated[Path, typer.Option(help="Folder of the results and of the trained networks.")] = Path(
        "out/reproduce"
    ),
    seeds: Annotated[str, typer.Option(help="One training each, such as 0,1,2.")] = "0,1,2",
    recipe: Annotated[
        str | None, typer.Option(help="How to train.", show_default="quick: the data's own; full: the paper's")
    ] = None,
    epochs: options.Epochs = None,
    quantized_epochs: options.QuantizedEpochs = None,
    steps: Annotated[
        int | None, typer.Option(min=2, help="T of paper 002's networks.", show_default="50, the paper's")
    ] = None,
    alpha: Annotated[
        float | None,
        typer.Option(
            help="Scale of the surrogate gradient in papers 002 and 003.", show_default="the papers', 0.3 and 1"
        ),
    ] = None,
    threads: options.Threads = 1,
) -> None:
    """Do a figure or table of a paper again: CSV, PNG and a text that puts our numbers beside the paper's.

    Trained networks are kept in the folder: an interrupted run goes on, and items share them.

    [bold]Example:[/] mlsnn reproduce fig2 --out runs/paper000
    """
    from ..data.registry import require
    from ..papers import ITEMS, Request, find, run

    if not item:
        for known in ITEMS.values():
            show.say(f"{known.name:17} {known.about}{'' if known.trains else ' (exact, no data)'}")
        return
    find(*item)  # a wrong name fails before torch is loaded
    request = Request(
        data, preset, out, _seeds(seeds), recipe, epochs, quantized_epochs, steps, alpha, show.error_console
    )
    require(data)
    options.use_threads(threads)
    show.if_interrupted(
        lambda: f"trainings and the checkpoint of the last one are kept in {out / 'runs'}, the same command goes on"
    )
    show.wrote(*run(item, request, announce=lambda i: show.say(f"{i.name}: {i.about}")))


def _seeds(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise ValueError(f"--seeds {text!r}: expected whole numbers with commas, such as 0,1,2") from None
