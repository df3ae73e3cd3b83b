"""The Loihi tables over a NetGraph."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING

from ..helpers.check import finite, flag
from ..helpers.loihi import SYNOPS
from . import loihi
from .loihi import COMPARTMENTS_PER_CORE, STATIC_POWER, Loihi1Counts
from .report import LayerReport, Report
from .walk import Population, populations, require_formulas

if TYPE_CHECKING:
    from ..graph.activity import Activity
    from ..graph.graph import NetGraph

ACTIVE = ("expected", "all", "none")


def loihi_report(
    graph: NetGraph,
    activity: Activity | None,
    *,
    table: str = "davies2018",
    sums: str = "connections",
    active: str = "expected",
    hops_x: float = 0.0,
    hops_y: float = 0.0,
    spread: bool = True,
) -> Report:
    """Dynamic energy and time of an inference by the tables of :mod:`lava_mlsnn.energy.loihi`.

    Synaptic operations are events times the synapses that a site has on average (borders respected). Every neuron is
    updated in every step. One packet per spike and reading connection leaves a core.

    Args:
        graph, activity: see :func:`~lava_mlsnn.energy.estimate`; the activity is required.
        table: "davies2018", "sanafe2025", "loihi2_estimate"; "loihi2" raises.
        sums: at a residual sum, count the events of all sources ("connections") or the non-zero sites ("sites").
        active: share of the updates that are active: "expected", if events fell on sites at random; "all"; "none".
        hops_x, hops_y: mean hops of a packet between tiles, which depend on the placement; 0: all within a tile.
        spread: also evaluate the other table and the other values of ``active`` and ``sums``.

    Raises:
        ValueError: no activity, unknown setting value, a neuron without a formula (names the layer).
        UnpublishedError: table "loihi2".
    """
    if activity is None:
        raise ValueError("model 'loihi1' prices spikes: expected an Activity, got None (an ANN does not run there)")
    if active not in ACTIVE:
        raise ValueError(f"active: expected one of {', '.join(ACTIVE)}, got {active!r}")
    spread = flag(spread, "spread")
    loihi.find(table)
    require_formulas(graph, "loihi1")
    hops_x, hops_y = finite(hops_x, "hops_x", low=0), finite(hops_y, "hops_y", low=0)
    steps = graph.timesteps
    given = activity

    def counted(sums: str, active: str) -> list[tuple[Population, Loihi1Counts]]:
        found = populations(graph, given, sums=sums, analog_input=False)
        return [(p, _counts(p, steps, active, hops_x, hops_y)) for p in found]

    def sum_of(table: str, sums: str = sums, active: str = active) -> float:
        return sum(loihi.energy(counts, table) for _, counts in counted(sums, active))

    rows = counted(sums, active)
    layers = tuple(LayerReport(p.name, p.kind, loihi.terms(c, table), asdict(c), True) for p, c in rows)
    variants: dict[str, float] = {}
    if spread:
        tables = ("davies2018", "sanafe2025") if table != "loihi2_estimate" else ()
        variants |= {f"table={name}": sum_of(name) for name in tables if name != table}
        variants |= {f"active={value}": sum_of(table, active=value) for value in ACTIVE if value != active}
        other = "sites" if sums == "connections" else "connections"
        variants[f"sums={other}"] = sum_of(table, sums=other)
    timed = table != "loihi2_estimate"  # of Loihi 2 there is one guess of a time, that of lava_mlsnn.loihi2.step_range
    step = loihi.step_time([_core(p, c, steps) for p, c in rows], table) if timed else None
    seconds = None if step is None else step * (steps + graph.latency)
    return Report(
        table if table == "loihi2_estimate" else "loihi1",
        "snn",
        layers,
        {"table": table, "sums": sums, "active": active, "hops_x": hops_x, "hops_y": hops_y, "timesteps": steps},
        variants,
        (loihi.find(table),),
        _notes(graph, seconds),
        counting="exact",
        seconds=seconds,
        step_seconds=step,
    )


def _counts(p: Population, steps: int, active: str, hops_x: float, hops_y: float) -> Loihi1Counts:
    synops = dict.fromkeys(("synop_dense", "synop_conv", "synop_sparse"), 0.0)
    silent = 1.0
    for link in p.links:
        g = link.geometry
        synops[SYNOPS.get(g.kind, "synop_sparse")] += link.events * link.fanout
        density = min(link.events / (g.n_in * steps), 1.0)
        silent *= (1.0 - density) ** (link.fanout * g.n_in / g.n_out)
    updates = p.geometry.n_out * steps
    share = {"expected": 1.0 - silent, "all": 1.0, "none": 0.0}[active]
    packets = p.events_out * p.consumers
    return Loihi1Counts(
        **synops,
        update_active=updates * share,
        update_inactive=updates * (1.0 - share),
        spike_out=p.events_out,
        spike_tile=packets,
        message_out=packets,
        message_in=packets,
        hop_x=packets * hops_x,
        hop_y=packets * hops_y,
    )


def _core(p: Population, counts: Loihi1Counts, steps: int) -> Loihi1Counts:
    """Counts of one timestep on one core, a layer spread evenly over as few cores as hold its neurons."""
    return counts.scaled(1.0 / (steps * math.ceil(p.geometry.n_out / COMPARTMENTS_PER_CORE)))


def _notes(graph: NetGraph, seconds: float | None) -> tuple[str, ...]:
    notes = (
        "Loihi 1 spikes carry no value: a graded spike is counted as one event (extension).",
        "Dynamic energy only; host and input transfer are not included.",
        "Packets stay within a tile unless hops_x, hops_y say otherwise.",
    )
    if seconds is None:
        return (*notes, "Static power of Loihi 2 and its time are not in this: mlsnn fit gives a range of the time.")
    cores = sum(math.ceil(layer.size / COMPARTMENTS_PER_CORE) for layer in graph)
    chips = math.ceil(cores / 128)
    static = (STATIC_POWER.value or 0.0) * chips * seconds
    return (
        *notes,
        f"Time: {cores} cores, each layer evenly on as few as hold its neurons ({COMPARTMENTS_PER_CORE} each), "
        "barrier of a full chip, T steps plus the depth of the network.",
        f"Static power of {chips} chip(s) over that time: {static:.3g} J ({STATIC_POWER.source}).",
    )
