"""Verdicts of two runs beside each other: which of them stay where the seeds, or the machine, are others.

A page of :func:`lava_mlsnn.papers.run` is the record of a run: its verdicts are read from there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..helpers.doors import door
from .findings import VERDICTS, Relation, markdown

HEADING = "## What the paper says, and what these runs say"
"""Above a page's list of verdicts."""

_LISTED = re.compile(rf"- (\w+): (.+): ({'|'.join(map(re.escape, VERDICTS.values()))})\.")
_HOLDS = {words: holds for holds, words in VERDICTS.items()}


def listed(item: str, relation: Relation) -> str:
    """A line of a page's list of verdicts."""
    return f"- {item}: {relation.claim}: {relation.verdict}."


def explained(relation: Relation) -> str:
    """A line of an item's own section: the verdict and what it was decided on."""
    return f"- {relation.claim}: {relation.verdict} ({relation.numbers})."


@dataclass(frozen=True)
class Page:
    """What a page says.

    Args:
        title: paper, data and preset.
        command: that made it.
        relations: by item and claim.
    """

    title: str
    command: str
    relations: Mapping[tuple[str, str], Relation]


def read(path: Path) -> Page:
    """The verdicts of a page that :func:`lava_mlsnn.papers.run` wrote.

    Raises:
        ValueError: no such page; the message names the file.
    """
    with door(path):
        lines = path.read_text(encoding="utf-8").splitlines()
        command = next((line for line in lines if line.startswith("Made by `mlsnn reproduce ")), None)
        if command is None or HEADING not in lines or not lines[0].startswith("# "):
            raise ValueError(f"{path}: expected a page of several items that mlsnn reproduce wrote")
        rest = iter(lines[lines.index(HEADING) + 1 :])
        found = []
        for line in rest:
            if line.startswith("#"):
                break
            if match := _LISTED.fullmatch(line):
                found.append(match.groups())
        relations = {}
        for item, claim, words in found:  # the sections have the same order
            begin = explained(Relation(claim, _HOLDS[words], "")).removesuffix(").")
            detail = next((line for line in rest if line.startswith(begin)), None)
            if detail is None:
                raise ValueError(f"{path}: {item}: {claim}: expected a line in the item's section, too, found none")
            if (item, claim) in relations:
                raise ValueError(f"{path}: {item}: {claim}: expected it once, found it twice")
            relations[item, claim] = Relation(claim, _HOLDS[words], detail.removeprefix(begin).removesuffix(")."))
    return Page(lines[0].removeprefix("# "), command.split("`")[1], relations)


@dataclass(frozen=True)
class Agreement:
    """Two runs of the same items.

    Args:
        first, second: their pages.

    Raises:
        ValueError: pages of other papers, data or presets.

    Example:
        >>> first, second = (
        ...     Page("Paper", "mlsnn reproduce fig6", {("fig6", "a beats b"): Relation("a beats b", holds, numbers)})
        ...     for holds, numbers in ((True, "+1.0 points"), (None, "+0.1 points"))
        ... )
        >>> both = Agreement(first, second)
        >>> both.changed, both.contrary
        ([('fig6', 'a beats b')], [])
    """

    first: Page
    second: Page

    def __post_init__(self) -> None:
        if self.first.title != self.second.title:
            raise ValueError(f"pages: expected two of the same title, got {self.first.title!r}, {self.second.title!r}")

    @property
    def both(self) -> list[tuple[str, str]]:
        """Item and claim of what both runs decide, in the first page's order."""
        return [key for key in self.first.relations if key in self.second.relations]

    @property
    def alone(self) -> int:
        """How many claims only one of them decides: other items, or a claim that names what came out."""
        return len(self.first.relations) + len(self.second.relations) - 2 * len(self.both)

    @property
    def exact(self) -> list[tuple[str, str]]:
        """Those with the same numbers in both: no training has a part in them."""
        return [key for key in self.both if self.first.relations[key] == self.second.relations[key]]

    @property
    def trained(self) -> list[tuple[str, str]]:
        """The others."""
        return [key for key in self.both if key not in self.exact]

    @property
    def changed(self) -> list[tuple[str, str]]:
        """Those whose verdicts differ."""
        return [key for key in self.trained if self.first.relations[key].holds != self.second.relations[key].holds]

    @property
    def contrary(self) -> list[tuple[str, str]]:
        """Those that hold in one run and do not in the other."""
        return [key for key in self.changed if None not in (r.relations[key].holds for r in (self.first, self.second))]


def agreement(pairs: Sequence[tuple[Path, Path]]) -> str:
    """A Markdown page: for each pair of pages how many verdicts stay, then each with the numbers of both runs.

    Args:
        pairs: pages of a first and of a second run of the same items.

    Raises:
        ValueError: a file that is no page, two pages of other papers, data or presets, or no claim in both.
    """
    found = [Agreement(read(first), read(second)) for first, second in pairs]
    for one, (first, second) in zip(found, pairs, strict=True):
        if not one.trained:
            raise ValueError(f"{first}, {second}: expected claims that both runs decide by trainings, found none")
    lines = [
        "# The papers' verdicts in a second run",
        "Claims that were decided by trained networks in both runs. *Open* in one of them: it cannot tell, the other "
        "can; *contrary*: it holds in one run and does not in the other.",
        _table(found),
    ]
    for one in found:
        lines += [f"## {one.first.title}", f"First run: `{one.first.command}`; second: `{one.second.command}`."]
        same = [key for key in one.trained if key not in one.changed]
        for title, keys in (("Other verdicts", one.changed), ("The same verdicts", same)):
            if keys:
                lines += [f"### {title}", "\n".join(_told(one, key) for key in keys)]
    return "\n\n".join(lines) + "\n"


def _table(found: Sequence[Agreement]) -> str:
    import pandas as pd

    columns = ("claims", "the same", "open in one", "contrary", "in one page only", "decided without trainings")
    counts = [
        (
            len(one.trained),
            len(one.trained) - len(one.changed),
            len(one.changed) - len(one.contrary),
            len(one.contrary),
            one.alone,
            len(one.exact),
        )
        for one in found
    ]
    rows: list[tuple[object, ...]] = [(one.first.title, *row) for one, row in zip(found, counts, strict=True)]
    if len(rows) > 1:
        rows.append(("together", *map(sum, zip(*counts, strict=True))))
    return markdown(pd.DataFrame(rows, columns=["page", *columns]))


def _told(one: Agreement, key: tuple[str, str]) -> str:
    first, second = (page.relations[key] for page in (one.first, one.second))
    if first.holds == second.holds:
        words = f"{first.verdict} in both runs (first: {first.numbers}. Second: {second.numbers})"
    else:
        words = f"{first.verdict} in the first run ({first.numbers}), {second.verdict} in the second ({second.numbers})"
    return f"- {key[0]}: {first.claim}: {words}."
