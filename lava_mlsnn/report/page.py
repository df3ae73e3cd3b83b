"""The report: one HTML page that fetches nothing, made of the results alone by the templates beside this file."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Mapping
from typing import Any

from ..helpers import units
from . import pareto
from .chip import chip_layout, ink
from .drawing import layout
from .picture import COLOURS, energy_bars
from .record import WITH_TWIN

COLUMNS = {
    "neurons": units.count,
    "events": units.count,
    "rate": units.percent,
    "values": units.count,
    "energy": units.joules,
    "energy_ann": units.joules,
}
"""Numbers of a layer."""

FIT_COLUMNS = {
    "cores": "cores",
    "neurons": "neurons per core",
    "synaptic_words": "synaptic words",
    "axons_in": "axons in",
    "axons_out": "axons out",
}
"""Keys of a layer's part of a core, and their titles."""


def page(results: Mapping[str, Any]) -> str:
    """A self-contained HTML page of :func:`lava_mlsnn.report.results`; each number carries its path in them.

    Networks after the first are compared with it layer by layer, by the layers' names.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("lava_mlsnn.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    def get(path: str) -> Any:
        value: Any = results
        for key in path.split("."):
            value = value[int(key)] if isinstance(value, list) else value[key]
        return value

    networks = results["networks"]
    bars = energy_bars(networks)
    plane = [record for record in networks if pareto.is_point(record)]
    return environment.get_template("page.html").render(
        results,
        get=get,
        layout=layout,
        chip_layout=chip_layout,
        ink=ink,
        as_json=_link("application/json", json.dumps(results, indent=1, allow_nan=False)),
        as_csv=_link("text/csv", _layers_csv(networks)),
        colours=COLOURS,
        columns=COLUMNS.items(),
        fit_columns=FIT_COLUMNS,
        with_twin=WITH_TWIN,
        bars=[(name, path) for name, path, _ in bars],
        terms=list(dict.fromkeys(term for _, _, energy in bars for term in energy["terms"])),
        front=Markup(pareto.svg(pareto.points({"results": {"networks": plane}}))) if len(plane) > 1 else "",
        most_events=max((row["events"] for record in networks for row in record["layers"]), default=0) or 1,
        most_energy=max((energy["total"] for _, _, energy in bars), default=0) or 1,
        count=units.count,
        joules=units.joules,
        percent=units.percent,
        plain=units.plain,
        ratio=units.ratio,
        seconds=units.seconds,
    )


def _link(kind: str, text: str) -> str:
    """An address that holds what it leads to."""
    return f"data:{kind};base64,{base64.b64encode(text.encode()).decode()}"


def _layers_csv(networks: list[Mapping[str, Any]]) -> str:
    """One row per network and layer."""
    rows = io.StringIO()
    writer = csv.writer(rows, lineterminator="\n")
    writer.writerow(["network", "layer", "kind", "shape", *COLUMNS])
    for record in networks:
        for row in record["layers"]:
            shape = "x".join(map(str, row["shape"]))
            writer.writerow([record["name"], row["name"], row["kind"], shape, *(row[key] for key in COLUMNS)])
    return rows.getvalue()
