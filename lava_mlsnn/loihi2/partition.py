"""How one layer is cut into parts that each fit a core: some of its channels, at some of its sites."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from ..graph.graph import Connection, Layer, NetGraph
from ..helpers.check import Shape
from .limits import Chip, state_words_of


@dataclass(frozen=True)
class Part:
    """The largest part of a layer that one core holds, and what it takes there.

    Args:
        channels, sites: the part's neurons are channels x sites of the layer's C x (H W).
        cores: number of parts that make up the layer.
        neurons, state_words, synaptic_words, axons_in, axons_out: taken on the fullest core.
    """

    channels: int
    sites: int
    cores: int
    neurons: int
    state_words: int
    synaptic_words: int
    axons_in: int
    axons_out: int

    def shares(self, chip: Chip) -> dict[str, float]:
        """Fraction of each of the core's resources that is taken."""
        names = ("neurons", "state_words", "synaptic_words", "axons_in", "axons_out")
        return {name: getattr(self, name) / getattr(chip, name) for name in names}

    def rows(self, shape: Shape) -> int:
        """Rows of a layer of ``shape`` (C, H, W) that its sites touch, wherever they begin."""
        return _rows(self.sites, shape)

    def binding(self, chip: Chip) -> str:
        """The resource that is fullest."""
        shares = self.shares(chip)
        return max(shares, key=lambda name: shares[name])


def partition(graph: NetGraph, layer: Layer, chip: Chip) -> Part | None:
    """The cut of ``layer`` that needs the fewest cores; None if not even one neuron fits a core.

    Channels are cut evenly. Sites are cut in row-major order. Of cuts with equally many cores the one with the most
    channels per core is taken: fewer copies of each incoming message.
    """
    total_channels, total_sites = layer.shape[0], layer.shape[1] * layer.shape[2]
    best: Part | None = None
    for splits in range(1, total_channels + 1):
        channels = ceil(total_channels / splits)
        if ceil(total_channels / channels) != splits:
            continue
        if best is not None and splits >= best.cores:
            break
        sites = _most_sites(graph, layer, chip, channels, total_sites)
        if sites:
            part = _part(graph, layer, channels, sites, splits * ceil(total_sites / sites))
            if best is None or part.cores < best.cores:
                best = part
    return best


def _most_sites(graph: NetGraph, layer: Layer, chip: Chip, channels: int, total: int) -> int:
    """The largest number of sites that fits with ``channels``; 0 if not even one does. Demands grow with the sites."""
    low, high = 0, total
    while low < high:
        middle = (low + high + 1) // 2
        part = _part(graph, layer, channels, middle, 1)
        if max(part.shares(chip).values()) <= 1:
            low = middle
        else:
            high = middle - 1
    return low


def _part(graph: NetGraph, layer: Layer, channels: int, sites: int, cores: int) -> Part:
    neurons = channels * sites
    return Part(
        channels,
        sites,
        cores,
        neurons,
        neurons * state_words_of(layer.neuron) + channels * layer.neuron.table_words,
        sum(connection.synapse.synaptic_words(channels * layer.neuron.currents) for connection in layer.connections),
        sum(_axons_in(graph, layer, connection, sites) for connection in layer.connections),
        neurons * max(sum(layer.name in other.inputs for other in graph), 1),
    )


def _axons_in(graph: NetGraph, layer: Layer, connection: Connection, sites: int) -> int:
    """Input sites that reach a part: all channels of the input rows under its output rows (inference)."""
    channels, height, width = graph.shape(connection.sources[0])
    rows = connection.synapse.rows_read(_rows(sites, layer.shape), height)
    return len(connection.sources) * channels * width * rows


def _rows(sites: int, shape: Shape) -> int:
    return min(ceil(sites / shape[2]) + (sites % shape[2] > 0), shape[1])
