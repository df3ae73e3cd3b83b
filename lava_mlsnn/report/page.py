"""The report: one HTML page that fetches nothing, made of the results alone by the templates beside this file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..helpers import units
from . import pareto
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
    )
