"""``mlsnn energy``"""

from __future__ import annotations

from typing import Annotated

import typer

from . import options, show


def energy(
    net: options.Net,
    data: options.Data = "digits",
    model: Annotated[str, typer.Option(help="lemaire, horowitz, loihi1 or loihi2_estimate.")] = "lemaire",
    json: options.Json = None,
) -> None:
    """Count the events of the whole test set and turn them into joules, per layer and term, beside the ANN twin.

    [bold]Example:[/] mlsnn energy digits.net --model lemaire
    """
    from .. import netx
    from ..report import network_record, provenance, terms_table
    from .simulate import load_data, right, run_engine

    graph = netx.load(net)
    dataset = load_data(data, graph)
    run = run_engine(graph, dataset)
    record = network_record(net.name, graph, run.activity, {"engine": right(run, dataset)}, model)
    show.console.print(terms_table(record))
    content = {
        **record,
        "run": provenance(
            f"mlsnn energy {net.name} --data {data} --model {model}", {"name": dataset.name, "source": dataset.source}
        ),
    }
    show.wrote(show.write_json(content, json or options.beside(net, "energy.json")))
