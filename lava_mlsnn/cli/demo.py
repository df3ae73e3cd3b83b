"""``mlsnn demo``"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from . import options, show

NETS = {"multilevel T=1 N=4": "digits_sparse_resnet_t1n4", "binary T=4 N=1": "digits_sparse_resnet_t4n1"}
"""What tables call the demo's networks -> the experiments they are."""


def demo(
    out: Annotated[Path, typer.Option(help="Folder of the results.")] = Path("out/demo"),
    seed: options.Seed = 0,
    fused: Annotated[int, typer.Option(min=1, help="Images that run in Lava as one Process.")] = 100,
    layers: Annotated[int, typer.Option(min=1, help="Images that run in Lava as one Process per layer.")] = 24,
    force: Annotated[bool, typer.Option("--force", help="Train again, whatever is in the folder.")] = False,
) -> None:
    """Train, export, run in the engine and in Lava, compare spike by spike, count events and joules: all in one.

    A small Sparse-ResNet learns the digits twice, with graded spikes in one timestep and with binary spikes in four.
    What an earlier demo has trained in the folder is taken up. Exit code 1 if any comparison fails.

    [bold]Example:[/] mlsnn demo --out out/demo
    """
    from .. import data
    from . import target

    for ending in ("html", "json", "png"):
        target.check(out / f"demo.{ending}", ending, ("title", "networks") if ending == "json" else (), force)
    show.if_interrupted(lambda: f"trainings are kept in {out} epoch by epoch, the same command goes on")
    started = time.perf_counter()
    options.use_threads(1)  # fastest for nets this small, and the weights do not depend on the number of cores
    dataset = data.load("digits")
    show.console.rule("train, export, run in Lava, measure", align="left")
    records, checks = [], []
    for name, experiment in NETS.items():
        record, rows = _network(name, experiment, dataset, out, seed, fused, layers, force)
        records.append(record)
        checks += rows
    content = _write(records, checks, dataset, out, seed)
    _show(content)
    show.wrote(*(out / name for name in ("demo.html", "demo.json", "demo.png")))
    seconds = time.perf_counter() - started
    failed = sum(not check["passed"] for check in checks)
    if failed:
        show.say(f"{failed} of {len(checks)} comparisons failed; {seconds:.0f} s", "bold red")
        raise typer.Exit(1)
    show.say(f"all {len(checks)} comparisons agree; {seconds:.0f} s")


def _network(
    name: str, experiment: str, dataset: Any, out: Path, seed: int, fused: int, layers: int, force: bool
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Train, export, run and compare one network."""
    from dataclasses import replace

    from ..energy import neurobench
    from ..report import network_record
    from ..train import EXPERIMENTS, train
    from . import pipeline

    folder = out / experiment
    plan = replace(EXPERIMENTS[experiment], seed=seed)
    resume = False if force else None
    net, record = train(plan, out=folder, resume=resume, force=force, progress=show.error_console, name=name)
    item = pipeline.export(name, net, dataset, folder.with_suffix(".net"))
    checks = list(pipeline.verify(item, dataset, fused, layers))
    accuracy = pipeline.accuracy(item, dataset, record["accuracy"])
    shown = ", ".join(f"{how} {value:.2%}" for how, value in accuracy.items())
    show.say(f"{name}: {shown} of {len(dataset.test_labels)} test images")
    metrics = neurobench(item.graph, item.run, dataset.test_images)
    return network_record(name, item.graph, item.run.activity, accuracy, metrics=metrics), checks


def _write(
    records: list[dict[str, Any]], checks: list[dict[str, Any]], dataset: Any, out: Path, seed: int
) -> dict[str, Any]:
    from ..helpers.files import atomic_write
    from ..report import page, picture, results
    from ..train import EXPERIMENTS
    from .engines import provenance

    title = f"Sparse-ResNet on the {len(dataset.test_labels)} test images of scikit-learn's digits (8x8)"
    trainings = {name: EXPERIMENTS[experiment].command for name, experiment in NETS.items()}
    run = provenance(f"mlsnn demo --seed {seed}", dataset, trainings=trainings)
    content = results(title, records, run, checks)
    show.write_json(content, out / "demo.json")
    atomic_write(out / "demo.html", page(content))
    picture(content, out / "demo.png")
    return content


def _show(content: dict[str, Any]) -> None:
    from ..helpers.units import joules, ratio
    from ..report import checks_table, comparison_table
    from .engines import say_ratios

    records = content["networks"]
    show.console.print(checks_table(content["checks"]))
    show.console.print(comparison_table(records))
    for record in records:
        totals = record["totals"]
        show.say(
            f"{record['name']}: {joules(totals['energy'])} per image, {ratio(totals['ratio'])} of its ANN twin "
            f"({ratio(totals['ratio_low'])} .. {ratio(totals['ratio_high'])} over the model's documented variants)"
        )
        say_ratios(record)
    first, second = (record["totals"] for record in records)
    show.say(
        f"{records[0]['name']} against {records[1]['name']}: events {ratio(first['events'] / second['events'])}, "
        f"energy {ratio(first['energy'] / second['energy'])}"
    )
