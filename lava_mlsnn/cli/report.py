"""``mlsnn report``"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import options, show


def report(
    nets: Annotated[list[Path], typer.Argument(help="One or more .net files of the same shape.", show_default=False)],
    data: options.Data = "digits",
    model: Annotated[str, typer.Option(help="Energy model: lemaire, horowitz, loihi1 or loihi2_estimate.")] = "lemaire",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The page.", show_default="beside the first network")
    ] = None,
) -> None:
    """Write one HTML page: activity and energy per layer, drawing, comparison; the same numbers as JSON beside it.

    The page fetches nothing, reads on a phone and prints.

    [bold]Example:[/] mlsnn report multilevel.net binary.net -o comparison.html
    """
    from .. import netx
    from ..helpers.files import atomic_write
    from ..report import network_record, page, provenance, results
    from .simulate import load_data, right, run_engine

    records = []
    for net in nets:
        graph = netx.load(net)
        dataset = load_data(data, graph)
        run = run_engine(graph, dataset)
        records.append(network_record(net.name, graph, run.activity, {"engine": right(run, dataset)}, model))
    command = f"mlsnn report {' '.join(net.name for net in nets)} --data {data} --model {model}"
    run_info = provenance(command, {"name": dataset.name, "source": dataset.source})
    title = f"{', '.join(net.name for net in nets)} on {len(dataset.test_labels)} test images of {dataset.name}"
    content = results(title, records, run_info)
    path = output or options.beside(nets[0], "report.html")
    written = show.write_json(content, path.with_suffix(".json"))
    atomic_write(path, page(content))
    show.wrote(path, written)
