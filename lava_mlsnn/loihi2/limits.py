"""What one Loihi 2 chip holds, as far as it is public, and where each figure comes from.

Intel publishes totals; the compiler's logs in public notebooks show how it fills a core. What follows from those logs
is inference and marked so in :data:`SOURCES`: a fit computed with it is an estimate, not the compiler's answer.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from ..graph.neurons import NEURONS, Neuron
from ..helpers.check import integer
from ..helpers.tables import NoFigureError


@dataclass(frozen=True)
class Chip:
    """Limits of one chip; every field has its provenance in :data:`SOURCES`.

    Args:
        cores: neuro cores that a network can use.
        synaptic_words: 64-bit words of synaptic memory per core.
        state_words: words of neuron state per core.
        neurons: neurons per core.
        axons_in: input axons per core.
        axons_out: entries of a core's output routing.
        max_delay: longest synaptic delay in timesteps.
        columns, rows: routers of the network-on-chip.
        router_cores: neuro cores at each router.
    """

    cores: int = 120
    synaptic_words: int = 16_000
    state_words: int = 4096
    neurons: int = 8192
    axons_in: int = 16_000
    axons_out: int = 16_000
    max_delay: int = 62
    columns: int = 8
    rows: int = 4
    router_cores: int = 4

    def __post_init__(self) -> None:
        for f in fields(self):
            integer(getattr(self, f.name), f"chip {f.name}", 1)


LOIHI2 = Chip()
"""A Loihi 2 as published."""

SOURCES = {
    "cores": "128 on the chip (Intel brief 2021), 120 usable in public scripts and papers",
    "synaptic_words": "16,000 words of 64 bits in public compiler logs (older log: 12,000); 128 KB of 192 KB per core",
    "state_words": "4096 words in public compiler logs",
    "neurons": "8192 per core: 1 M neurons per chip (Intel brief 2021)",
    "axons_in": "16,000 in public compiler logs; one axon per input site is inference",
    "axons_out": "16,000 entries of the axon map in public compiler logs; one per neuron and reading part is inference",
    "max_delay": "6 bits of delay, 0 .. 62, in Lava's synapses",
    "columns": "8 x 4 routers, dimension-order routing (quoted from [Timcheck2026], not checked against it)",
    "rows": "as columns",
    "router_cores": "4 cores at a router: 128 cores, 32 routers (as columns)",
    "state_words_of": "inferred from two logged totals (PilotNet SDNN 61 cores, LIF 74); multi-level by analogy",
}
"""Provenance of every limit and rule."""


def state_words_of(neuron: Neuron) -> int:
    """Words of neuron state that one neuron takes (inference); NoFigureError for a kind without one."""
    if neuron.state_words is None:
        known = ", ".join(kind for kind, cls in NEURONS.items() if cls.state_words is not None)
        raise NoFigureError(f"no figure for the state of a {neuron.kind} neuron: expected one of {known}")
    return neuron.state_words
