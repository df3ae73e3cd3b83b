"""The picture of a comparison: events per layer, and energy by term, beside the ANN twin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..helpers.files import replacing
from ..helpers.units import joules, percent
from ..plot import COLOURS as COLOURS
from ..plot import finish, stacked
from ..plot.style import literal


def picture(document: Mapping[str, Any], path: str | Path) -> Path:
    """Write a PNG of a document of :func:`lava_mlsnn.report.results`.

    Left: events per image and layer of each network. Right: energy per image by term of each network and of the ANN
    twin of the first.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    records = document["networks"]
    rows = max(len(record["layers"]) for record in records)
    figure = Figure(figsize=(11, max(4.2, 1.4 + 0.2 * rows * min(2, len(records)))), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    _events(left, records)
    _energy(right, records)
    figure.suptitle(document["title"], fontsize=11, x=0.01, ha="left")
    literal(figure)
    with replacing(path) as part:
        figure.savefig(part, format="png", dpi=110, metadata={"Software": None})
    return Path(path)


def energy_bars(records: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, Mapping[str, Any]]]:
    """Name, path in the results, and energy of each network that has one and of the ANN twin of the first."""
    bars = [(record["name"], f"networks.{i}.energy.snn", record["energy"]["snn"]) for i, record in enumerate(records)]
    bars = [bar for bar in bars if not bar[2]["missing"]]
    twin = records[0]["energy"]["ann"]
    return [*bars, ("ANN twin", "networks.0.energy.ann", twin)] if twin else bars


def _events(axes: Any, records: Sequence[Mapping[str, Any]]) -> None:
    names = [row["name"] for row in records[0]["layers"] if row["levels"]]
    height = 0.8 / len(records)
    for index, record in enumerate(records):
        events = {row["name"]: row["events"] for row in record["layers"]}
        positions = [i + height * (index - (len(records) - 1) / 2) for i in range(len(names))]
        label = f"{record['name']} ({percent(record['accuracy'].get('engine', float('nan')))} right)"
        values = [events.get(name, 0.0) for name in names]
        axes.barh(positions, values, height * 0.94, color=COLOURS[index], label=label)
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("events (non-zero spikes) per image")
    finish(axes)


def _energy(axes: Any, records: Sequence[Mapping[str, Any]]) -> None:
    bars = [(name, energy) for name, _, energy in energy_bars(records)]
    stacked(axes, [(name, energy["terms"]) for name, energy in bars])
    for i, (_, energy) in enumerate(bars):
        axes.text(i, energy["total"] * 1e6, joules(energy["total"]), ha="center", va="bottom", fontsize=9)
    axes.set_ylabel("energy per image in µJ (45 nm, model " + bars[0][1]["model"] + ")")
    axes.margins(y=0.08)
