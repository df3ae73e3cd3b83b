"""What one event costs: energy is affine in the events of a network's layers, and training can aim at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isclose
from typing import Any

import numpy as np

from ..graph.activity import Activity
from ..graph.graph import INPUT, NetGraph
from .network import estimate

_FIXED = {"sums": "connections", "charge": "levels"}
"""Settings with which the events of the layers decide the energy: no other count is asked for."""


@dataclass(frozen=True)
class Prices:
    r"""Energy of an inference as :math:`c + \sum_l p_l \theta_l`, with the events :math:`\theta_l` of all T steps.

    Args:
        constant: joules of an inference without any event.
        events: joules of one event of each layer and of "input": all that it causes where it is emitted and read.
        ann: joules of the ANN of the same shapes; None where the model prices none.
    """

    constant: float
    events: Mapping[str, float]
    ann: float | None

    def total(self, activity: Activity) -> float:
        """Joules per inference for counted events."""
        return self.constant + sum(price * activity.mean_events(name) for name, price in self.events.items())

    def __str__(self) -> str:
        lines = [f"{self.constant * 1e9:.4g} nJ per inference"]
        return "\n".join([*lines, *(f"{p * 1e12:12.4g} pJ per event of {name}" for name, p in self.events.items())])


def prices(graph: NetGraph, model: str = "lemaire", **settings: Any) -> Prices:
    """What one event of each layer costs in ``graph``, by an energy model that is affine in the events.

    Args:
        graph: the network; its weights do not matter, only its shapes, levels and connections.
        model, settings: see :func:`~lava_mlsnn.energy.estimate`; every option of the Lemaire model is affine, but for
            ``sums="sites"`` and ``charge="values"``, which depend on more than events.

    Raises:
        ValueError: a model or setting that is not affine in the events, or that ``estimate`` refuses.

    Example:
        >>> from lava_mlsnn.netx import Connection, Dense, Input, Layer, NetGraph, Readout
        >>> read = Layer("read", (Connection("input", Dense(np.ones((10, 64)))),), (10, 1, 1), Readout())
        >>> found = prices(NetGraph(Input((64, 1, 1), bits=1), (read,)))
        >>> print(found)
        0.265 nJ per inference
               411.5 pJ per event of input
                   0 pJ per event of read
    """
    for name, value in _FIXED.items():
        if settings.get(name, value) != value:
            raise ValueError(f"{name}: prices per event need {value!r}, got {settings[name]!r}")
    settings = {**settings, "spread": False}
    sites = {name: int(np.prod(graph.shape(name))) for name in _senders(graph)}

    def energy(sent: Mapping[str, int]) -> float:
        return estimate(graph, _every_step(graph, sent), model, **settings).total

    constant = energy({})
    found = {name: (energy({name: n}) - constant) / (n * graph.timesteps) for name, n in sites.items()}
    some = {name: (n + 1) // 2 for name, n in sites.items()}
    together = constant + sum(price * some[name] * graph.timesteps for name, price in found.items())
    if not isclose(together, energy(some), rel_tol=1e-9):
        raise ValueError(
            f"model {model!r} is not affine in the events with these settings ({settings}): expected 'lemaire' or "
            "'horowitz', or model 'loihi1' with active='all' or 'none'"
        )
    priced = {layer.name: found.get(layer.name, 0.0) for layer in graph}
    try:
        ann = estimate(graph, None, model, **settings).total
    except ValueError:  # Loihi runs no ANN
        ann = None
    return Prices(constant, {INPUT: found[INPUT], **priced}, ann)


def _senders(graph: NetGraph) -> tuple[str, ...]:
    return (INPUT, *(layer.name for layer in graph if layer.neuron.spiking))


def _every_step(graph: NetGraph, sent: Mapping[str, int]) -> Activity:
    """One sample in which the layers send these numbers of events in every step."""
    activity = Activity.zeros(graph, 1)
    for name, events in sent.items():
        activity.events[name][:] = activity.values[name][:] = events
    return activity
