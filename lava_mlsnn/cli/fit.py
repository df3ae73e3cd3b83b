"""``mlsnn fit``"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from ..helpers.doors import door
from ..helpers.reading import read_json
from . import options, show

if TYPE_CHECKING:
    from ..graph.activity import Activity
    from ..graph.graph import NetGraph
    from ..loihi2 import Affine, Fit

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
    affine: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME=VALUE, a time of one's own for the max-affine model, in seconds: dendop, synop, read, bit, "
            "barrier, and message_bits; may be repeated. None is published."
        ),
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(help="Also draw the cores on the chip's mesh, and the links by their messages: PNG.")
    ] = None,
    json: options.Json = None,
    *,
    reading: options.Reading,
) -> None:
    """Estimate whether a network fits a Loihi 2: cores and memory per layer, the limit that binds, what to change.

    The time per timestep is a range: without --data or --activity, from a silent network to one in which all fires.
    Work of cores and traffic between them are counted; what they cost in time is not published, see --affine.

    [bold]Example:[/] mlsnn fit digits.net --data digits
    """
    from .. import loihi2, netx
    from . import target

    if data is not None and activity is not None:
        raise ValueError("--data and --activity both say what is counted: expected one of the two")
    prices = _affine(affine)
    chip = loihi2.LOIHI2 if cores is None else loihi2.Chip(cores=cores)
    graph = reading.load(net)
    where = target.check(json or options.beside(net, "fit.json"), "json", ("file", "fit"))
    if picture is not None:
        target.check(picture, "png")
    counts = _read(activity) if activity else _count(graph, data) if data else None
    content: dict[str, Any] = {"file": net.name}
    content["fit"] = _show(net.name, graph, loihi2.fit(graph, chip), counts, prices)
    if stock:
        lowered, title = netx.lower(graph), f"{net.name}, stock neurons only"
        counts = _count(lowered, data) if data else None
        content["fit_stock"] = _show(title, lowered, loihi2.fit(lowered, chip), counts, prices)
    content["measured"] = _show_measured()
    show.say("limits are public, most rules are inferred from compiler logs: an estimate, nothing was run on silicon")
    written = show.write_json(content, where)
    show.wrote(written, *_draw(net.name, content["fit"]["traffic"], picture))


def _count(graph: NetGraph, data: str) -> Activity:
    from .engines import load_data, run_engine

    return run_engine(graph, load_data(data, graph)).activity


def _read(path: Path) -> Activity:
    """The counts in a file of ``mlsnn simulate``."""
    from ..graph.activity import Activity

    with door(path):
        content = read_json(path, "as mlsnn simulate writes it")
        if not isinstance(content, dict) or not isinstance(content.get("activity"), dict):
            raise ValueError(f"{path}: expected the JSON of mlsnn simulate, found no activity in it")
        return Activity.from_dict(content["activity"])


def _affine(given: list[str] | None) -> Affine | None:
    """The user's times; None without any."""
    from dataclasses import fields

    from ..loihi2 import Affine

    values = options.key_values(given, "--affine")
    known = [f.name for f in fields(Affine) if f.name != "source"]
    for name in values:
        if name not in known:
            raise ValueError(f"--affine {name!r}: expected one of {', '.join(known)}")
    return Affine(**values) if values else None


def _show(title: str, graph: NetGraph, found: Fit, counts: Activity | None, prices: Affine | None) -> dict[str, Any]:
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
    time = _show_time(graph, found, counts)
    return {**found.to_dict(), "time": time, "traffic": _show_traffic(graph, found, counts, prices)}


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
    show.say(f"  assumed: {time.assumption}; messages on the network-on-chip are left out of this time")
    show.say(f"  times per operation: {time.source}")
    return time.to_dict()


def _show_traffic(graph: NetGraph, found: Fit, counts: Activity | None, prices: Affine | None) -> dict[str, Any] | None:
    """Work of one core per layer and the busiest link; None, with the reason shown, where there is no figure."""
    from ..helpers.tables import NoFigureError
    from ..helpers.units import count, seconds
    from ..loihi2 import traffic
    from ..report import busiest_text

    try:
        least, most = traffic(graph, found, counts)
    except NoFigureError as error:
        show.say(f"no traffic on the network-on-chip: {escape(str(error))}")
        return None
    table = Table(title=f"work of one core per timestep: {most.assumption}", title_justify="left")
    table.add_column("layer", overflow="fold")
    for column in ("dendrite operations", "synaptic operations", "words of synaptic memory read"):
        table.add_column(column, justify="right")
    for work in most.layers:
        table.add_row(escape(work.name), *(count(n) for n in (work.dendops, work.synops, work.reads)))
    show.console.print(table)
    content = most.to_dict()
    show.say(busiest_text(content))
    if prices is None:
        show.say("  what these cost in time is published nowhere: --affine takes figures of your own")
        return {**content, "least": least.largest(), "time": None}
    ends = [end.time(prices) for end in (least, most)]
    left_out = f"; without a figure, left out: {', '.join(ends[1]['left_out'])}" * bool(ends[1]["left_out"])
    show.say(
        f"max-affine: {seconds(ends[0]['step'])} to {seconds(ends[1]['step'])} per timestep, bound by "
        f"{ends[1]['bound_by']} (times {prices.source}){left_out}"
    )
    return {**content, "least": least.largest(), "time": ends}


def _show_measured() -> list[dict[str, Any]]:
    from ..helpers.units import joules, seconds
    from ..loihi2 import MEASURED

    table = Table(title="measured on silicon by others, to compare with", title_justify="left")
    for column in ("network", "cores", "steps", "per timestep", "per sample", "power", "static"):
        table.add_column(column, justify="left" if column == "network" else "right")
    for m in MEASURED:
        cells = (f"{m.cores}", f"{m.steps}", seconds(m.step), joules(m.energy), f"{m.power} W", f"{m.static} W")
        table.add_row(m.network, *cells)
    show.console.print(table)
    return [m.to_dict() for m in MEASURED]


def _draw(name: str, traffic: dict[str, Any] | None, picture: Path | None) -> tuple[Path, ...]:
    from ..report import chip_picture

    if picture is None:
        return ()
    if traffic is None:
        show.say(f"{picture} is not drawn: the network has no place on one chip")
        return ()
    return (chip_picture(name, traffic, picture),)


def _verdict(found: Fit) -> str:
    if found.fits:
        return "fits one chip"
    size = "the cores fit one chip" if found.chips == 1 else f"needs {found.chips} chips"
    return f"{size}, but {len(found.problems)} number(s) do not fit hardware" if found.problems else size
