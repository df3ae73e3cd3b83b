"""``mlsnn fit``"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from . import options, show

if TYPE_CHECKING:
    from ..loihi2 import Fit

RESOURCES = ("neurons", "state_words", "synaptic_words", "axons_in", "axons_out")


def fit(
    net: options.Net,
    cores: Annotated[int | None, typer.Option(help="Cores of a chip that may be used.", show_default="120")] = None,
    stock: options.Stock = False,
    json: options.Json = None,
) -> None:
    """Estimate whether a network fits a Loihi 2: cores and memory per layer, the limit that binds, what to change.

    [bold]Example:[/] mlsnn fit digits.net
    """
    from .. import loihi2, netx

    chip = loihi2.LOIHI2 if cores is None else loihi2.Chip(cores=cores)
    graph = netx.load(net)
    content: dict[str, Any] = {"file": net.name, "fit": _show(net.name, loihi2.fit(graph, chip))}
    if stock:
        content["fit_stock"] = _show(f"{net.name}, stock neurons only", loihi2.fit(netx.lower(graph), chip))
    show.say("limits are public, most rules are inferred from compiler logs: an estimate, nothing was run on silicon")
    show.wrote(show.write_json(content, json or options.beside(net, "fit.json")))


def _show(title: str, found: Fit) -> dict[str, Any]:
    table = Table(title=escape(title), title_justify="left")
    table.add_column("layer", overflow="fold")
    for column in ("neurons", "cores", "channels", "sites"):
        table.add_column(column, justify="right")
    for resource in RESOURCES:
        table.add_column(resource.replace("_", "\n"), justify="right")
    for layer in found.layers:
        if layer.part is None:
            table.add_row(escape(layer.name), f"{layer.neurons:,}", "does not fit a core")
            continue
        shares = layer.part.shares(found.chip)
        binding = layer.part.binding(found.chip)
        cells = [f"[bold]{v:.0%}[/]" if name == binding else f"{v:.0%}" for name, v in shares.items()]
        sizes = (layer.neurons, layer.part.cores, layer.part.channels, layer.part.sites)
        table.add_row(escape(layer.name), *(f"{n:,}" for n in sizes), *cells)
    show.console.print(table)
    show.say(f"{found.cores} cores, {found.chip.cores} on a chip: {_verdict(found)}")
    for line in found.advice:
        show.say(f"  {line}")
    return found.to_dict()


def _verdict(found: Fit) -> str:
    if found.fits:
        return "fits one chip"
    size = "the cores fit one chip" if found.chips == 1 else f"needs {found.chips} chips"
    return f"{size}, but {len(found.problems)} number(s) do not fit hardware" if found.problems else size
