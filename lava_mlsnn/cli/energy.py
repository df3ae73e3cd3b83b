"""``mlsnn energy``"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import options, show

if TYPE_CHECKING:
    from ..data import Dataset
    from ..netx import NetGraph


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
) -> None:
    """Count the events of the whole test set and turn them into joules, per layer and term, beside the ANN twin.

    [bold]Example:[/] mlsnn energy digits.net --model lemaire -o sram=bus -o bits=8
    """
    from .. import netx
    from .engines import load_data, provenance

    settings = options.key_values(option, "--option")
    if preset is not None:
        if model != "lemaire":
            raise ValueError(f"--preset {preset!r}: presets belong to the model lemaire, got {model!r}")
        settings["options"] = preset
    graph = netx.load(net)
    dataset = load_data(data, graph)
    record = _record(net.name, graph, dataset, model, settings)
    given = "".join(f" -o {item}" for item in option or []) + (f" --preset {preset}" if preset else "")
    command = f"mlsnn energy {net.name} --data {data} --model {model}{given}{' --stock' if stock else ''}"
    content = {**record, "run": provenance(command, dataset)}
    if stock:
        lowered = _record(f"{net.name}, stock neurons only", netx.lower(graph), dataset, model, settings)
        content["stock"] = {**lowered, "price": _price(record["totals"], lowered["totals"])}
    show.wrote(show.write_json(content, json or options.beside(net, "energy.json")))


def _record(name: str, graph: NetGraph, dataset: Dataset, model: str, settings: dict[str, Any]) -> dict[str, Any]:
    from ..report import terms_table
    from .engines import measured

    record, _ = measured(name, graph, dataset, model, settings)
    show.console.print(terms_table(record))
    return record


def _price(own: dict[str, Any], stock: dict[str, Any]) -> dict[str, float | None]:
    from ..helpers import units

    price = {what: stock[what] / own[what] if own[what] else None for what in ("neurons", "events", "energy")}
    words = ", ".join(f"{what} x {units.ratio(factor)}" for what, factor in price.items())
    show.say(f"price of stock neurons: {words}")
    return price
