"""How the command line shows things: consoles, progress, messages."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from ..helpers import files
from ..helpers.doors import printable
from ..helpers.starting import NOTHING_KEPT

PLAIN_WIDTH = 112
"""Columns of a table where there is no terminal."""


class _Console(Console):
    """One on which names of files, layers and digests are shown, whatever they hold: no text drives the terminal."""

    def render_str(self, text: str, **style: Any) -> Text:
        return super().render_str("\n".join(map(printable, text.split("\n"))), **style)


def _console(stderr: bool = False) -> Console:
    found = _Console(stderr=stderr, emoji=False)  # names of files and layers may have colons
    return found if found.is_terminal else _Console(stderr=stderr, emoji=False, width=PLAIN_WIDTH)


console = _console()
"""Results: standard output."""

error_console = _console(stderr=True)
"""Progress and errors: standard error."""


class _Counter:
    """Takes (done, total) from a library function and moves a progress bar."""

    def __init__(self, progress: Progress, what: str) -> None:
        self.progress = progress
        self.line = progress.add_task(what, total=None)

    def __call__(self, done: int, total: int) -> None:
        self.progress.update(self.line, completed=done, total=total)


@contextmanager
def counting(what: str) -> Iterator[_Counter]:
    """A progress bar for something that reports (done, total)."""
    columns = (TextColumn("{task.description}"), BarColumn(24), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=error_console, disable=not error_console.is_terminal) as progress:
        yield _Counter(progress, printable(what))


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show what is going on; a plain line where there is no terminal."""
    if error_console.is_terminal:
        with error_console.status(printable(what)):
            yield
    else:
        error_console.print(f"{what} ...", highlight=False, soft_wrap=True)
        yield


def say(text: str, style: str | None = None) -> None:
    """A line of results; a long one is left to the terminal to wrap, brackets stay as they are."""
    console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)


def warn(text: str) -> None:
    """A warning about results."""
    error_console.print(f"[bold yellow]warning:[/] {escape(text)}", highlight=False, soft_wrap=True)


def complain(text: str) -> None:
    """One line about a user's mistake."""
    error_console.print(f"[bold red]error:[/] {escape(text)}", highlight=False, soft_wrap=True)


_kept: list[Callable[[], str]] = []


def if_interrupted(kept: Callable[[], str] | None) -> None:
    """What Ctrl-C is to say from here on: what is kept, and how to go on; None: nothing is."""
    _kept[:] = [] if kept is None else [kept]


def interrupted() -> None:
    """The line about a Ctrl-C."""
    error_console.print(
        f"[bold yellow]interrupted:[/] {escape(_kept[0]() if _kept else NOTHING_KEPT)}", highlight=False, soft_wrap=True
    )


def write_json(content: Mapping[str, Any], path: Path) -> Path:
    """Write results as JSON. Where that fails, they go to a temporary folder or to standard output.

    Raises:
        OSError: they could not be written to ``path``; says where they are.
    """
    try:
        return files.write_json(content, path)
    except OSError as error:
        try:
            where = f"are in {files.write_json(content, Path(tempfile.mkdtemp(prefix='mlsnn-')) / path.name)}"
        except OSError:
            console.out(json.dumps(content, indent=1), highlight=False)
            where = "went to standard output"
        raise OSError(f"{error}; the results {where}") from None


def wrote(*paths: Path) -> None:
    """Print which files were written."""
    for path in paths:
        say(f"wrote {path}")
