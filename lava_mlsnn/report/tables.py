"""Tables for the terminal, made from records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from ..helpers.units import count, joules, percent, ratio

Record = Mapping[str, Any]


def layers_table(record: Record) -> Table:
    """One row per layer of one network: size, activity, energy beside its ANN twin."""
    table = _table(f"{escape(record['name'])}: per image, mean of {record['samples']}")
    for column in ("layer", "kind"):
        table.add_column(column, overflow="fold")
    for column in ("neurons", "events", "rate", "values", "energy", "ANN twin"):
        table.add_column(column, justify="right")
    for row in record["layers"]:
        table.add_row(
            escape(row["name"]),
            escape(row["kind"]),
            count(row["neurons"]),
            count(row["events"]),
            percent(row["rate"]),
            count(row["values"]),
            joules(row["energy"]),
            joules(row["energy_ann"]),
        )
    totals = record["totals"]
    table.add_section()
    energies = joules(totals["energy"]), joules(totals["energy_ann"])
    table.add_row(
        "total", "", count(totals["neurons"]), count(totals["events"]), "", count(totals["values"]), *energies
    )
    return table


def comparison_table(records: Sequence[Record]) -> Table:
    """Layers of networks of one shape side by side: events and energy of each, and the ANN twin of the first."""
    table = _table("per image: events, and energy of inference (45 nm)")
    table.add_column("layer", overflow="fold")
    table.add_column("neurons", justify="right")
    for what in ("events", "energy"):
        for record in records:
            table.add_column(f"{what}\n{escape(record['name'])}", justify="right")
    table.add_column("energy\nANN twin", justify="right")
    for row in records[0]["layers"]:
        same = [next((r for r in record["layers"] if r["name"] == row["name"]), None) for record in records]
        table.add_row(
            escape(row["name"]),
            count(row["neurons"]),
            *(count(r["events"]) if r else "" for r in same),
            *(joules(r["energy"]) if r else "" for r in same),
            joules(row["energy_ann"]),
        )
    totals = [record["totals"] for record in records]
    table.add_section()
    table.add_row(
        "total",
        count(totals[0]["neurons"]),
        *(count(t["events"]) for t in totals),
        *(joules(t["energy"]) for t in totals),
        joules(totals[0]["energy_ann"]),
    )
    return table


def terms_table(record: Record) -> Table:
    """Energy of one network per layer and term of the model."""
    snn, ann = record["energy"]["snn"], record["energy"]["ann"]
    table = _table(f"{escape(record['name'])}: energy per image by term, model {snn['model']}")
    table.add_column("layer", overflow="fold")
    for term in snn["terms"]:
        table.add_column(term, justify="right")
    table.add_column("total", justify="right")
    for layer in snn["layers"]:
        name = escape(layer["name"]) + (" *" if layer["extension"] else "")
        cells = [joules(layer["terms"][term]) if term in layer["terms"] else "" for term in snn["terms"]]
        table.add_row(name, *cells, joules(layer["total"]))
    table.add_section()
    table.add_row("total", *map(joules, snn["terms"].values()), joules(snn["total"]))
    low, high = map(joules, (snn["spread"]["low"], snn["spread"]["high"]))
    variants = f"over {len(snn['spread']['variants'])} documented variants of the model"
    table.caption = f"total = {joules(snn['total'])} ({low} .. {high} {variants})"
    if ann:
        twin = (joules(ann["terms"].get(term, 0.0)) for term in snn["terms"])
        table.add_row("ANN twin", *twin, joules(ann["total"]))
        totals = record["totals"]
        low, high = ratio(totals["ratio_low"]), ratio(totals["ratio_high"])
        table.caption += f"\nSNN / ANN = {ratio(totals['ratio'])} ({low} .. {high} where both follow the same variant)"
    if any(layer["extension"] for layer in snn["layers"]):
        table.caption += "\n* a formula of this project takes part, as none is published for this kind of layer"
    return table


def checks_table(checks: Sequence[Mapping[str, Any]]) -> Table:
    """What was compared, and whether it agreed."""
    table = _table("checks")
    table.add_column("", justify="center")
    table.add_column("what", overflow="fold")
    table.add_column("found", overflow="fold")
    for check in checks:
        mark = "[green]ok[/]" if check["passed"] else "[bold red]FAILED[/]"
        table.add_row(mark, escape(check["what"]), escape(check["detail"]))
    return table


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", caption_justify="left", title_style="bold", pad_edge=False)
