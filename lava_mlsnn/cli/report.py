"""``mlsnn report``"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from . import options, show


@options.reads_networks
def report(
    nets: Annotated[list[Path], typer.Argument(help="One or more .net files of the same shape.", show_default=False)],
    data: options.Data = "digits",
    model: options.EnergyModel = "lemaire",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The page.", show_default="beside the first network")
    ] = None,
    *,
    reading: options.Reading,
) -> None:
    """Write one HTML page: activity and energy per layer, drawing, comparison; the same numbers as JSON beside it.

    The page fetches nothing, reads on a phone and prints.

    [bold]Example:[/] mlsnn report multilevel.net binary.net -o comparison.html
    """
    from ..energy.network import check_model
    from ..helpers.files import atomic_write
    from ..report import page, results
    from .engines import load_data, measured, provenance

    check_model(model)

    records = []
    for net in nets:
        graph = reading.load(net)
        dataset = load_data(data, graph)
        records.append(measured(net.name, graph, dataset, model)[0])
    command = shlex.join(["mlsnn", "report", *(net.name for net in nets), "--data", data, "--model", model])
    title = f"{', '.join(net.name for net in nets)} on {len(dataset.test_labels)} test images of {dataset.name}"
    content = results(title, records, provenance(command, dataset))
    path = output or options.beside(nets[0], "report.html")
    written = show.write_json(content, path.with_suffix(".json"))
    atomic_write(path, page(content))
    show.wrote(path, written)
