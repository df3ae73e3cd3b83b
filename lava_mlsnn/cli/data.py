"""``mlsnn data``: which data sets there are, and whether a copy is complete and right."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from . import options, show

if TYPE_CHECKING:
    from ..data import made
    from ..data._published import Finding

app = typer.Typer(
    name="data",
    help="Data sets: which there are, and whether a copy of one is complete and right.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

make = typer.Typer(
    help="Make data that stand in for others, on this machine: synthetic speech, simulated event cameras.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
app.add_typer(make, name="make")

Out = Annotated[
    Path | None, typer.Option(help="A new folder.", show_default="where the data are looked for, $MLSNN_DATA or ./data")
]
Seed = Annotated[int, typer.Option(help="The same seed gives the same bytes.")]


@app.command("list")
def list_(
    json: options.AlsoJson = None,
) -> None:
    """List the data sets by name: what each is, whether it is found, where to get it.

    [bold]Example:[/] MLSNN_DATA=/data mlsnn data list
    """
    from ..data import registry
    from . import target

    if json:
        target.check(json, "json", ("datasets",))
    rows = [_known(name) for name in registry.names()]
    table = Table("name", "what", pad_edge=False)
    for column in ("found", "where to get it"):
        table.add_column(column, overflow="fold")  # paths and addresses are of use as a whole only
    for row in rows:
        table.add_row(*(escape(str(row[key])) for key in ("name", "title", "found", "page")))
    show.console.print(table)
    place = os.environ.get(registry.VARIABLE)
    show.say(f"{registry.VARIABLE}={place}" if place else f"{registry.VARIABLE} is not set: name data as NAME:PATH")
    if json:
        show.wrote(show.write_json({"variable": registry.VARIABLE, "folder": place or "", "datasets": rows}, json))


@app.command("check", no_args_is_help=True)
def check(
    what: Annotated[
        str, typer.Argument(help="NAME, NAME:PATH, or the path alone, also of one's own data.", show_default=False)
    ],
    json: options.AlsoJson = None,
) -> None:
    """Check whether a copy is complete and correct: files, md5 sums, shapes, numbers per class; reads all of it.

    Of one's own images and recordings: numbers, shape, classes, values, split, and what is wrong with them.

    Exit code 1 if anything is not as published, or wrong.

    [bold]Examples:[/]

    mlsnn data check cifar10:/data/cifar-10-python.tar.gz

    mlsnn data check mine.npz,test=0.3
    """
    from ..data import registry
    from . import target

    if json:
        target.check(json, "json", ("findings",))
    name = registry.named(what)
    own = not registry.is_name(name) or name.startswith("events:")
    with show.counting(f"reading {name}") as progress:
        findings = registry.check(name, progress=progress)
    _print(name, findings)
    failed = [finding for finding in findings if not finding.passed]
    if json:
        content: dict[str, Any] = {"data": name, "passed": not failed, "findings": [f.to_dict() for f in findings]}
        show.wrote(show.write_json(content, json))
    if failed:
        published = registry.published(name)
        advice = f"; to mend it, {published.how_to_get()}" if published else ""
        wrong = "need a look" if own else "are not as published"
        show.say(f"{len(failed)} of {len(findings)} findings {wrong}{advice}", "bold red")
        raise typer.Exit(1)
    show.say(f"{name}: {'nothing is wrong' if own else 'complete and right'}")


@make.command("speech-synthetic")
def speech_synthetic(
    out: Out = None,
    speakers: Annotated[int, typer.Option(help="Made-up speakers; their voices are kept apart.")] = 120,
    takes: Annotated[int, typer.Option(help="Clips of each of the 35 words by each speaker.")] = 2,
    seed: Seed = 0,
    programs: Annotated[
        str | None,
        typer.Option(help="That speak: espeak-ng, flite.", show_default="espeak-ng, and flite if it is installed"),
    ] = None,
) -> None:
    """Have programs speak the 35 words of Speech Commands v2, with noise, into the published folder layout.

    A synthetic stand-in: accuracies on it say nothing about people's speech.

    [bold]Example:[/] mlsnn data make speech-synthetic --speakers 40 && mlsnn data check speech-synthetic
    """
    from ..data import speech_synthetic as synthetic

    with _making(synthetic.NAME, out) as (folder, progress):
        chosen = None if programs is None else programs.split(",")
        synthetic.make(folder, speakers, takes, seed, chosen, progress)


@make.command("fashion-dvs")
def fashion_dvs(
    out: Out = None,
    per_class: Annotated[
        int | None, typer.Option(help="Training images of each class.", show_default="all 6000")
    ] = None,
    test_per_class: Annotated[
        int | None, typer.Option(help="Test images of each class.", show_default="all 1000")
    ] = None,
    size: Annotated[int, typer.Option(help="Rows and columns of the sensor, 16 .. 240.")] = 34,
    seed: Seed = 0,
    images: Annotated[str, typer.Option(help="The images that are moved, NAME[:PATH].")] = "fashion-mnist",
) -> None:
    """Move Fashion-MNIST's images in front of a simulated event camera, into N-MNIST's folder layout.

    Some hundred images per second; all 70,000 take about 1.3 GB.

    [bold]Example:[/] mlsnn data make fashion-dvs --per-class 1000 --test-per-class 200
    """
    from ..data import fashion_dvs as simulated

    with _making(simulated.NAME, out) as (folder, progress):
        simulated.make(folder, per_class, test_per_class, size, seed, images, progress)


@contextmanager
def _making(name: str, out: Path | None) -> Iterator[tuple[Path, made.Progress]]:
    from ..data import registry

    folder = out or registry.home(name)
    with show.counting(f"making {name}") as progress:
        yield folder, progress
    show.wrote(folder)


def _known(name: str) -> dict[str, Any]:
    from ..data import registry

    published = registry.published(name)
    if published is None:
        title = "one's own recordings, events:PATH" if registry.has_frames(name) else "comes with a package"
        return {"name": name, "title": title, "found": "-", "page": "-"}
    try:
        place = registry.locate(registry.Spec(name))
        found = str(getattr(place, "path", None) or place.root)
    except ValueError:
        found = "no"
    page = published.made or published.page + (f" or apt-get install {published.package}" if published.package else "")
    return {"name": name, "title": published.title, "found": found, "page": page}


def _print(name: str, findings: list[Finding]) -> None:
    table = Table("what", "right", "detail", title=escape(name), title_justify="left", pad_edge=False)
    for finding in findings:
        mark = "[green]yes[/]" if finding.passed else "[bold red]no[/]"
        table.add_row(escape(finding.what), mark, escape(finding.detail))
    show.console.print(table)
