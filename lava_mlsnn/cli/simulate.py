"""``mlsnn simulate``"""

from __future__ import annotations

import os
import shlex
import time
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from ..helpers.starting import NOTHING_KEPT
from . import options, show


class Lava(str, Enum):
    """Lava's two models of a network."""

    fused = "fused"
    layers = "layers"


@options.reads_networks
def simulate(
    net: options.Net,
    data: options.Data = "digits",
    lava: Annotated[
        Lava | None, typer.Option(help="Also run in Lava: one Process in all, or one per synapse and population.")
    ] = None,
    samples: Annotated[
        int | None, typer.Option(min=1, help="Images that run in Lava.", show_default="all, layers 32")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes of this machine that share the images.")] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler, whose workers share the images.")
    ] = None,
    json: options.Json = None,
    *,
    reading: options.Reading,
) -> None:
    """Run the whole test set in the integer engine, and with --lava some of it in Lava, compared spike by spike.

    Exit code 1 if Lava and the engine differ. An interrupted run of the engine continues where it stopped. With
    --workers or --scheduler other processes or machines run shards of the images, and those of a lost one again; the
    numbers are the same.

    [bold]Examples:[/]

    mlsnn simulate digits.net --lava layers --samples 16

    mlsnn simulate vgg16.net --data cifar10 --scheduler tcp://10.0.0.1:8786
    """
    from ..helpers import compiling
    from ..report import checks_table, layers_table
    from . import target
    from .engines import compare_lava, load_data, measured, provenance, say_missing, say_ratios
    from .engines import workers as working_for

    graph = reading.load(net)
    where = target.check(json or options.beside(net, "simulate.json"), "json", ("digest", "activity"))
    partial = where.with_name(options.beside(Path(net.name), "simulate.partial.npz").name)
    keep = partial if os.access(partial.parent, os.W_OK) else None
    show.if_interrupted(
        lambda: (
            f"the images that are done are kept in {partial}, the same command goes on"
            if partial.exists()
            else NOTHING_KEPT
        )
    )
    dataset = load_data(data, graph)
    started = time.perf_counter()
    with working_for(workers, scheduler) as executor:
        record, run = measured(net.name, graph, dataset, keep=keep, executor=executor)
    seconds = time.perf_counter() - started - compiling.seconds()
    show.console.print(layers_table(record))
    say_missing(record)
    say_ratios(record)
    show.say(
        f"accuracy {record['accuracy']['engine']:.2%} on {len(run.labels)} images, "
        f"{len(run.labels) / seconds:,.0f} images/s"
    )
    checks = []
    if lava:
        images = dataset.test_images[: samples or (None if lava is Lava.fused else 32)]
        checks.append(compare_lava(graph, graph, images, lava is Lava.fused))
        show.console.print(checks_table(checks))
    content = {
        **record,
        "activity": run.activity.to_dict(),
        "checks": checks,
        "run": provenance(shlex.join(["mlsnn", "simulate", net.name, "--data", data]), dataset),
    }
    show.wrote(show.write_json(content, where))
    if not all(check["passed"] for check in checks):
        raise typer.Exit(1)
