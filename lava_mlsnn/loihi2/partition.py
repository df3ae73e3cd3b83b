"""How one layer is cut into parts that each fit a core: some of its channels, at some of its sites."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np

from ..graph.graph import Connection, Layer, NetGraph
from ..graph.synapses import Conv, DelayDense, Dense, Identity, Injection, Pool, Synapse
from .limits import Chip, state_words_of, table_words_of

WORD = 64
"""Bits of a word of synaptic memory."""

DENSE_BITS = 20
"""Bits per non-zero dense synapse, inferred from compiler logs: 16 words for 50 outputs, 21 for 64, 4 for 10."""

WEIGHT_BITS = 8
"""Bits per weight of a shared kernel: the safe upper bound; the logs show 5 to 8, depending on the weights."""


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
        neurons * state_words_of(layer.neuron) + channels * table_words_of(layer.neuron),
        sum(synaptic_words(connection.synapse, channels) for connection in layer.connections),
        sum(_axons_in(graph, layer, connection, sites) for connection in layer.connections),
        neurons * max(sum(layer.name in other.inputs for other in graph), 1),
    )


def synaptic_words(synapse: Synapse, channels: int, bits: int = WEIGHT_BITS) -> int:
    """64-bit words of synaptic memory for ``channels`` output channels (inferred from compiler logs).

    * conv: Cin Kh Kw / groups (ceil(c b / 64) + [c > 64]) for b bits per weight, shared by all sites of the core;
    * dense: per input with synapses, floor(20 n / 64) + 1 for its n non-zero synapses, for the fullest core;
    * pool: as a depthwise kernel of ones; identity: one word per channel; an injection has no synapse.
    """
    if isinstance(synapse, Conv):
        per_tap = ceil(channels * bits / WORD) + (channels > 64)
        return int(np.prod(synapse.weight.shape[1:])) * per_tap
    if isinstance(synapse, Dense | DelayDense):
        fullest = 0
        for start in range(0, len(synapse.weight), channels):
            used = np.count_nonzero(synapse.weight[start : start + channels], axis=0)
            fullest = max(fullest, int((used * DENSE_BITS // WORD + (used > 0)).sum()))
        return fullest
    if isinstance(synapse, Pool):
        return channels * synapse.kernel[0] * synapse.kernel[1]
    if isinstance(synapse, Identity):
        return channels
    if isinstance(synapse, Injection):
        return 0
    raise ValueError(f"no figure for the synaptic memory of a {synapse.kind} synapse")


def _axons_in(graph: NetGraph, layer: Layer, connection: Connection, sites: int) -> int:
    """Input sites that reach a part: all channels of the input rows under its output rows (inference)."""
    synapse = connection.synapse
    channels, height, width = graph.shape(connection.sources[0])
    if isinstance(synapse, Injection):
        return 0
    if isinstance(synapse, Dense | DelayDense):
        return len(connection.sources) * channels * height * width
    kernel, stride = _window(synapse)
    rows = min(ceil(sites / layer.shape[2]) + (sites % layer.shape[2] > 0), layer.shape[1])
    in_rows = min((rows - 1) * stride + kernel, height)
    return len(connection.sources) * channels * in_rows * width


def _window(synapse: Synapse) -> tuple[int, int]:
    """(rows of input under one output, stride) of a local synapse."""
    if isinstance(synapse, Conv):
        return synapse.dilation[0] * (synapse.weight.shape[2] - 1) + 1, synapse.stride[0]
    if isinstance(synapse, Pool):
        return synapse.kernel[0], synapse.stride[0]
    return 1, 1
