"""Records: plain dictionaries of numbers, ready for JSON, from which every table, picture and page is made."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from .. import loihi2
from ..energy import NeuroBench, NoFigureError, estimate, neurobench
from ..energy.report import Report
from ..energy.walk import kind_of
from ..graph.activity import Activity
from ..graph.graph import INPUT, Layer, NetGraph
from ..helpers.version import __version__
from ..netx import digest

FORMAT = 1
"""Version of the records; increased whenever their meaning changes."""

WITH_TWIN = ("lemaire", "horowitz")
"""Models that also price an ANN of the same shapes."""

PACKAGES = ("lava-nc", "lava-dl", "torch", "numpy", "numba", "lightning", "h5py")


def network_record(
    name: str,
    graph: NetGraph,
    activity: Activity,
    accuracy: Mapping[str, float],
    model: str = "lemaire",
    settings: Mapping[str, Any] | None = None,
    metrics: NeuroBench | None = None,
) -> dict[str, Any]:
    """Everything measured of one network: shapes, activity per layer, energy per layer and term, and its ANN twin.

    Args:
        name: what tables call it.
        graph: the network.
        activity: counts over a test set.
        accuracy: how it was computed -> share of right labels, such as {"float": 0.98, "engine": 0.978}.
        model: of energy.
        settings: of the model, see :func:`lava_mlsnn.energy.estimate`; for the network and its twin alike.
        metrics: of NeuroBench, counted with traces; None: those of the activity alone.

    Events are non-zero spikes per sample over all T steps, whatever their value ([Castagnetti2025], Eq 11); the sum
    over the
    network leaves out its input, which is not a spike. Where a model prices no ANN (Loihi runs none), the twin's values
    are None; where it has no formula for a layer, all energies of the network are, and ``["energy"]["snn"]["missing"]``
    says why.
    """
    settings = dict(settings or {})
    snn, missing = _figure(graph, activity, model, settings)
    ann = _figure(graph, None, model, settings)[0] if model in WITH_TWIN else None
    layers = [_layer(layer, graph, activity, snn, ann) for layer in graph]
    ratio, low, high = snn.ratio(ann) if snn and ann else (None, None, None)
    return {
        "name": name,
        "timesteps": graph.timesteps,
        "levels": max((row["levels"] for row in layers if row["levels"]), default=1),
        "digest": digest(graph),
        "samples": activity.samples,
        "accuracy": {key: float(value) for key, value in accuracy.items()},
        "input": {
            "shape": list(graph.input.shape),
            "bits": graph.input.bits,
            "events": activity.mean_events(INPUT),
        },
        "layers": layers,
        "totals": {
            "neurons": sum(row["neurons"] for row in layers),
            "parameters": sum(row["parameters"] for row in layers),
            "events": sum(row["events"] for row in layers),
            "values": sum(row["values"] for row in layers),
            "energy": snn.total if snn else None,
            "energy_ann": ann.total if ann else None,
            "ratio": ratio,
            "ratio_low": low,
            "ratio_high": high,
            "ratios": snn.ratios(ann) if snn and ann else {},
        },
        "neurobench": (metrics or neurobench(graph, activity)).to_dict(),
        "fit": _fit(graph, activity),
        "energy": {
            "snn": snn.to_dict() if snn else Report.without_figure(model, "snn", missing),
            "ann": ann.to_dict() if ann else None,
        },
    }


def results(
    title: str, networks: Sequence[Mapping[str, Any]], run: Mapping[str, Any], checks: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """One document of several networks on the same data: what is written as JSON and shown as a page.

    Args:
        title: of the page.
        networks: records of :func:`network_record`.
        run: provenance, see :func:`provenance`.
        checks: ``{"what": ..., "passed": bool, "detail": ...}`` each.
    """
    content = {"format": FORMAT, "title": title, "networks": list(networks), "checks": list(checks), "run": dict(run)}
    return {**content, "headline": headline(networks), "measured": [m.to_dict() for m in loihi2.MEASURED]}


def headline(networks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What a person came for, of the first network with graded spikes, or else of the first.

    ``binary`` compares it with the first binary network of the same layers, None where there is none; ``ratios`` are by
    counting, ``low`` and ``high`` where both follow the same documented variant of the model.
    """
    index = next((i for i, record in enumerate(networks) if record["levels"] > 1), 0)
    chosen = networks[index]
    shapes = [(row["name"], row["shape"]) for row in chosen["layers"]]
    binary = next(
        (
            record
            for record in networks
            if record is not chosen
            and record["levels"] == 1
            and [(row["name"], row["shape"]) for row in record["layers"]] == shapes
        ),
        None,
    )
    how = "engine" if "engine" in chosen["accuracy"] else next(iter(chosen["accuracy"]), None)
    return {
        "network": index,
        "accuracy": chosen["accuracy"][how] if how else None,
        "energy": chosen["totals"]["energy"],
        "ann": _share(chosen["energy"]["snn"], chosen["energy"]["ann"]),
        "binary": _share(chosen["energy"]["snn"], binary["energy"]["snn"]) if binary else None,
        "binary_network": binary["name"] if binary else None,
        "cores": chosen["fit"]["cores"],
        "chips": chosen["fit"]["chips"],
    }


def _share(mine: Mapping[str, Any], other: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """One energy over another: as chosen, by each counting, and over the variants that both have; None without both."""
    if other is None or not mine["total"] or not other["total"]:
        return None
    countings = {
        name: total / other["countings"][name]
        for name, total in mine["countings"].items()
        if name in other["countings"]
    }
    theirs = other["spread"]["variants"]
    both = [total / theirs[name] for name, total in mine["spread"]["variants"].items() if theirs.get(name)]
    ratio = mine["total"] / other["total"]
    everything = (ratio, *countings.values(), *both)
    return {
        "ratio": ratio,
        "counting": mine["counting"],
        "ratios": countings,
        "low": min(everything),
        "high": max(everything),
    }


def provenance(command: str, dataset: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """How to get the same numbers again: command, data, versions."""
    return {"command": command, "dataset": dict(dataset or {}), **more, "versions": versions()}


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that determine the numbers; "" for one that is not installed."""
    versions = {"python": platform.python_version(), "lava-mlsnn": __version__}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = ""
    return versions


def _fit(graph: NetGraph, activity: Activity) -> dict[str, Any]:
    """Cores, time and traffic on Loihi 2; None for the latter two where the network has no place there."""
    fit = loihi2.fit(graph)
    content: dict[str, Any] = {**fit.to_dict(), "time": None, "traffic": None, "no_figure": ""}
    try:
        content["time"] = loihi2.step_range(graph, fit, activity).to_dict()
        content["traffic"] = loihi2.traffic(graph, fit, activity)[1].to_dict()
    except NoFigureError as error:
        content["no_figure"] = str(error)
    return content


def _figure(
    graph: NetGraph, activity: Activity | None, model: str, settings: Mapping[str, Any]
) -> tuple[Report | None, str]:
    """The energy, or why there is none."""
    try:
        return estimate(graph, activity, model, **settings), ""
    except NoFigureError as error:
        return None, str(error)


def _layer(layer: Layer, graph: NetGraph, activity: Activity, snn: Report | None, ann: Report | None) -> dict[str, Any]:
    events = activity.mean_events(layer.name)
    return {
        "name": layer.name,
        "kind": kind_of(layer),
        "inputs": list(layer.inputs),
        "shape": list(layer.shape),
        "neurons": prod(layer.shape),
        "parameters": layer.parameters,
        "levels": int(getattr(layer.neuron, "levels", 0)),
        "events": events,
        "values": float(activity.values[layer.name].sum()) / activity.samples,
        "rate": events / (layer.size * graph.timesteps),
        "energy": snn[layer.name].total if snn else None,
        "energy_ann": ann[layer.name].total if ann else None,
        # A residual sum has both counts: the events its connections carry, and the non-zero sites after the sum.
        "sums": [
            {
                "sources": list(connection.sources),
                "events": activity.events_in(connection),
                "sites": activity.mean_sites(layer, index),
            }
            for index, connection in enumerate(layer.connections)
            if len(connection.sources) > 1
        ],
    }
