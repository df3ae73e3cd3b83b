"""``mlsnn energy``"""

from __future__ import annotations

import shlex
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import options, show

if TYPE_CHECKING:
    from ..data import Dataset
    from ..netx import NetGraph


@options.reads_networks
def energy(
    net: options.Net,
    data: options.Data = "digits",
    model: options.EnergyModel = "lemaire",
    preset: Annotated[
        str | None, typer.Option(help="Named options of lemaire: qualia, lemaire, spikingjelly, paper000_tables.")
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option("--option", "-o", help="NAME=VALUE, a setting of the model; may be repeated.")
    ] = None,
    stock: options.Stock = False,
    json: options.Json = None,
    *,
    reading: options.Reading,
) -> None:
    """Count the events of the whole test set and turn them into joules, per layer and term, beside the ANN twin.

    [bold]Example:[/] mlsnn energy digits.net --model lemaire -o sram=bus -o bits=8
    """
    from .. import netx
    from ..data.registry import require
    from ..energy.network import check_model, estimate
    from ..graph.activity import Activity
    from ..helpers.tables import NoFigureError
    from . import target
    from .engines import load_data, provenance

    settings = options.key_values(option, "--option")
    if preset is not None:
        if model != "lemaire":
            raise ValueError(f"--preset {preset!r}: presets belong to the model lemaire, got {model!r}")
        settings["options"] = preset
    check_model(model, settings)
    graph = reading.load(net)
    where = target.check(json or options.beside(net, "energy.json"), "json", ("digest", "energy"))
    require(data)
    with suppress(NoFigureError):  # which is told of with the counts
        estimate(graph, Activity.zeros(graph, 1), model, **settings)  # a wrong value before anything is counted
    dataset = load_data(data, graph)
    record = _record(net.name, graph, dataset, model, settings)
    command = ["mlsnn", "energy", net.name, "--data", data, "--model", model]
    for item in option or []:
        command += ["-o", item]
    command += [*(["--preset", preset] if preset else []), *(["--stock"] if stock else [])]
    content = {**record, "run": provenance(shlex.join(command), dataset)}
    if stock:
        lowered = _record(f"{net.name}, stock neurons only", netx.lower(graph), dataset, model, settings)
        content["stock"] = {**lowered, "price": _price(record["totals"], lowered["totals"])}
    show.wrote(show.write_json(content, where))


def _record(name: str, graph: NetGraph, dataset: Dataset, model: str, settings: dict[str, Any]) -> dict[str, Any]:
    from ..report import terms_table
    from .engines import measured, say_missing, say_ratios

    record, _ = measured(name, graph, dataset, model, settings)
    if record["energy"]["snn"]["missing"]:
        say_missing(record)
    else:
        show.console.print(terms_table(record))
    say_ratios(record)
    return record


def _price(own: dict[str, Any], stock: dict[str, Any]) -> dict[str, float | None]:
    from ..helpers import units

    both = {what: (stock[what], own[what]) for what in ("neurons", "events", "energy")}
    price = {what: a / b if b and a is not None else None for what, (a, b) in both.items()}
    words = ", ".join(f"{what} x {units.ratio(factor)}" for what, factor in price.items())
    show.say(f"price of stock neurons: {words}")
    return price
