"""Reproduce: from a name to files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from .registry import Item, find
from .request import Request
from .write import page, write


def run(names: str | Sequence[str], request: Request, told: Callable[[Item], None] | None = None) -> list[Path]:
    """Reproduce an item, or several, which also get a page together.

    What is trained is kept in ``request.out / "runs"``: an interrupted reproduction goes on where it stopped, and items
    share trainings.

    Args:
        names: one or more, see :func:`lava_mlsnn.papers.find`.
        request: data, preset, seeds, folder.
        told: called with each item before its work.

    Returns:
        The files written.

    Raises:
        ValueError: an unknown item, or data that do not fit it.

    Example:
        >>> import tempfile
        >>> [path.name for path in run("fig5", Request(out=Path(tempfile.mkdtemp())))]
        ['paper000-fig5.csv', 'paper000-fig5.png', 'paper000-fig5.md']
    """
    names = (names,) if isinstance(names, str) else tuple(names)
    items = find(*names)
    paths: list[Path] = []
    found = []
    for item in items:
        if told is not None:
            told(item)
        findings = item.findings(request)
        found.append((item, findings))
        paths += write(item, findings, request).paths
    if len(items) > 1:
        paths.append(page(found, request, names))
    return paths
