"""``mlsnn shipped``"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..helpers.check import choice
from ..helpers.doors import door
from ..helpers.reading import read_json
from . import options, show

if TYPE_CHECKING:
    from ..netx import NetGraph
    from ..sim import Run

MANIFEST = "manifest.json"
FORMAT = 1


def shipped(
    out: Annotated[Path, typer.Option(help="Folder of the nets and their manifest.")] = Path("netx_exports"),
    only: Annotated[list[str] | None, typer.Option(help="Names; the others stay as they are.")] = None,
    runs: Annotated[
        Path | None,
        typer.Option(help="Folder of their trainings; one that was cut off goes on."),
    ] = None,
) -> None:
    """Train the nets that tests and tutorials load again, compare all engines on them, and write their manifest.

    Those of Fashion-MNIST take a quarter of an hour and more each; --only chooses.

    [bold]Example:[/] mlsnn shipped --out netx_exports
    """
    regenerate(out, only or None, runs)


def regenerate(out: Path, only: list[str] | None = None, runs: Path | None = None) -> dict[str, Any]:
    """Make the shipped nets and ``manifest.json``; returns the manifest.

    Args:
        out: their folder.
        only: names; the others stay as they are.
        runs: folder with a folder of its training for each, which goes on from there; None keeps none.

    Raises:
        ValueError: an unknown name, data that cannot be loaded, or a network on which two engines differ: nothing is
            written for it.
    """
    from .. import data
    from ..report.record import versions
    from ..train import EXPERIMENTS

    names = list(only or EXPERIMENTS)
    for name in names:
        choice(name, "network", EXPERIMENTS)
    for dataset in dict.fromkeys(EXPERIMENTS[name].dataset for name in names):
        data.load(dataset)  # a missing package fails here, not after the first trainings
    options.use_threads(1)
    manifest = read_manifest(out) if only else {}
    nets = dict(manifest.get("nets", {}))
    for name in names:
        nets[f"{name}.net"] = _make(name, out, runs)
    manifest = {
        "format": FORMAT,
        "command": "mlsnn shipped --out netx_exports",
        "versions": versions(),
        "nets": {f"{name}.net": nets[f"{name}.net"] for name in EXPERIMENTS if f"{name}.net" in nets},
    }
    show.wrote(show.write_json(manifest, out / MANIFEST))
    return manifest


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a folder of nets; ValueError if there is none or of another format."""
    path = folder / MANIFEST
    if not path.is_file():
        raise ValueError(f"{path}: expected the manifest of exported nets, found none")
    with door(path):
        manifest: dict[str, Any] = read_json(path, "of exported nets")
        if manifest.get("format") != FORMAT:
            raise ValueError(f"{path}: format {manifest.get('format')!r}, expected {FORMAT}")
        return manifest


def measures(graph: NetGraph, run: Run) -> dict[str, Any]:
    """Joules of an image by the model lemaire, beside the ANN of the same shapes; parameters; cores of a Loihi 2."""
    from ..report import network_record

    record = network_record("", graph, run.activity, {})
    totals = record["totals"]
    return {
        "energy": {"snn": totals["energy"], "ann": totals["energy_ann"]},
        "parameters": totals["parameters"],
        "cores": record["fit"]["cores"],
    }


def _make(name: str, out: Path, runs: Path | None) -> dict[str, Any]:
    from .. import data, netx
    from ..train import EXPERIMENTS, train
    from . import pipeline
    from .engines import right

    experiment = EXPERIMENTS[name]
    dataset = data.load(experiment.dataset)
    kept = None if runs is None else runs / name
    net, record = train(experiment, out=kept, resume=None, progress=show.error_console, name=name)
    path = out / f"{name}.net"
    item = pipeline.export(name, net, dataset, path)
    count = len(dataset.test_labels)
    for row in pipeline.verify(item, dataset, fused=count, layers=8):
        if not row["passed"]:
            path.unlink()
            raise ValueError(f"{row['what']}: {row['detail']}")
    engine = right(item.run, dataset)  # Lava on every test image gave the very same outputs
    return {
        "command": experiment.command,
        "seed": experiment.seed,
        "dataset": experiment.dataset,
        "timesteps": item.graph.timesteps,
        "levels": experiment.options["levels"],
        "accuracy": {**record["accuracy"], "engine": engine, "lava": engine},
        "test_images": count,
        **measures(item.graph, item.run),
        "bytes": path.stat().st_size,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "digest": netx.digest(item.graph),
    }
