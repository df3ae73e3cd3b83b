"""Findings on disk: CSV, PNG and a text; the texts of several items as one page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..report.record import versions
from .findings import Findings, markdown
from .registry import ITEMS, Item
from .request import Request

_TOLD = ("python", "lava-mlsnn", "torch", "numpy", "lightning")


@dataclass(frozen=True)
class Written:
    """The files of one item."""

    item: Item
    csv: Path
    png: Path
    text: Path

    @property
    def paths(self) -> tuple[Path, ...]:
        """All of them."""
        return self.csv, self.png, self.text


def write(item: Item, findings: Findings, request: Request) -> Written:
    """Write ``<item>.csv``, ``.png`` and ``.md`` into the folder of the request."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    request.out.mkdir(parents=True, exist_ok=True)
    base = request.out / item.name
    done = Written(item, base.with_suffix(".csv"), base.with_suffix(".png"), base.with_suffix(".md"))
    findings.rows.to_csv(done.csv, index=False)
    figure = Figure(figsize=findings.size, layout="constrained")
    FigureCanvasAgg(figure)
    findings.draw(figure)
    figure.suptitle(findings.title, fontsize=10, x=0.01, ha="left")
    figure.savefig(done.png, dpi=110, metadata={"Software": None})
    lines = [f"## {findings.title}", *text_of(findings)]
    lines += [f"![{findings.title}]({done.png.name})", f"Made by `{request.command(item.name)}`; {_versions()}."]
    done.text.write_text("\n\n".join(lines) + "\n", encoding="utf-8")
    return done


def text_of(findings: Findings) -> list[str]:
    """Paragraphs: notes, tables, relations."""
    lines = list(findings.notes)
    for caption, table in findings.tables.items():
        lines += [f"**{caption}**", markdown(table)]
    lines += [
        "\n".join(f"- {relation.claim}: {relation.verdict} ({relation.numbers})." for relation in findings.relations)
    ] * bool(findings.relations)
    return lines


def page(found: Sequence[tuple[Item, Findings]], request: Request, names: Sequence[str]) -> Path:
    """One Markdown page of several items, without pictures: the relations first, then the items. Returns its path.

    Items of the same papers that were not asked for are named as not done.
    """
    where = request.dataset()
    papers = "-".join(dict.fromkeys(item.paper for item, _ in found))
    lines = [
        f"# {papers.replace('paper', 'Paper ')} on {where.name}, preset {request.preset}",
        f"Data: {where.source} Seeds {', '.join(map(str, request.seeds))}; numbers are mean ± standard deviation over "
        'them. Energies are estimates from counted events by a published 45 nm model, not measurements. "Same '
        "accuracy\" holds where Welch's 95 % interval for the difference contains 0: these seeds do not tell the two "
        "apart, which is no proof that they are equal.",
        f"Made by `{request.command(' '.join(names))}`; {_versions()}. The same command draws the figures "
        "and writes every number as CSV.",
    ]
    done = {item.name for item, _ in found}
    left = [item.short for item in ITEMS.values() if item.paper in papers.split("-") and item.name not in done]
    lines += [f"Not done here: {', '.join(left)}."] * bool(left)
    lines.append("## What the paper says, and what these runs say")
    lines.append(
        "\n".join(
            f"- {item.short}: {relation.claim}: {relation.verdict}." for item, f in found for relation in f.relations
        )
    )
    for _, findings in found:
        lines += [f"## {findings.title}", *(line for line in text_of(findings) if line not in lines)]
    path = request.out / f"{papers}.md"
    path.write_text("\n\n".join(lines) + "\n", encoding="utf-8")
    return path


def _versions() -> str:
    found = versions()
    return ", ".join(f"{name} {found[name]}" for name in _TOLD if found.get(name))
