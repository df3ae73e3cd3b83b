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
    model: Annotated[str, typer.Option(help="lemaire, horowitz, loihi1 or loihi2_estimate.")] = "lemaire",
    preset: Annotated[
        str | None, typer.Option(help="Named options of lemaire: qualia, lemaire, spikingjelly, paper000_tables.")
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option("--option", "-o", help="NAME=VALUE, a setting of the model; may be repeated.")
    ] = None,
    stock: Annotated[
        bool, typer.Option("--stock", help="Also with stock neurons only (T = 1): the price of needing no microcode.")
    ] = False,
    json: options.Json = None,
) -> None:
    """Count the events of the whole test set and turn them into joules, per layer and term, beside the ANN twin.

    [bold]Example:[/] mlsnn energy digits.net --model lemaire -o sram=bus -o bits=8
    """
    from .. import netx
    from ..report import provenance
    from .simulate import load_data

    settings = options.key_values(option or [], "--option")
    if preset is not None:
        if model != "lemaire":
            raise ValueError(f"--preset {preset!r}: presets belong to the model lemaire, got {model!r}")
        settings["options"] = preset
    graph = netx.load(net)
    dataset = load_data(data, graph)
    record = _record(net.name, graph, dataset, model, settings)
    told = "".join(f" -o {item}" for item in option or []) + (f" --preset {preset}" if preset else "")
    content = {
        **record,
        "run": provenance(
            f"mlsnn energy {net.name} --data {data} --model {model}{told}{' --stock' if stock else ''}",
            {"name": dataset.name, "source": dataset.source},
        ),
    }
    if stock:
        lowered = _record(f"{net.name}, stock neurons only", netx.lower(graph), dataset, model, settings)
        content["stock"] = {**lowered, "price": _price(record["totals"], lowered["totals"])}
    show.wrote(show.write_json(content, json or options.beside(net, "energy.json")))


def _record(name: str, graph: NetGraph, dataset: Dataset, model: str, settings: dict[str, Any]) -> dict[str, Any]:
    from ..report import network_record, terms_table
    from .simulate import right, run_engine, say_missing, say_ratios

    run = run_engine(graph, dataset)
    record = network_record(name, graph, run.activity, {"engine": right(run, dataset)}, model, settings)
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
