"""Time per timestep of a mapped network: the slowest core, then the barrier (the Floorline model's shape)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from ..graph.graph import NetGraph
from .fit import Fit


@dataclass(frozen=True)
class Timing:
    """Seconds per operation on one core. Intel has published none of them for Loihi 2: there is no default.

    Args:
        synop: one synaptic operation.
        update: one neuron update.
        spike: sending one message.
        barrier: synchronisation of all cores at the end of a timestep.
        source: where the figures come from.
    """

    synop: float
    update: float
    spike: float
    barrier: float
    source: str

    def __post_init__(self) -> None:
        for f in fields(self)[:4]:
            if not getattr(self, f.name) >= 0:
                raise ValueError(f"timing {f.name}: expected seconds >= 0, got {getattr(self, f.name)!r}")


ESTIMATE = Timing(
    0.76e-9, 1.85e-9, 3.0e-9, 200e-9, "guess: Loihi 1 times of SANA-FE divided by the speed-ups of Intel's 2021 brief"
)
"""A scaled guess, not a measurement and not Intel's: ask for it by name."""


def step_time(graph: NetGraph, fit: Fit, events: Mapping[str, float], timing: Timing) -> dict[str, float]:
    """Lower bound of a timestep in seconds, per layer and in all (``"step"``).

    .. math:: t = \\max_{cores}(n_{synop} t_{synop} + n_{update} t_{update} + n_{spike} t_{spike}) + t_{barrier}

    Events are taken as spread evenly over a layer's cores; traffic on the network-on-chip is left out.

    Args:
        graph, fit: the network and its mapping.
        events: mean events per timestep of every layer and of "input".
        timing: seconds per operation, such as :data:`ESTIMATE`.

    Raises:
        ValueError: events of a layer are missing, or a layer does not fit a core.
    """
    missing = [name for name in graph.depth if name not in events]
    if missing:
        raise ValueError(f"step_time: no events of {', '.join(missing)}")
    times: dict[str, float] = {}
    for layer, mapped in zip(graph, fit.layers, strict=True):
        if mapped.part is None:
            raise ValueError(f"layer {layer.name!r}: not even one neuron fits a core")
        synops = sum(
            events[source] * float(connection.synapse.fan_out(graph.shape(source)).mean())
            for connection in layer.connections
            for source in connection.sources
        )
        spikes = events[layer.name] * timing.spike
        times[layer.name] = (synops * timing.synop + layer.size * timing.update + spikes) / mapped.part.cores
    return {**times, "step": max(times.values()) + timing.barrier}
