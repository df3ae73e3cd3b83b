"""Time per timestep of a mapped network: the slowest core, then the barrier (the Floorline model's shape)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from math import prod
from typing import Any

from ..graph.activity import Activity
from ..graph.graph import INPUT, Layer, NetGraph
from ..helpers.check import finite
from ..helpers.loihi import SYNOPS, TABLES
from ..helpers.tables import NoFigureError, Table
from .fit import Fit

OPERATIONS = ("synaptic operations", "neuron updates", "spikes")
"""What a core spends its time on."""


@dataclass(frozen=True)
class Timing:
    """Seconds per operation on one core. Intel has published none of them for Loihi 2: there is no default.

    Args:
        synop: one synaptic operation.
        update: update of a neuron whose state changes.
        spike: sending one message.
        barrier: synchronization of all cores at the end of a timestep, on a full chip.
        source: where the figures come from.
        idle: visit to a neuron whose state does not change.
        synop_conv, synop_sparse: one synaptic operation of a shared kernel, of other synapses than dense ones; None:
            ``synop``.
        barrier_least: synchronization where few cores take part; None: ``barrier``.

    Raises:
        ValueError: a time that is not a finite number >= 0.
    """

    synop: float
    update: float
    spike: float
    barrier: float
    source: str
    idle: float = 0.0
    synop_conv: float | None = None
    synop_sparse: float | None = None
    barrier_least: float | None = None

    def __post_init__(self) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            if f.name != "source" and value is not None:
                finite(value, f"timing {f.name}", low=0)

    @classmethod
    def of(cls, table: Table) -> Timing:
        """The times of a table of :mod:`lava_mlsnn.helpers.loihi`; UnpublishedError where it has none.

        Example:
            >>> from lava_mlsnn.helpers.loihi import TABLES
            >>> round(Timing.of(TABLES["loihi2_estimate"]).update * 1e9, 2)
            4.85
        """
        return cls(
            synop=table["synop_dense_time"],
            update=table["update_active_time"],
            spike=table["spike_out_time"],
            barrier=table["barrier_time"],
            source=table.entries["synop_dense_time"].source,
            idle=table["update_inactive_time"],
            synop_conv=table["synop_conv_time"],
            synop_sparse=table["synop_sparse_time"],
            barrier_least=table["barrier_least_time"],
        )

    def synaptic(self, kind: str) -> float:
        """Seconds of one synaptic operation of a layer of this kind ("conv", "dense", ...)."""
        own = {"synop_conv": self.synop_conv, "synop_dense": self.synop}.get(SYNOPS.get(kind, ""), self.synop_sparse)
        return self.synop if own is None else own


ESTIMATE = Timing.of(TABLES["loihi2_estimate"])
"""A scaled guess, not a measurement and not Intel's: ask for it by name."""


@dataclass(frozen=True)
class LayerTime:
    """Seconds that the cores of one layer work in a timestep, without the barrier.

    Args:
        name: of the layer.
        low, high: with the least and the most work that the assumptions allow.
        shares: operation -> seconds of it within ``high``.
    """

    name: str
    low: float
    high: float
    shares: Mapping[str, float]

    @property
    def bottleneck(self) -> str:
        """The operation that takes the most of ``high``."""
        return max(self.shares, key=lambda name: self.shares[name])


@dataclass(frozen=True)
class StepTime:
    """Range of the time of a timestep.

    Args:
        layers: one entry per layer.
        barrier: seconds at the end of every timestep, (least, most).
        steps: timesteps of a sample: T, and one for every layer of depth.
        assumption: which activity the range is for.
        source: where the times per operation come from.
    """

    layers: tuple[LayerTime, ...]
    barrier: tuple[float, float]
    steps: int
    assumption: str
    source: str

    @property
    def slowest(self) -> LayerTime:
        """The layer that decides about the upper end."""
        return max(self.layers, key=lambda layer: layer.high)

    @property
    def step(self) -> tuple[float, float]:
        """Seconds of one timestep, (least, most)."""
        return max(layer.low for layer in self.layers) + self.barrier[0], self.slowest.high + self.barrier[1]

    @property
    def sample(self) -> tuple[float, float]:
        """Seconds of one sample, (least, most)."""
        low, high = self.step
        return self.steps * low, self.steps * high

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready content."""
        layers = [{**asdict(layer), "bottleneck": layer.bottleneck} for layer in self.layers]
        ends = {"step": list(self.step), "sample": list(self.sample), "slowest": self.slowest.name}
        return {**asdict(self), "barrier": list(self.barrier), **ends, "layers": layers}


def step_range(graph: NetGraph, fit: Fit, activity: Activity | None = None, timing: Timing = ESTIMATE) -> StepTime:
    """The time of a timestep as a range.

    With an ``activity`` its mean events per timestep: at the lower end only neurons that fire change their state, at
    the upper end all do. Without, the lower end is a silent network, the upper end one in which every input and every
    neuron sends a spike in every timestep.

    Warning:
        Work is taken as spread evenly over a layer's cores, and traffic on the network-on-chip is left out; the times
        per operation are guesses (:data:`ESTIMATE`) unless others are given.

    Raises:
        NoFigureError: a layer has no place on the chip.
        ValueError: an activity of another network.

    Example:
        >>> import numpy as np
        >>> from lava_mlsnn.loihi2 import fit
        >>> from lava_mlsnn.netx import Connection, Dense, Input, Layer, MultiLevel, NetGraph
        >>> dense = Connection(("input",), Dense(np.ones((100, 400), np.int32)))
        >>> graph = NetGraph(Input((400, 1, 1)), (Layer("fc", (dense,), (100, 1, 1), MultiLevel(1, 64)),))
        >>> found = step_range(graph, fit(graph))
        >>> [f"{t * 1e6:.1f} us" for t in found.step], found.slowest.bottleneck
        (['0.4 us', '31.4 us'], 'synaptic operations')
    """
    least, most, assumption = assumed(graph, activity)
    if activity is not None:
        assumption += ", from only the neurons that fire to all changing their state"
    layers = []
    for layer, cores in zip(graph, _cores(graph, fit), strict=True):
        high = _work(graph, layer, most, timing, active=float(layer.size))
        low = _work(graph, layer, least, timing, active=min(least[layer.name], float(layer.size)))
        shares = {what: seconds / cores for what, seconds in high.items()}
        layers.append(LayerTime(layer.name, sum(low.values()) / cores, sum(shares.values()), shares))
    barrier = timing.barrier if timing.barrier_least is None else timing.barrier_least, timing.barrier
    return StepTime(tuple(layers), barrier, graph.timesteps + graph.latency, assumption, timing.source)


def assumed(graph: NetGraph, activity: Activity | None) -> tuple[dict[str, float], dict[str, float], str]:
    """Events per timestep of the input and all layers, the least and the most, and what that assumes in words.

    Raises:
        ValueError: an activity of another network.
    """
    names = (INPUT, *(layer.name for layer in graph))
    if activity is not None:
        activity.check(graph)
        mean = {name: activity.mean_events(name) / activity.timesteps for name in names}
        return mean, mean, f"mean of {activity.samples} samples"
    most = {name: float(prod(graph.shape(name))) for name in names}
    most |= {layer.name: 0.0 for layer in graph if not layer.neuron.spiking}
    silent = dict.fromkeys(names, 0.0)
    return silent, most, "from no spike at all to one of every input and neuron in every timestep"


def step_time(graph: NetGraph, fit: Fit, events: Mapping[str, float], timing: Timing) -> dict[str, float]:
    """Seconds of a timestep in which every neuron's state changes, per layer and in all (``"step"``).

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
    times = {
        layer.name: sum(_work(graph, layer, events, timing, active=float(layer.size)).values()) / cores
        for layer, cores in zip(graph, _cores(graph, fit), strict=True)
    }
    return {**times, "step": max(times.values()) + timing.barrier}


def _work(
    graph: NetGraph, layer: Layer, events: Mapping[str, float], timing: Timing, active: float
) -> dict[str, float]:
    """Operation -> seconds that one core would need for a whole layer's work of one timestep."""
    synops = sum(
        events[source] * float(c.synapse.fan_out(graph.shape(source)).mean()) * timing.synaptic(c.synapse.priced_as)
        for c in layer.connections
        for source in c.sources
    )
    updates = active * timing.update + (layer.size - active) * timing.idle
    return dict(zip(OPERATIONS, (synops, updates, events[layer.name] * timing.spike), strict=True))


def _cores(graph: NetGraph, fit: Fit) -> list[int]:
    """Cores of each layer; NoFigureError if one has no place."""
    for mapped in fit.layers:
        if mapped.part is None:
            raise NoFigureError(f"layer {mapped.name!r}: {mapped.why}")
    return [mapped.part.cores for mapped in fit.layers if mapped.part]
