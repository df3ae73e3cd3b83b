"""The Lemaire model over a NetGraph."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from ..helpers.check import flag
from . import lemaire
from .constants import HOROWITZ_INT, SRAM_POINTS, SRAM_REGRESSION
from .geometry import Geometry
from .options import CHOICES, PRESETS, Options, resolve
from .report import LayerReport, Report
from .walk import Population, populations, require_formulas

if TYPE_CHECKING:
    from ..graph.activity import Activity
    from ..graph.graph import NetGraph

_TABLES = {"regression": (SRAM_REGRESSION, SRAM_POINTS), "piecewise": (SRAM_POINTS,), "bus": (SRAM_POINTS,)}
_SNN_NOTES = (
    "Barrier neurons, relays and sum pools have no published formula; what is charged for them is an extension.",
    "Delay lines that align skip connections are not charged: no figure is public.",
)
_DERIVED = (
    "Sigma-delta neurons have no published formula: at most a MAC per synaptic operation, and reads and writes of all "
    "their state in every update (extension)."
)
_FRAMES = "A network of sigma-delta neurons reads a sequence: its T timesteps stand beside one pass of the ANN."
_COUNTING = {
    "exact": "Counted exactly: an event pays for the positions that it reaches, an ANN for the inputs that exist.",
    "published": "Counted as published: an event pays for the whole kernel, whatever the stride, which overcharges it.",
}
_ANN_NOTES = (
    "ANN of the same shapes: activations and pooling are free, a residual sum is one addition per site.",
    "A recurrent connection is charged one pass.",
)


def lemaire_report(
    graph: NetGraph,
    activity: Activity | None,
    *,
    options: Options | str | None = None,
    sums: str = "connections",
    charge: str = "levels",
    analog_input: bool | None = None,
    input_levels: int | None = None,
    spread: bool = True,
    **changes: Any,
) -> Report:
    """Energy by the model of :mod:`lava_mlsnn.energy.lemaire`.

    A layer pays per connection for what events cause (weights, potentials, operations, addresses) and once for its
    neurons (updates in T steps, resets, output). The events of several sources add up.

    Args:
        graph, activity: see :func:`~lava_mlsnn.energy.estimate`.
        options: :class:`~lava_mlsnn.energy.options.Options` or the name of a preset.
        sums: at a residual sum, count the events of all sources ("connections") or the non-zero sites of the sum
            ("sites").
        charge: ACC per synaptic operation, the source's largest spike value ("levels", [Castagnetti2025]) or the mean
            one ("values").
        analog_input: whether the input is values, not spikes; None: if it can exceed 1.
        input_levels: largest value of an input spike; None: what the graph says.
        spread: also evaluate every documented variant.
        changes: single options, such as ``sram="piecewise"``.

    Raises:
        ValueError: unknown option; an activity of another network; a neuron without a formula: names the layer.
    """
    chosen, spread = resolve(options, **changes), flag(spread, "spread")
    reading = {"sums": sums, "charge": charge, "analog_input": analog_input, "input_levels": input_levels}
    require_formulas(graph, "lemaire", ann=activity is None)

    walked: dict[tuple[Any, ...], tuple[Population, ...]] = {}

    def layers(options: Options, **other: Any) -> tuple[LayerReport, ...]:
        mac = options.operations.mac / options.operations.add if options.operations.add else math.inf
        settings = {**reading, **other, "mac": mac}
        key = tuple(settings.values())
        if key not in walked:
            walked[key] = populations(graph, activity, **settings)
        return tuple(_row(p, graph.timesteps, options, activity is None) for p in walked[key])

    def total(options: Options, **other: Any) -> float:
        return sum(row.total for row in layers(options, **other))

    variants = {}
    if spread:
        for name, (variant, other) in _variants(chosen, reading, activity is None).items():
            variants[name] = total(variant, **other)
    return Report(
        "lemaire",
        "ann" if activity is None else "snn",
        layers(chosen),
        {**asdict(chosen), **reading, "timesteps": graph.timesteps},
        variants,
        (HOROWITZ_INT, *_TABLES[chosen.sram]),
        (*_notes(graph, activity is None), _COUNTING[chosen.strided]),
        counting=chosen.strided,
        countings={name: total(chosen.but(strided=name)) for name in CHOICES["strided"]},
    )


def _notes(graph: NetGraph, ann: bool) -> tuple[str, ...]:
    if not any(layer.neuron.derived for layer in graph):
        return _ANN_NOTES if ann else _SNN_NOTES
    return (*_ANN_NOTES, _FRAMES) if ann else (*_SNN_NOTES, _DERIVED)


def _variants(chosen: Options, reading: dict[str, Any], ann: bool) -> dict[str, tuple[Options, dict[str, Any]]]:
    """Every documented variant: one option changed at a time, and the named presets at the chosen width."""
    found: dict[str, tuple[Options, dict[str, Any]]] = {}
    for option, values in CHOICES.items():
        for value in values:
            if value != getattr(chosen, option):
                try:
                    found[f"{option}={value}"] = (chosen.but(**{option: value}), {})
                except ValueError:  # a rule for operations that is undefined at this width
                    continue
    for name, preset in PRESETS.items():
        same_hardware = preset.but(bits=chosen.bits, fifo=chosen.fifo, e_add=chosen.e_add, e_mul=chosen.e_mul)
        if same_hardware != chosen:
            found[name] = (same_hardware, {})
    if not ann:
        for setting, values in (("sums", ("connections", "sites")), ("charge", ("levels", "values"))):
            for value in values:
                if value != reading[setting]:
                    found[f"{setting}={value}"] = (chosen, {setting: value})
    return found


def _row(p: Population, steps: int, options: Options, ann: bool) -> LayerReport:
    energy = _ann(p, options) if ann else _snn(p, steps, options)
    derived = p.neuron.derived and not ann
    return LayerReport(p.name, p.kind, energy.terms, energy.counts.to_dict(), energy.extension or derived)


def _snn(p: Population, steps: int, options: Options) -> lemaire.LayerEnergy:
    weighted = [link for link in p.links if link.geometry.kind in ("conv", "dense")]
    analog = bool(weighted) and all(link.analog for link in weighted)
    if analog and options.first_layer == "ann":
        return _ann(p, options)
    if p.relay and options.pool == "free" and all(link.geometry.kind == "pool" for link in p.links):
        return lemaire.LayerEnergy()
    total = lemaire.population(
        p.geometry, p.events_out, steps, options, leaky=p.leaky, analog=analog, words=p.neuron.updated_words,
        adds=p.neuron.update_adds,
    )  # fmt: skip
    for link in p.links:
        g = link.geometry
        total = total + lemaire.connection(
            g, link.events, steps, link.levels, options, analog=link.analog and g.kind in ("conv", "dense")
        )
    return total


def _ann(p: Population, options: Options) -> lemaire.LayerEnergy:
    """Each weighted synapse as an ANN layer, and one addition where several maps meet."""
    total, maps, biases = lemaire.LayerEnergy(), 0, p.geometry.biases
    for link in p.links:
        g = link.geometry
        if g.kind in ("conv", "dense", "pool"):
            if link.sources > 1:
                total = total + _add(g.in_shape, link.sources, options)
            total, maps = total + lemaire.ann_layer(replace(g, bias=biases), options), maps + 1
            biases = 0 if g.kind in ("conv", "dense") else biases
        else:
            maps += link.sources
    return total + _add(p.geometry.out_shape, maps, options) if maps > 1 else total


def _add(shape: tuple[int, ...], maps: int, options: Options) -> lemaire.LayerEnergy:
    return lemaire.ann_layer(Geometry("add", shape, shape), options, maps)
