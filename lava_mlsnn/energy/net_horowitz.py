"""The arithmetic model of [Yao2023] over a NetGraph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..helpers.check import flag
from . import horowitz
from .constants import HOROWITZ_FP32
from .report import LayerReport, Report
from .walk import Link, Population, populations, require_formulas

if TYPE_CHECKING:
    from ..graph.activity import Activity
    from ..graph.graph import NetGraph

_NOTES = (
    "Operations only: no memory, no addressing.",
    "Counted as published: a rate times the operations of the ANN, which respect the stride but not the borders.",
    "[Yao2023] counts convolutions and dense layers; residual sums, relays, pooling and neuron updates are free.",
    "N additions per operation of an N-level spike follow [Castagnetti2025] (extension).",
)


def horowitz_report(
    graph: NetGraph,
    activity: Activity | None,
    *,
    sums: str = "connections",
    charge: str = "levels",
    analog_input: bool | None = None,
    input_levels: int | None = None,
    double_count: bool = False,
    spread: bool = True,
) -> Report:
    """Energy by the model of :mod:`lava_mlsnn.energy.horowitz` ([Yao2023], Eq 13 and 14).

    Args:
        graph, activity: see :func:`~lava_mlsnn.energy.estimate`.
        sums, charge, analog_input, input_levels: as for the Lemaire model.
        double_count: charge the addition inside a MAC a second time, as Table 2 of [Yao2023] does.
        spread: also evaluate every documented variant.

    Raises:
        ValueError: unknown setting value; an activity of another network; a neuron without a formula: names the layer.
    """
    double_count, spread = flag(double_count, "double_count"), flag(spread, "spread")
    reading: dict[str, Any] = {
        "sums": sums, "charge": charge, "analog_input": analog_input, "input_levels": input_levels,
        "double_count": double_count,
    }  # fmt: skip
    require_formulas(graph, "horowitz", ann=activity is None)
    mac = HOROWITZ_FP32["mac"] / HOROWITZ_FP32["add"]

    def layers(double_count: bool, **reading: Any) -> tuple[LayerReport, ...]:
        found = populations(graph, activity, mac=mac, **reading)
        return tuple(_row(p, graph.timesteps, double_count, activity is None) for p in found)

    variants = {}
    if spread:
        other: dict[str, Any] = {"double_count": not double_count}
        if activity is not None:
            other |= {"sums": "sites" if sums == "connections" else "connections"}
            other |= {"charge": "values" if charge == "levels" else "levels"}
        for name, value in other.items():
            variants[f"{name}={value}"] = sum(row.total for row in layers(**{**reading, name: value}))
    return Report(
        "horowitz",
        "ann" if activity is None else "snn",
        layers(**reading),
        {**reading, "timesteps": graph.timesteps},
        variants,
        (HOROWITZ_FP32,),
        _NOTES,
        counting="published",
    )


def _row(p: Population, steps: int, double_count: bool, ann: bool) -> LayerReport:
    total = horowitz.LayerEnergy()
    for link in p.links:
        total = total + _link(link, steps, double_count, ann)
    counts = {"additions": total.additions, "macs": total.macs, "operations": total.operations}
    derived = p.neuron.derived and not ann
    return LayerReport(p.name, p.kind, total.terms, counts, total.extension or derived)


def _link(link: Link, steps: int, double_count: bool, ann: bool) -> horowitz.LayerEnergy:
    g = link.geometry
    return horowitz.layer(
        g.kind,
        g.in_shape,
        g.out_shape,
        g.kernel,
        g.groups,
        events_in=None if ann else link.events,
        steps=steps,
        levels=link.levels,
        analog_input=link.analog,
        double_count=double_count,
    )
