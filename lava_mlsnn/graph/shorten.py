"""Stop a network before its last timestep."""

from __future__ import annotations

from dataclasses import replace

from ..helpers.check import integer
from .graph import NetGraph


def shorten(graph: NetGraph, timesteps: int) -> NetGraph:
    """The network that stops after so many timesteps ([VicenteSola2022], Table 16): the norms of later ones are not
    used.

    Args:
        graph: a network of T timesteps.
        timesteps: 1 .. T.

    Raises:
        ValueError: another number of timesteps.

    Example:
        >>> from lava_mlsnn.netx import Connection, Dense, Input, Layer, NetGraph, SoftLIF
        >>> neuron = SoftLIF(scale=[[3, 5, 7]], shift=[2], offset=[[0, 1, 2]], threshold=64)
        >>> layer = Layer("a", (Connection("input", Dense([[1]])),), (1, 1, 1), neuron)
        >>> shorten(NetGraph(Input((1, 1, 1)), (layer,), 3), 2)["a"].neuron.scale.tolist()
        [[3, 5]]
    """
    steps = integer(timesteps, "timesteps", 1, graph.timesteps)
    layers = tuple(replace(layer, neuron=layer.neuron.shorten(steps)) for layer in graph)
    return NetGraph(graph.input, layers, steps, graph.labels)
