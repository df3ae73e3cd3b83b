"""Counted events: over layers and steps, and at residual sums."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..analysis import activity as measured
from ..graph.activity import Activity
from ..graph.graph import NetGraph
from .style import COLOURS, axes_or_new, finish, literal


def activity(graph: NetGraph, counts: Activity, axes: Any = None) -> Any:
    """Share of the neurons of each layer that spike at each timestep, mean over the samples.

    Args:
        graph: the network.
        counts: its activity.
        axes: where to draw; None makes a new figure.

    Returns:
        The axes.

    Raises:
        ValueError: an activity of another network.
    """
    counts.check(graph)
    layers = [layer for layer in graph if layer.neuron.spiking]
    shares = [100 * counts.events[layer.name] / (layer.size * counts.samples) for layer in layers]
    axes = axes_or_new(axes, (2.6 + 0.5 * graph.timesteps, 1.2 + 0.28 * len(layers)))
    shown = axes.imshow(np.array(shares), aspect="auto", cmap="viridis", vmin=0)
    axes.figure.colorbar(shown, ax=axes, label="% of neurons")
    axes.set_yticks(range(len(layers)), [layer.name for layer in layers], fontsize=8)
    axes.set_xticks(range(graph.timesteps), range(1, graph.timesteps + 1))
    axes.set_xlabel("timestep")
    return literal(axes)


def avalanche(graph: NetGraph, counts: Activity, axes: Any = None) -> Any:
    """At each residual sum: events on the direct path and on the residual connection, and non-zero sites of the sum.

    Without a barrier neuron the sum sends what both carry, so that events pile up from block to block
    ([Castagnetti2025], section 6.4).

    Args:
        graph, counts, axes: as of :func:`activity`.

    Returns:
        The axes.

    Raises:
        ValueError: an activity of another network, or a network without residual sums.
    """
    sums = measured(graph, counts).sums
    if not sums:
        raise ValueError("avalanche: expected a network with residual sums, got one without")
    axes = axes_or_new(axes)
    places = np.arange(len(sums))
    direct, residual = np.array([s.direct for s in sums]), np.array([s.residual for s in sums])
    axes.bar(places - 0.2, direct, 0.38, color=COLOURS[0], label="direct path")
    axes.bar(places - 0.2, residual, 0.38, bottom=direct, color=COLOURS[1], label="residual connection")
    axes.bar(places + 0.2, [s.sites for s in sums], 0.38, color=COLOURS[2], label="non-zero sites of the sum")
    axes.set_xticks(places, [s.name for s in sums], fontsize=8)
    axes.set_ylabel("events per sample")
    return finish(axes)
