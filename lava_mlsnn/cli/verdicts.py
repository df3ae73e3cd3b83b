"""``mlsnn verdicts``"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import options, show


def verdicts(
    pages: Annotated[
        list[Path],
        typer.Argument(help="Pages of mlsnn reproduce, in pairs: a first run, a second one.", show_default=False),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Page, in Markdown.")] = Path("verdicts.md"),
    force: options.Force = False,
) -> None:
    """Say which verdicts of two runs of mlsnn reproduce are the same, and which are not, with the numbers of both.

    [bold]Example:[/] mlsnn verdicts seeds012/paper002.md seeds345/paper002.md -o second-run.md
    """
    from ..helpers.files import atomic_write
    from ..papers import agreement
    from . import target

    if len(pages) % 2:
        raise ValueError(f"pages: expected pairs, a first run and a second one, got {len(pages)} files")
    target.check(output, "md", force=force)
    show.wrote(atomic_write(output, agreement(list(zip(pages[::2], pages[1::2], strict=True)))))
