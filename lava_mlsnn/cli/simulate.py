"""``mlsnn simulate``"""

from __future__ import annotations

import time
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from . import options, show

if TYPE_CHECKING:
    from ..data import Dataset
    from ..netx import NetGraph
    from ..sim import Run


class Lava(str, Enum):
    """Lava's two models of a network."""

    fused = "fused"
    layers = "layers"


def simulate(
    net: options.Net,
    data: options.Data = "digits",
    lava: Annotated[
        Lava | None, typer.Option(help="Also run in Lava: one Process in all, or one per synapse and population.")
    ] = None,
    samples: Annotated[
        int | None, typer.Option(min=1, help="Images that run in Lava.", show_default="all, layers 32")
    ] = None,
    json: options.Json = None,
) -> None:
    """Run the whole test set in the integer engine, and with --lava some of it in Lava, compared spike by spike.

    Exit code 1 if Lava and the engine differ. An interrupted run of the engine continues where it stopped.

    [bold]Example:[/] mlsnn simulate digits.net --lava layers --samples 16
    """
    from .. import netx
    from ..report import checks_table, layers_table, network_record, provenance

    graph = netx.load(net)
    dataset = load_data(data, graph)
    started = time.perf_counter()
    run = run_engine(graph, dataset, options.beside(net, "simulate.partial.npz"))
    seconds = time.perf_counter() - started
    record = network_record(net.name, graph, run.activity, {"engine": right(run, dataset)})
    show.console.print(layers_table(record))
    say_missing(record)
    say_ratios(record)
    show.say(
        f"accuracy {record['accuracy']['engine']:.2%} on {len(run.labels)} images, "
        f"{len(run.labels) / seconds:,.0f} images/s"
    )
    checks = [run_lava(graph, dataset, run, lava, samples)] if lava else []
    if checks:
        show.console.print(checks_table(checks))
    content = {
        **record,
        "activity": run.activity.to_dict(),
        "checks": checks,
        "run": provenance(f"mlsnn simulate {net.name} --data {data}", {"name": dataset.name, "source": dataset.source}),
    }
    show.wrote(show.write_json(content, json or options.beside(net, "simulate.json")))
    if not all(check["passed"] for check in checks):
        raise typer.Exit(1)


def load_data(name: str, graph: NetGraph) -> Dataset:
    """The dataset called ``name``, or the arrays of a file; ValueError if the network reads other images.

    Recordings of events become as many frames as the network has timesteps.
    """
    from ..data import arrays

    if Path(name).suffix == arrays.ENDING:
        dataset = arrays.load(Path(name), graph.input.bits, graph.output.shape[0], graph.input.scale)
    else:
        dataset = load_named(name, graph.timesteps)
    pairs = {
        "shape": (graph.input.shape, dataset.shape),
        "bits": (graph.input.bits, dataset.bits),
        "classes": (graph.output.shape[0], dataset.num_classes),
        "timesteps": (graph.timesteps, dataset.steps or graph.timesteps),
    }
    for what, (mine, theirs) in pairs.items():
        if mine != theirs:
            raise ValueError(f"the network's {what}: {mine}; dataset {name!r} has {theirs}")
    return dataset


def load_named(name: str, steps: int) -> Dataset:
    """A dataset for a network of ``steps`` timesteps, with a progress bar where frames have to be made."""
    from .. import data

    if not data.has_frames(name):
        return data.load(name)
    with show.counting("frames") as progress:
        return data.load_for(name, steps, progress=progress)


def run_engine(graph: NetGraph, dataset: Dataset, keep: Path | None = None, **settings: Any) -> Run:
    """The test images in the engine, with a progress bar; ``keep`` is where an interrupted run is continued from."""
    from .. import sim

    with show.counting("engine") as progress:
        if keep is None:
            return sim.run(graph, dataset.test_images, progress=progress, **settings)
        interrupted = keep.exists()

        def told(done: int, total: int) -> None:
            nonlocal interrupted
            if interrupted:
                show.say(f"continues an interrupted run at image {done:,} of {total:,}")
                interrupted = False
            progress(done, total)

        return sim.run_resumable(graph, dataset.test_images, keep, progress=told, **settings)


def run_lava(graph: NetGraph, dataset: Dataset, run: Run, lava: Lava, samples: int | None) -> dict[str, Any]:
    """Run some test images in Lava and compare all their spikes with the engine's."""
    from .. import proc, sim
    from .checks import same_runs

    available = len(dataset.test_labels)
    count = min(samples or (available if lava is Lava.fused else 32), available)
    images = dataset.test_images[:count]
    words = {Lava.fused: "Lava, one Process", Lava.layers: "Lava, one Process per synapse and population"}
    with show.working(f"{words[lava]}: {count} images"):
        found = proc.simulate(graph, images, fused=lava is Lava.fused, trace=True)
    return same_runs(f"{words[lava]} = engine", sim.run(graph, images, trace=True), found, count)


def say_missing(record: dict[str, Any]) -> None:
    """Why a network has no energy; nothing where it has one."""
    snn = record["energy"]["snn"]
    if snn["missing"]:
        show.say(f"no energy: {escape(snn['missing'])}")


def say_ratios(record: dict[str, Any]) -> None:
    """The share of the ANN twin by each counting of an event's cost, where the energy model knows both."""
    from ..helpers.units import ratio

    shares = [f"{ratio(share)} {counting}" for counting, share in record["totals"]["ratios"].items()]
    if shares:
        show.say(f"SNN / ANN by counting: {', '.join(shares)}")
        show.say("  exact: an event pays for the positions that it reaches; published: for the whole kernel")


def right(run: Run, dataset: Dataset) -> float:
    """Share of the test images with the right label."""
    return float((run.labels == dataset.test_labels).mean())
