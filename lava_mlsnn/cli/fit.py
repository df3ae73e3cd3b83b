"""``mlsnn fit``"""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from ..helpers.doors import door
from . import options, show

if TYPE_CHECKING:
    from ..graph.activity import Activity
    from ..graph.graph import NetGraph
    from ..loihi2 import Fit

RESOURCES = ("neurons", "state_words", "synaptic_words", "axons_in", "axons_out")


@options.reads_networks
def fit(
    net: options.Net,
    cores: Annotated[int | None, typer.Option(help="Cores of a chip that may be used.", show_default="120")] = None,
    stock: options.Stock = False,
    data: Annotated[
        str | None, typer.Option(help="As of mlsnn simulate: its test images are counted for the time per timestep.")
    ] = None,
    activity: Annotated[
        Path | None, typer.Option(help="Counts for the time per timestep: what mlsnn simulate wrote as JSON.")
    ] = None,
    json: options.Json = None,
    *,
    reading: options.Reading,
) -> None:
    """Estimate whether a network fits a Loihi 2: cores and memory per layer, the limit that binds, what to change.

    The time per timestep is a range: without --data or --activity, from a silent network to one in which all fires.

    [bold]Example:[/] mlsnn fit digits.net --data digits
    """
    from .. import loihi2, netx

    if data is not None and activity is not None:
        raise ValueError("--data and --activity both say what is counted: expected one of the two")
    chip = loihi2.LOIHI2 if cores is None else loihi2.Chip(cores=cores)
    graph = reading.load(net)
    counts = _read(activity) if activity else _count(graph, data) if data else None
    content: dict[str, Any] = {"file": net.name, "fit": _show(net.name, graph, loihi2.fit(graph, chip), counts)}
    if stock:
        lowered, title = netx.lower(graph), f"{net.name}, stock neurons only"
        counts = _count(lowered, data) if data else None
        content["fit_stock"] = _show(title, lowered, loihi2.fit(lowered, chip), counts)
    show.say("limits are public, most rules are inferred from compiler logs: an estimate, nothing was run on silicon")
    show.wrote(show.write_json(content, json or options.beside(net, "fit.json")))


def _count(graph: NetGraph, data: str) -> Activity:
    from .engines import load_data, run_engine

    return run_engine(graph, load_data(data, graph)).activity


def _read(path: Path) -> Activity:
    """The counts in a file of ``mlsnn simulate``."""
    from ..graph.activity import Activity

    with door(path):
        try:
            content = json_module.loads(path.read_bytes())
        except ValueError as error:
            raise ValueError(f"{path}: expected JSON as mlsnn simulate writes it ({error})") from None
        if not isinstance(content, dict) or not isinstance(content.get("activity"), dict):
            raise ValueError(f"{path}: expected the JSON of mlsnn simulate, found no activity in it")
        return Activity.from_dict(content["activity"])


def _show(title: str, graph: NetGraph, found: Fit, counts: Activity | None) -> dict[str, Any]:
    from ..helpers.units import NONE

    table = Table(title=escape(title), title_justify="left")
    table.add_column("layer", overflow="fold")
    for column in ("neurons", "cores", "channels", "sites"):
        table.add_column(column, justify="right")
    for resource in RESOURCES:
        table.add_column(resource.replace("_", "\n"), justify="right")
    for layer in found.layers:
        if layer.part is None:
            table.add_row(escape(layer.name), f"{layer.neurons:,}", NONE)
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
    if found.unproven:
        show.say(
            f"  {len(found.unproven)} register(s) of sigma-delta neurons are not bounded by this analysis: sums of "
            "changes grow in worst-case intervals, not in the network; mlsnn simulate warns where data leave 24 bits"
        )
    return {**found.to_dict(), "time": _show_time(graph, found, counts)}


def _show_time(graph: NetGraph, found: Fit, counts: Activity | None) -> dict[str, Any] | None:
    """The time of a timestep per layer and in all; None, with the reason shown, where there is no figure."""
    from ..helpers.tables import NoFigureError
    from ..helpers.units import seconds
    from ..loihi2 import step_range

    try:
        time = step_range(graph, found, counts)
    except NoFigureError as error:
        show.say(f"no time per timestep: {escape(str(error))}")
        return None
    table = Table(title="time per timestep of each layer's cores, without the barrier", title_justify="left")
    table.add_column("layer", overflow="fold")
    for column in ("least", "most", "bottleneck"):
        table.add_column(column, justify="right")
    for layer in time.layers:
        table.add_row(escape(layer.name), seconds(layer.low), seconds(layer.high), layer.bottleneck)
    show.console.print(table)
    (low, high), (least, most) = time.step, time.sample
    show.say(
        f"{seconds(low)} to {seconds(high)} per timestep, {seconds(least)} to {seconds(most)} per sample of "
        f"{time.steps} timesteps (depth included); slowest layer {escape(time.slowest.name)}, {time.slowest.bottleneck}"
    )
    show.say(f"  assumed: {time.assumption}; the network-on-chip is left out")
    show.say(f"  times per operation: {time.source}")
    return time.to_dict()


def _verdict(found: Fit) -> str:
    if found.fits:
        return "fits one chip"
    size = "the cores fit one chip" if found.chips == 1 else f"needs {found.chips} chips"
    return f"{size}, but {len(found.problems)} number(s) do not fit hardware" if found.problems else size
