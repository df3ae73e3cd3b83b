"""Accuracy against joules: points of any number of results, the ones that no other beats, a picture and a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import nan
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from ..helpers import units
from ..helpers.check import finite
from ..helpers.doors import door
from ..helpers.files import replacing
from ..plot.style import literal
from .picture import COLOURS

FORMATS = ("png", "svg", "pdf")
_PLAIN: dict[str, dict[str, Any]] = {
    "png": {"Software": None}, "svg": {"Date": None, "Creator": None}, "pdf": {"CreationDate": None, "Creator": None},
}  # fmt: skip
"""What is not to stand in a file, so that the same points make the same picture."""

LONGEST = 200
"""Characters of a name."""

MOST = 1e9
"""Joules of an image; more is a mistake."""

ACCURACIES = ("engine", "lava", "quantized", "float")
"""Keys of a record's accuracies, the one that the events were counted with first."""


@dataclass(frozen=True)
class Point:
    """A network on the plane, mean over the records of its name in its series (over seeds).

    Args:
        series: points of one color, joined by a line.
        name: of the network.
        accuracy, joules: share of right labels, joules per image.
        share: of the ANN's energy; nan where the records do not say.
        accuracy_std, joules_std: standard deviations (n - 1); 0 of a single record.
        records: number of them.
    """

    series: str
    name: str
    accuracy: float
    joules: float
    share: float
    accuracy_std: float = 0.0
    joules_std: float = 0.0
    records: int = 1

    @classmethod
    def of(cls, records: Sequence[Mapping[str, Any]]) -> Point:
        """The mean of records of one network."""
        rights, joules = ([value(r) for r in records] for value in (_accuracy, _joules))
        anns = [_ann(r) for r in records]
        shares = [j / a for j, a in zip(joules, anns, strict=True) if a]
        right_std, joules_std = (stdev(values) if len(values) > 1 else 0.0 for values in (rights, joules))
        share = fmean(shares) if shares else nan
        mean = (fmean(rights), fmean(joules), share)
        return cls(_series(records[0]), str(records[0]["name"]), *mean, right_std, joules_std, len(records))


def points(documents: Mapping[str, Any]) -> list[Point]:
    """Points of JSON documents by the names of their files: what ``mlsnn energy``, ``simulate``, ``report`` wrote.

    A record is a point if it has an accuracy and an energy; records of one name and series are one point, their mean.
    A record can name its ``series``; else each network is one.

    Raises:
        ValueError: a document without such a record; names its file.

    Example:
        >>> def record(right, joules):
        ...     return {"name": "net", "accuracy": {"engine": right}, "totals": {"energy": joules, "energy_ann": 4e-6}}
        >>> found = points({"a.json": record(0.9, 1e-6), "b.json": {"networks": [record(0.92, 3e-6)]}})
        >>> [(p.name, round(p.accuracy, 3), p.joules, p.share, p.records) for p in found]
        [('net', 0.91, 2e-06, 0.5, 2)]
    """
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for file, document in documents.items():
        with door(file):
            records = [r for r in _records(document) if is_point(r) and Point.of([r])]
        if not records:
            raise ValueError(
                f"{file}: expected records with accuracy and totals.energy, such as mlsnn energy writes, found none"
            )
        for record in records:
            found.setdefault((_series(record), str(record["name"])), []).append(record)
    return [Point.of(group) for group in found.values()]


def front(found: Iterable[Point]) -> list[Point]:
    """The points that no other beats in both, from the cheapest to the best.

    Example:
        >>> made = [Point("s", n, a, j, 1.0) for n, a, j in (("a", 0.9, 1), ("b", 0.8, 2), ("c", 0.95, 3))]
        >>> [p.name for p in front(made)]
        ['a', 'c']
    """
    best: list[Point] = []
    for point in sorted(found, key=lambda p: (p.joules, -p.accuracy)):
        if not best or point.accuracy > best[-1].accuracy:
            best.append(point)
    return best


def draw(found: Sequence[Point], path: str | Path, title: str = "") -> Path:
    """Write a picture, as PNG, SVG or PDF by the ending of its name; the front is a gray line.

    Raises:
        ValueError: another ending.
    """
    kind = Path(path).suffix.removeprefix(".")
    if kind not in FORMATS:
        raise ValueError(f"{path}: expected a name that ends in .{', .'.join(FORMATS)}, got {Path(path).name!r}")
    figure = _figure(found, title)
    with replacing(path) as part:
        figure.savefig(part, format=kind, dpi=120, metadata=_PLAIN[kind])
    return Path(path)


def svg(found: Sequence[Point]) -> str:
    """The picture as an ``<svg>`` element, for a page."""
    text = io.StringIO()
    _figure(found, "").savefig(text, format="svg", metadata=_PLAIN["svg"])
    return text.getvalue()[text.getvalue().index("<svg") :]


def table(found: Sequence[Point]) -> str:
    """The points as CSV, with a column that says which are on the front."""
    text, best = io.StringIO(), front(found)
    names = ("series", "name", "accuracy", "accuracy_std", "joules", "joules_std", "share", "records")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow([*names, "front"])
    rows.writerows([*(getattr(p, name) for name in names), p in best] for p in found)
    return text.getvalue()


def _figure(found: Sequence[Point], title: str) -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.8), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    unit, factor = _unit(found)
    best = front(found)
    places = [p.joules * factor for p in best], [100 * p.accuracy for p in best]
    axes.step(*places, where="post", color="0.75", zorder=0, label="front")
    series = dict.fromkeys(p.series for p in found)
    for color, name in zip(_cycle(len(series)), series, strict=True):
        mine = sorted((p for p in found if p.series == name), key=lambda p: p.joules)
        places = [p.joules * factor for p in mine], [100 * p.accuracy for p in mine]
        xerr, yerr = [p.joules_std * factor for p in mine], [100 * p.accuracy_std for p in mine]
        axes.errorbar(*places, yerr, xerr, marker="o", markersize=5, capsize=2, linewidth=1, color=color, label=name)
        for p, place in zip(mine, zip(*places, strict=True), strict=True):
            if p.name != name:
                axes.annotate(p.name, place, xytext=(4, -10), textcoords="offset points", fontsize=7)
    axes.set(xlabel=f"energy per image, {unit}", ylabel="accuracy, %", title=title)
    axes.legend(fontsize=8, frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    literal(figure)
    for artist in (*axes.lines, *axes.collections):
        artist.set_clip_on(False)  # a page fetches nothing: no url(...), not even of its own clip path
    return figure


def _records(document: Any) -> list[Any]:
    if not isinstance(document, Mapping):
        return []
    return list(document["networks"]) if isinstance(document.get("networks"), list) else [document]


def is_point(record: Any) -> bool:
    """Whether a record has an accuracy and an energy."""
    wanted = isinstance(record, Mapping) and {"name", "accuracy", "totals"} <= record.keys()
    return wanted and bool(record["totals"].get("energy")) and any(k in record["accuracy"] for k in ACCURACIES)


def _series(record: Mapping[str, Any]) -> str:
    for key in ("series", "name"):
        if len(text := str(record.get(key, record["name"]))) > LONGEST:
            raise ValueError(f"a {key} of {len(text):,} characters, expected at most {LONGEST}: {text[:20]} ...")
    return str(record.get("series", record["name"]))


def _accuracy(record: Mapping[str, Any]) -> float:
    how = next(key for key in ACCURACIES if key in record["accuracy"])
    return finite(record["accuracy"][how], f"accuracy of {record['name']}", low=0, high=1)


def _joules(record: Mapping[str, Any]) -> float:
    return finite(record["totals"]["energy"], f"energy of {record['name']}", positive=True, high=MOST)


def _ann(record: Mapping[str, Any]) -> float | None:
    ann = record["totals"].get("energy_ann")
    return finite(ann, f"energy_ann of {record['name']}", positive=True, high=MOST) if ann else None


def _unit(found: Sequence[Point]) -> tuple[str, float]:
    """Unit of the axis, and what joules are multiplied by."""
    largest = max(p.joules for p in found)
    factor, prefix = next((p for p in units.PREFIXES if largest >= p[0]), units.PREFIXES[-1])
    return f"{prefix}J", 1 / factor


def _cycle(count: int) -> list[str]:
    return [COLOURS[i % len(COLOURS)] for i in range(count)]
