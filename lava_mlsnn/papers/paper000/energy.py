"""Tables 3 and 4 of [Castagnetti2025], energy by term: exact on the paper's geometry, measured on networks trained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from ...energy import paper000
from ...helpers.units import significant
from ...report.picture import COLOURS
from .. import draw as drawing
from ..findings import Findings, Relation, Spread
from ..lab import COUNTINGS
from ..request import Request
from ..table import beside
from . import geometry, published, setting

NANO = 1e-9
PLACES = {"cifar10": "CIFAR-10", "cifar10dvs": "CIFAR10-DVS"}
DATASETS = {3: "cifar10", 4: "cifar10dvs"}
DOMINANT = ("weights", "io", "synaptic", "total")
"""Rows of the ANN column that hold nearly all of its energy."""

Columns = dict[str, dict[str, geometry.Column]]
"""Reading -> name of a column -> its energies."""

Measured = dict[tuple[int, int], dict[str, Spread]]
"""(T, N) -> row -> joules over seeds."""

OF_PAPER = ("qualia", "decoded")
"""Readings of the paper, both with the published counting."""


def table(request: Request, number: int) -> Findings:
    """VGG16: Table 3 at 3 x 32 x 32 with N, T = 4 and 8; Table 4 at 2 x 128 x 128 with N, T = 10."""
    dataset = DATASETS[number]
    data = request.dataset().name
    columns = {r: _columns(dataset, r) for r in geometry.READINGS}
    measured = {pair: setting.vgg(request, pair[1], pair[0]) for pair in geometry.COLUMNS[dataset]}
    ours = {
        counting: {
            pair: {row: Spread.of(o.energy(price).get(row, 0.0) for o in outcomes) for row in paper000.ROWS}
            for pair, outcomes in measured.items()
        }
        for counting, price in COUNTINGS.items()
    }
    first = next(iter(measured.values()))[0]
    twin = {counting: first.energy(price, "ann") for counting, price in COUNTINGS.items()}
    rows = _geometry_rows(dataset, columns)
    rows += [row for counting in ours for row in _measured_rows(data, counting, ours[counting], twin[counting])]
    place = PLACES[dataset]
    tables = {
        f"{place}'s geometry, nJ: paper | published code | decoded reading | exact counting": _geometry_table(
            dataset, columns
        ),
        **{
            f"Measured on {data}, small VGG of its own geometry, nJ ({c} counting)": _measured_table(ours[c], twin[c])
            for c in ours
        },
    }

    def draw(figure: Any) -> None:
        left, right = figure.subplots(1, 2)
        _draw_geometry(left, dataset, columns)
        names = [geometry.name(*pair) for pair in measured]
        totals = {f"{c} counting": [rows["total"] for rows in ours[c].values()] for c in ours}
        drawing.bars(right, names, totals, scale=1e-6)
        for color, counting in zip(COLOURS, ours, strict=False):
            right.axhline(twin[counting]["total"] / 1e-6, color=color, linestyle=":")
        right.set(ylabel="µJ per image", title=f"measured, {data}; dotted: ANN, counted alike")

    return Findings(
        f"Table {number}: energy of VGG16 on {place}'s geometry, and measured on {data}",
        pd.DataFrame(rows),
        draw,
        tables,
        _relations(dataset, columns, ours, data),
        (
            "On the paper's geometry nothing is trained: the ANN column follows from shapes, the SNN columns from the "
            "printed totals of spikes (T = 8 and N = 8: from the In/Out row), spread over the layers at one firing "
            "rate; in brackets, the least and most that any spread of that total gives. The spread is not published, "
            "so these columns are a consistency check, not a reproduction.",
            "The decoded reading was fitted to the ANN columns after the fact "
            "(see lava_mlsnn.energy.paper000): an inference, not a source.",
            "On the paper's geometry the exact counting has the memories and addresses of the decoded reading, true "
            "maps, and events that pay for the positions that they reach, not for the whole kernel whatever the "
            "stride; it is no reading of the paper.",
            setting.note(request),
        ),
        (10.0, 4.4),
    )


def _columns(dataset: str, reading: str) -> dict[str, geometry.Column]:
    ann = geometry.ann(dataset, reading)
    return {
        "ann": geometry.Column(ann, ann, ann, 0.0),
        **{geometry.name(t, n): geometry.snn(dataset, t, n, reading) for t, n in geometry.COLUMNS[dataset]},
    }


def _geometry_table(dataset: str, columns: Columns) -> pd.DataFrame:
    """One line per row of the paper's table, one column per column: printed | qualia | decoded | exact."""

    def cell(column: geometry.Column, row: str) -> str:
        low, high = column.low[row], column.high[row]
        return _nano(column.rows[row]) + ("" if low == high else f" [{_nano(low)} .. {_nano(high)}]")

    def line(name: str, printed: dict[str, float]) -> Callable[[str], str]:
        return lambda row: " / ".join([_nano(printed[row]), *(cell(found[name], row) for found in columns.values())])

    lines = {name: line(name, printed) for name, printed in paper000.PUBLISHED[dataset].items()}
    return beside(paper000.ROWS, {"": str, **lines})


def _measured_table(ours: Measured, twin: dict[str, float]) -> pd.DataFrame:
    measured = {geometry.name(*pair): {row: s.number(NANO) for row, s in rows.items()} for pair, rows in ours.items()}
    return beside(paper000.ROWS, {"": str, "ANN": lambda row: _nano(twin.get(row, 0.0)), **measured})


def _geometry_rows(dataset: str, columns: Columns) -> list[dict[str, Any]]:
    return [
        {
            "source": f"{PLACES[dataset]} geometry, {reading}",
            "column": name,
            "row": row,
            "joules": column.rows[row],
            "low": column.low[row],
            "high": column.high[row],
            "paper": paper000.PUBLISHED[dataset][name][row],
            "spikes": column.spikes,
        }
        for reading, found in columns.items()
        for name, column in found.items()
        for row in paper000.ROWS
    ]


def _measured_rows(data: str, counting: str, ours: Measured, twin: dict[str, float]) -> list[dict[str, Any]]:
    source = f"measured on {data}, {counting} counting"
    rows: list[dict[str, Any]] = [
        {"source": source, "column": "ann", "row": row, "joules": twin.get(row, 0.0)} for row in paper000.ROWS
    ]
    for pair, spreads in ours.items():
        for row, spread in spreads.items():
            column = {"source": source, "column": geometry.name(*pair), "row": row, "joules": spread.mean}
            rows.append({**column, "low": min(spread.values), "high": max(spread.values)})
    return rows


def _relations(dataset: str, columns: Columns, ours: dict[str, Measured], data: str) -> list[Relation]:
    readings = {"exact": ("exact",), "published": OF_PAPER}
    found = [
        _ratio(n, printed, counting, {r: columns[r] for r in readings[counting]}, ours[counting], data)
        for n, printed in published.RATIOS[dataset].items()
        for counting in ours
    ]
    for reading in OF_PAPER:
        c = columns[reading]
        found += [_ann_column(dataset, reading, c["ann"]), _possible(dataset, reading, c)]
    return found


def _ratio(n: int, printed: float, counting: str, columns: Columns, ours: Measured, data: str) -> Relation:
    graded, binary = geometry.name(1, n), geometry.name(n, 1)
    ratios = {reading: c[graded].rows["total"] / c[binary].rows["total"] for reading, c in columns.items()}
    pairs = zip(ours[(1, n)]["total"].values, ours[(n, 1)]["total"].values, strict=True)
    measured = Spread.of(a / b for a, b in pairs)
    shown = ", ".join(f"{reading} {ratio:.2f}" for reading, ratio in ratios.items())
    return Relation(
        f"E_N / E_binary = {printed} for N = {n}: multi-level spikes need less energy ({counting} counting)",
        all(ratio < 1 for ratio in (*ratios.values(), *measured.values)),
        f"on the paper's geometry {shown}; measured on {data} {measured.number()}",
    )


def _ann_column(dataset: str, reading: str, column: geometry.Column) -> Relation:
    ratios = {row: column.rows[row] / paper000.PUBLISHED[dataset]["ann"][row] for row in DOMINANT}
    return Relation(
        f"the {reading} reading gives the printed ANN column to 2 % in its dominant rows",
        all(abs(ratio - 1) < 0.02 for ratio in ratios.values()),
        ", ".join(f"{row} x{ratio:.3f}" for row, ratio in ratios.items()),
    )


def _possible(dataset: str, reading: str, columns: dict[str, geometry.Column]) -> Relation:
    totals = {name: paper000.PUBLISHED[dataset][name]["total"] for name in columns if name != "ann"}
    spans = {name: (columns[name].low["total"], columns[name].high["total"]) for name in totals}
    inside = [n for n, v in totals.items() if spans[n][0] <= 1.02 * v and 0.98 * v <= spans[n][1]]
    outside = [name for name in totals if name not in inside]
    return Relation(
        f"some spread of the printed spikes over the layers gives the printed SNN totals to 2 % ({reading})",
        not outside,
        f"possible for {', '.join(inside) or 'none'}; impossible for {', '.join(outside) or 'none'}",
    )


def _draw_geometry(axes: Any, dataset: str, columns: Columns) -> None:
    names = list(paper000.PUBLISHED[dataset])
    series = {"paper": [paper000.PUBLISHED[dataset][n]["total"] for n in names]}
    series |= {reading: [c[n].rows["total"] for n in names] for reading, c in columns.items()}
    for i, (label, values) in enumerate(series.items()):
        places = [j + 0.2 * (i - 1.5) for j in range(len(names))]
        axes.bar(places, [v * 1e3 for v in values], 0.19, color=COLOURS[i], label=label)
    axes.set_xticks(range(len(names)), names, fontsize=8)
    axes.set(ylabel="mJ per image", title=f"{PLACES[dataset]}'s geometry")
    drawing.finish(axes)


def _nano(joules: float) -> str:
    value = joules / NANO
    return f"{value:.3g}".replace("e+0", "e") if value >= 1e5 else significant(value)
