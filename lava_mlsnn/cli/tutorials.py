"""``mlsnn tutorials``"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import show


def tutorials(
    folder: Annotated[Path, typer.Argument(help="Folder for the notebooks.", show_default=False)],
    force: Annotated[bool, typer.Option("--force", help="Overwrite notebooks of these names.")] = False,
) -> None:
    """Write the tutorials, Jupyter notebooks, into a folder.

    [bold]Example:[/] mlsnn tutorials my_tutorials
    """
    from ..helpers import shipped
    from ..helpers.files import atomic_write

    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder}: a file, expected a folder")
    notebooks = sorted(shipped.folder("tutorials").glob("*.ipynb"))
    there = [notebook.name for notebook in notebooks if _is_another(folder / notebook.name, notebook)]
    if there and not force:
        raise ValueError(f"{folder} has {', '.join(there)} already: --force overwrites, or choose another folder")
    folder.mkdir(parents=True, exist_ok=True)
    show.wrote(*(atomic_write(folder / notebook.name, notebook.read_bytes()) for notebook in notebooks))


def _is_another(path: Path, notebook: Path) -> bool:
    """Whether something else is there than the notebook itself, which an earlier call may have written."""
    return path.exists() and not (path.is_file() and path.read_bytes() == notebook.read_bytes())
