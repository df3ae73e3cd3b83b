"""``mlsnn data``: which data sets there are, and whether a copy is complete and right."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from . import options, show

if TYPE_CHECKING:
    from ..data._published import Finding

app = typer.Typer(
    name="data",
    help="Data sets: which there are, and whether a copy of one is complete and right.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)


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
    page = published.page + (f" or apt-get install {published.package}" if published.package else "")
    return {"name": name, "title": published.title, "found": found, "page": page}


def _print(name: str, findings: list[Finding]) -> None:
    table = Table("what", "right", "detail", title=escape(name), title_justify="left", pad_edge=False)
    for finding in findings:
        mark = "[green]yes[/]" if finding.passed else "[bold red]no[/]"
        table.add_row(escape(finding.what), mark, escape(finding.detail))
    show.console.print(table)
