"""Tables 3 and 4: energy by term. On the paper's geometry, exactly; of networks trained here, measured."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ...energy import paper000
from ...helpers.units import significant
from ...report.picture import COLOURS
from .. import draw as drawing
from ..findings import Findings, Relation, Spread
from ..request import Request
from . import geometry, published, setting

NANO = 1e-9
PLACES = {"cifar10": "CIFAR-10", "cifar10dvs": "CIFAR10-DVS"}


def table3(request: Request) -> Findings:
    """VGG16 at 3 x 32 x 32: N, T = 4 and 8."""
    return _table(request, "cifar10", 3)


def table4(request: Request) -> Findings:
    """VGG16 at 2 x 128 x 128: N, T = 10."""
    return _table(request, "cifar10dvs", 4)


def _table(request: Request, dataset: str, number: int) -> Findings:
    data = request.dataset().name
    columns = {r: _columns(dataset, r) for r in geometry.READINGS}
    measured = {pair: setting.vgg(request, pair[1], pair[0]) for pair in geometry.COLUMNS[dataset]}
    ours = {
        (steps, levels): {row: Spread.of(o.energy().get(row, 0.0) for o in outcomes) for row in paper000.ROWS}
        for (steps, levels), outcomes in measured.items()
    }
    first = next(iter(measured.values()))[0]
    twin = first.energy(network="ann")
    rows = [*_geometry_rows(dataset, columns), *_measured_rows(data, ours, twin)]
    tables = {
        f"{PLACES[dataset]}'s geometry, nJ: paper | published code | decoded reading": _geometry_table(
            dataset, columns
        ),
        f"Measured on {data}, small VGG of its own geometry, nJ (preset qualia)": _measured_table(ours, twin),
    }

    def draw(figure: Any) -> None:
        left, right = figure.subplots(1, 2)
        _draw_geometry(left, dataset, columns)
        names = [geometry.name(*pair) for pair in ours]
        drawing.bars(right, names, {"measured": [ours[p]["total"] for p in ours]}, scale=1e-6)
        right.axhline(twin["total"] / 1e-6, color="0.5", linestyle=":")
        right.set(ylabel="µJ per image", title=f"measured, {data}; dotted: ANN")

    return Findings(
        f"Table {number}: energy of VGG16 on {PLACES[dataset]}'s geometry, and measured on {data}",
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
            setting.told(request),
        ),
        (10.0, 4.4),
    )


def _columns(dataset: str, reading: str) -> dict[str, geometry.Column]:
    ann = geometry.ann(dataset, reading)
    return {
        "ann": geometry.Column(ann, ann, ann, 0.0),
        **{geometry.name(t, n): geometry.snn(dataset, t, n, reading) for t, n in geometry.COLUMNS[dataset]},
    }


def _geometry_table(dataset: str, columns: dict[str, dict[str, geometry.Column]]) -> pd.DataFrame:
    """One line per row of the paper's table, one column per column: printed | qualia | decoded."""
    table = []
    for row in paper000.ROWS:
        line = {"": row}
        for name, printed in paper000.PUBLISHED[dataset].items():
            cells = [_nano(printed[row])]
            for found in columns.values():
                c = found[name]
                span = "" if c.low[row] == c.high[row] else f" [{_nano(c.low[row])} .. {_nano(c.high[row])}]"
                cells.append(_nano(c.rows[row]) + span)
            line[name] = " / ".join(cells)
        table.append(line)
    return pd.DataFrame(table)


def _measured_table(ours: dict[tuple[int, int], dict[str, Spread]], twin: dict[str, float]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "": row,
                "ANN": _nano(twin.get(row, 0.0)),
                **{geometry.name(*pair): spreads[row].number(NANO) for pair, spreads in ours.items()},
            }
            for row in paper000.ROWS
        ]
    )


def _geometry_rows(dataset: str, columns: dict[str, dict[str, geometry.Column]]) -> list[dict[str, Any]]:
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


def _measured_rows(
    data: str, ours: dict[tuple[int, int], dict[str, Spread]], twin: dict[str, float]
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {"source": f"measured on {data}", "column": "ann", "row": row, "joules": twin.get(row, 0.0)}
        for row in paper000.ROWS
    ]
    rows += [
        {
            "source": f"measured on {data}",
            "column": geometry.name(*pair),
            "row": row,
            "joules": spread.mean,
            "low": min(spread.values),
            "high": max(spread.values),
        }
        for pair, spreads in ours.items()
        for row, spread in spreads.items()
    ]
    return rows


def _relations(
    dataset: str,
    columns: dict[str, dict[str, geometry.Column]],
    ours: dict[tuple[int, int], dict[str, Spread]],
    data: str,
) -> list[Relation]:
    found = []
    for n, printed in published.RATIOS[dataset].items():
        graded, binary = geometry.name(1, n), geometry.name(n, 1)
        told = ", ".join(
            f"{reading} {c[graded].rows['total'] / c[binary].rows['total']:.2f}" for reading, c in columns.items()
        )
        pairs = zip(ours[(1, n)]["total"].values, ours[(n, 1)]["total"].values, strict=True)
        measured = Spread.of(a / b for a, b in pairs)
        found.append(
            Relation(
                f"E_N / E_binary = {printed} for N = {n}: multi-level spikes need less energy",
                all(c[graded].rows["total"] < c[binary].rows["total"] for c in columns.values())
                and max(measured.values) < 1,
                f"on the paper's geometry {told}; measured on {data} {measured.number()}",
            )
        )
    dominant = ("weights", "io", "synaptic", "total")
    for reading, c in columns.items():
        ratios = {row: c["ann"].rows[row] / paper000.PUBLISHED[dataset]["ann"][row] for row in dominant}
        told = ", ".join(f"{row} x{ratio:.3f}" for row, ratio in ratios.items())
        found.append(
            Relation(
                f"the {reading} reading gives the printed ANN column to 2 % in its dominant rows",
                all(abs(ratio - 1) < 0.02 for ratio in ratios.values()),
                told,
            )
        )
        totals = {name: paper000.PUBLISHED[dataset][name]["total"] for name in c if name != "ann"}
        inside = [n for n, v in totals.items() if c[n].low["total"] <= 1.02 * v and 0.98 * v <= c[n].high["total"]]
        outside = [name for name in totals if name not in inside]
        found.append(
            Relation(
                f"some spread of the printed spikes over the layers gives the printed SNN totals to 2 % ({reading})",
                not outside,
                f"possible for {', '.join(inside) or 'none'}; impossible for {', '.join(outside) or 'none'}",
            )
        )
    return found


def _draw_geometry(axes: Any, dataset: str, columns: dict[str, dict[str, geometry.Column]]) -> None:
    names = list(paper000.PUBLISHED[dataset])
    series = {"paper": [paper000.PUBLISHED[dataset][n]["total"] for n in names]}
    series |= {reading: [c[n].rows["total"] for n in names] for reading, c in columns.items()}
    for i, (label, values) in enumerate(series.items()):
        places = [j + 0.27 * (i - 1) for j in range(len(names))]
        axes.bar(places, [v * 1e3 for v in values], 0.25, color=COLOURS[i], label=label)
    axes.set_xticks(range(len(names)), names, fontsize=8)
    axes.set(ylabel="mJ per image", title=f"{PLACES[dataset]}'s geometry")
    drawing.finish(axes)


def _nano(joules: float) -> str:
    value = joules / NANO
    return f"{value:.3g}".replace("e+0", "e") if value >= 1e5 else significant(value)
