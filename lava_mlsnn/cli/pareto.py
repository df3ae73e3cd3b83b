"""``mlsnn pareto``"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import options, show


def pareto(
    results: Annotated[
        list[Path], typer.Argument(help="JSON files of mlsnn energy, simulate or report.", show_default=False)
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Picture: .png, .svg or .pdf.")] = Path("pareto.png"),
    title: Annotated[str, typer.Option(help="Of the picture.", show_default=False)] = "",
    force: options.Force = False,
) -> None:
    """Draw accuracy against joules, with the front that no network beats; the same numbers as CSV beside it.

    Networks of the same name in several files are one point, their mean with standard deviations.

    [bold]Example:[/] mlsnn pareto multilevel.energy.json binary.energy.json -o front.svg
    """
    from ..helpers.files import atomic_write
    from ..helpers.reading import read_json
    from ..report.pareto import FORMATS, draw, points, table
    from . import target

    if (kind := output.suffix.removeprefix(".")) in FORMATS:
        target.check(output, kind, force=force)
        target.check(output.with_suffix(".csv"), "csv", ("series", "joules"), force)
    found = points({str(path): read_json(path, "such as mlsnn energy writes") for path in results})
    picture = draw(found, output, title)
    written = output.with_suffix(".csv")
    atomic_write(written, table(found))
    show.wrote(picture, written)
