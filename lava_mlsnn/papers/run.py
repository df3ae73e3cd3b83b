"""Reproduce: from names of items to CSV, PNG and Markdown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ..helpers.files import atomic_write, check_writable, replacing
from ..report.record import versions
from . import hypotheses
from .bibliography import cited
from .findings import Findings, markdown
from .registry import ITEMS, MISSING, Item, find
from .request import Request
from .verdicts import HEADING, explained, listed

_PACKAGES = ("python", "lava-mlsnn", "torch", "numpy", "lightning")


def run(names: str | Sequence[str], request: Request, announce: Callable[[Item], None] | None = None) -> list[Path]:
    """Reproduce an item, or several, which also get a page together.

    What is trained is kept in ``request.out / "runs"``: an interrupted reproduction goes on where it stopped, and items
    share trainings.

    Args:
        names: one or more, see :func:`lava_mlsnn.papers.find`.
        request: data, preset, seeds, folder.
        announce: called with each item before its work.

    Returns:
        The files written: ``ITEM.csv``, ``.png`` and ``.md`` for each item, and the page of several.

    Raises:
        ValueError: an unknown item, or data that do not fit it.

    Example:
        >>> import tempfile
        >>> [path.name for path in run("fig5", Request(out=Path(tempfile.mkdtemp())))]
        ['paper000-fig5.csv', 'paper000-fig5.png', 'paper000-fig5.md']
    """
    names = (names,) if isinstance(names, str) else tuple(names)
    paths: list[Path] = []
    found = []
    for item in find(*names):
        check_writable(Path(request.out) / f"{item.name}.csv")
    for item in find(*names):
        if announce is not None:
            announce(item)
        findings = item.findings(request)
        found.append((item, findings))
        paths += _write(item, findings, request)
    if len(found) > 1:
        paths.append(_write_page(found, request, names))
    return paths


def _write(item: Item, findings: Findings, request: Request) -> tuple[Path, Path, Path]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    request.out.mkdir(parents=True, exist_ok=True)
    csv, png, text = (request.out / f"{item.name}.{ending}" for ending in ("csv", "png", "md"))
    atomic_write(csv, findings.rows.to_csv(index=False))
    figure = Figure(figsize=findings.size, layout="constrained")
    FigureCanvasAgg(figure)
    findings.draw(figure)
    figure.suptitle(findings.title, fontsize=10, x=0.01, ha="left")
    with replacing(png) as part:
        figure.savefig(part, format="png", dpi=110, metadata={"Software": None})
    lines = [f"## {findings.title}", *_text(findings), f"![{findings.title}]({png.name})"]
    lines.append(f"Made by `{request.command(item.name)}`; {_versions()}.")
    atomic_write(text, "\n\n".join(lines) + "\n")
    return csv, png, text


def _text(findings: Findings) -> list[str]:
    """Paragraphs: notes, tables, relations."""
    lines = list(findings.notes)
    for caption, table in findings.tables.items():
        lines += [f"**{caption}**", markdown(table)]
    if findings.relations:
        lines.append("\n".join(map(explained, findings.relations)))
    return lines


def _write_page(found: Sequence[tuple[Item, Findings]], request: Request, names: Sequence[str]) -> Path:
    """One Markdown page of several items, without pictures: the relations first, then the items.

    Items of the same papers that were not asked for are named as not done.
    """
    where = request.dataset()
    papers = list(dict.fromkeys(item.paper for item, _ in found))
    title = "-".join(papers)
    lines = [
        f"# {title.replace('paper', 'Paper ')} on {where.name}, preset {request.preset}",
        *map(cited, papers),
        f"Data: {where.source} Seeds {', '.join(map(str, request.seeds))}; numbers are mean ± standard deviation over "
        "them. Energies are estimates from counted events by a published 45 nm model, not measurements. Accuracies are "
        f"compared by a bootstrap paired over test images and seeds, each at {hypotheses.CONFIDENCE:.2%}, so that "
        f"{hypotheses.CLAIMS} verdicts together err with {hypotheses.ERROR:.0%}; what was asked, and how it is "
        "decided, was written down before (lava_mlsnn/papers/hypotheses.py).",
        f"Made by `{request.command(' '.join(names))}`; {_versions()}. The same command draws the figures "
        "and writes every number as CSV.",
    ]
    done = {item.name for item, _ in found}
    left = [item.short for item in ITEMS.values() if item.paper in papers and item.name not in done]
    if left:
        lines.append(f"Not done here: {', '.join(left)}.")
    lines += [f"Nothing here does: {'; '.join(MISSING[paper])}." for paper in papers if paper in MISSING]
    lines.append(HEADING)
    lines.append("\n".join(listed(item.short, r) for item, f in found for r in f.relations))
    for _, findings in found:
        lines += [f"## {findings.title}", *(line for line in _text(findings) if line not in lines)]
    return atomic_write(request.out / f"{title}.md", "\n\n".join(lines) + "\n")


def _versions() -> str:
    found = versions()
    return ", ".join(f"{name} {found[name]}" for name in _PACKAGES if found.get(name))
