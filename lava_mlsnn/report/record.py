"""Records: plain dictionaries of numbers, ready for JSON, from which every table, picture and page is made."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from .. import loihi2
from ..energy import NoFigureError, estimate
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
) -> dict[str, Any]:
    """Everything measured of one network: shapes, activity per layer, energy per layer and term, and its ANN twin.

    Args:
        name: what tables call it.
        graph: the network.
        activity: counts over a test set.
        accuracy: how it was computed -> share of right labels, such as {"float": 0.98, "engine": 0.978}.
        model: of energy.
        settings: of the model, see :func:`lava_mlsnn.energy.estimate`; for the network and its twin alike.

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
        "fit": loihi2.fit(graph).to_dict(),
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
    return {"format": FORMAT, "title": title, "networks": list(networks), "checks": list(checks), "run": dict(run)}


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
