"""``mlsnn report``"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import options, show

if TYPE_CHECKING:
    from ..netx import NetGraph

TRACED = 400
"""Most images of which NeuroBench's metrics are counted site by site."""

VALUES, OPERATIONS = 64_000_000, 3_000_000_000
"""Fewer, so that their traces hold at most so many spikes, and computing their membranes takes about a minute."""


@options.reads_networks
def report(
    nets: Annotated[list[Path], typer.Argument(help="One or more .net files of the same shape.", show_default=False)],
    data: options.Data = "digits",
    model: options.EnergyModel = "lemaire",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The page.", show_default="beside the first network")
    ] = None,
    force: options.Force = False,
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
    from . import target
    from .engines import load_data, measured, provenance

    check_model(model)
    graphs = [reading.load(net) for net in nets]
    path = target.check(output or options.beside(nets[0], "report.html"), "html", force=force)
    numbers = target.check(path.with_suffix(".json"), "json", ("title", "networks"), force)
    records = []
    for net, graph in zip(nets, graphs, strict=True):
        dataset = load_data(data, graph)
        records.append(measured(net.name, graph, dataset, model, traced=_traced(graph))[0])
    command = shlex.join(["mlsnn", "report", *(net.name for net in nets), "--data", data, "--model", model])
    title = f"{', '.join(net.name for net in nets)} on {len(dataset.test_labels)} test images of {dataset.name}"
    content = results(title, records, provenance(command, dataset))
    written = show.write_json(content, numbers)
    atomic_write(path, page(content))
    show.wrote(path, written)


def _traced(graph: NetGraph) -> int:
    """Images that are counted with traces."""
    sources = [(c.synapse, graph.shape(c.sources[0])) for layer in graph for c in layer.connections]
    operations = sum(int(synapse.fan_out(shape).sum()) for synapse, shape in sources) * graph.timesteps
    values = sum(layer.size for layer in graph) * graph.timesteps
    most = min(TRACED, VALUES // values)
    return max(1, most if graph.timesteps == 1 else min(most, OPERATIONS // max(operations, 1)))
