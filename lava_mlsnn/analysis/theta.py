"""Sparsity theta of a network ([Castagnetti2023], Eq 20): spikes per neuron and timestep."""

from __future__ import annotations

from dataclasses import dataclass

from ..graph.activity import Activity
from ..graph.graph import NetGraph


@dataclass(frozen=True)
class Sparsity:
    """Spikes per neuron and timestep, mean over samples.

    Args:
        layers: theta of each layer that spikes, by name. A graded spike counts with its value, as N binary ones would.
    """

    layers: dict[str, float]

    @property
    def mean(self) -> float:
        """The global theta: the mean over layers, each with the same weight, as the paper takes it."""
        return sum(self.layers.values()) / len(self.layers)


def sparsity(graph: NetGraph, counts: Activity) -> Sparsity:
    r"""Theta per layer and, as ``.mean``, of the network.

    .. math:: \theta = \frac{1}{n T} \sum_t \sum_i z_i(t)

    Args:
        graph: the network.
        counts: of any engine.

    Raises:
        ValueError: counts of no sample, or of another network; a network without a layer that spikes.

    Example:
        >>> import numpy as np
        >>> from lava_mlsnn import sim
        >>> from lava_mlsnn.netx import Connection, Dense, Input, Layer, MultiLevel
        >>> layer = Layer("a", (Connection("input", Dense(np.eye(4))),), (4, 1, 1), MultiLevel(1, 2))
        >>> graph = NetGraph(Input((4, 1, 1)), (layer,), timesteps=2)
        >>> sparsity(graph, sim.run(graph, np.array([0, 1, 2, 0]).reshape(1, 4, 1, 1)).activity)
        Sparsity(layers={'a': 0.375})
    """
    spiking = [layer for layer in graph if layer.neuron.spiking]
    missing = [layer.name for layer in spiking if layer.name not in counts.values]
    if counts.samples < 1 or missing or not spiking:
        raise ValueError(f"sparsity: expected counts of one or more samples of this network, missing: {missing}")
    sites = counts.samples * graph.timesteps
    return Sparsity({layer.name: float(counts.values[layer.name].sum()) / (sites * layer.size) for layer in spiking})
