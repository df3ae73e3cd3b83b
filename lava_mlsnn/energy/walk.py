"""From a NetGraph and its counted activity to what every energy model prices: synapses with events, populations."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..graph import graph as netgraph
from ..graph import neurons as netneuron
from ..graph import neurons as netthresholds
from ..graph import synapses as netsynapse
from ..graph.activity import Activity
from ..helpers.check import flag, integer
from .counts import Geometry

SUMS = ("connections", "sites")
CHARGES = ("levels", "values")

PRICED = (
    netneuron.MultiLevel,
    netneuron.Barrier,
    netneuron.Relay,
    netneuron.Readout,
    netneuron.LIF,
    netthresholds.Scheduled,
    netthresholds.Staircase,
    netneuron.SoftLIF,
    netneuron.Rescale,
)
"""Neurons for which the models have formulas (barrier, relay, rescale and readout by extension)."""


_GRADED = (netneuron.MultiLevel, netneuron.Barrier, netthresholds.Scheduled, netthresholds.Staircase)


@dataclass(frozen=True)
class Link:
    """A connection of a layer, with the events that enter it during one inference.

    Args:
        geometry: sizes of its synapse.
        sources: how many layers it sums.
        events: non-zero spikes (or, analog, non-zero values) of all T steps, mean over samples.
        levels: ACC that one synaptic operation is charged: the largest value of a spike, or the mean one.
        analog: whether it reads the network's input as values.
        fanout: synapses that one event reaches, mean over input sites, borders respected.
        recurrent: whether the layer reads itself.
    """

    geometry: Geometry
    sources: int
    events: float
    levels: float
    analog: bool
    fanout: float
    recurrent: bool


@dataclass(frozen=True)
class Population:
    """A layer of a NetGraph as the models see it.

    Args:
        name, kind: of the layer; kind is such as "conv+multilevel".
        links: its connections.
        geometry: of the synapse that decides how its neurons are updated, with the layer's biases.
        events_out: spikes that it emits during one inference, mean over samples.
        leaky: whether its neurons decay.
        relay: whether its neurons only pass on.
        consumers: connections that read it.
    """

    name: str
    kind: str
    links: tuple[Link, ...]
    geometry: Geometry
    events_out: float
    leaky: bool
    relay: bool
    consumers: int


def populations(
    graph: netgraph.NetGraph,
    activity: Activity | None,
    *,
    sums: str = "connections",
    charge: str = "levels",
    analog_input: bool | None = None,
    input_levels: int | None = None,
    mac: float = math.inf,
) -> tuple[Population, ...]:
    """Every layer with its events; ``activity`` None leaves all events at 0 (for the ANN of the same shapes).

    Args:
        sums: where a connection sums several sources, count the events that its sources send ("connections") or the
            non-zero sites of the sum ("sites").
        charge: a synaptic operation costs as many ACC as the source's largest spike value ("levels", the worst case of
            paper 000) or as its spikes' mean value ("values").
        analog_input: whether the input is values, not spikes; None: if it can exceed 1.
        input_levels: largest value of an input spike; None: what the graph's input can hold.
        mac: price of a multiply-accumulate in ACC: relays and the input, whose values can be large, are never charged
            more than one per synaptic operation.

    Raises:
        ValueError: an unknown setting, an activity of another network, a neuron without a formula: names it.
    """
    if sums not in SUMS:
        raise ValueError(f"sums: expected one of {', '.join(SUMS)}, got {sums!r}")
    if charge not in CHARGES:
        raise ValueError(f"charge: expected one of {', '.join(CHARGES)}, got {charge!r}")
    if activity is not None:
        _check(graph, activity)
    analog = graph.input.bound > 1 if analog_input is None else flag(analog_input, "analog_input")
    largest = graph.input.bound if input_levels is None else integer(input_levels, "input_levels", 1)
    bounds = _bounds(graph, largest)
    caps = {name: _cap(graph, name, mac) for name in bounds}
    charged = {name: min(bound, caps[name]) for name, bound in bounds.items()}
    readers: dict[str, int] = {}
    for layer in graph:
        for connection in layer.connections:
            for source in connection.sources:
                readers[source] = readers.get(source, 0) + 1

    def link(layer: netgraph.Layer, index: int) -> Link:
        connection = layer.connections[index]
        events, levels = 0.0, 1.0
        if activity is not None:
            events = activity.mean_sites(layer, index) if sums == "sites" else activity.events_in(connection)
            levels = _levels(activity, connection, charged, caps, events, (sums, charge))
        in_shape = graph.shape(connection.sources[0])
        return Link(
            geometry(connection.synapse, in_shape, layer.shape),
            len(connection.sources),
            events,
            1.0 if analog and netgraph.INPUT in connection.sources else levels,
            analog and netgraph.INPUT in connection.sources,
            fanout(connection.synapse, in_shape, layer.shape),
            layer.name in connection.sources,
        )

    def population(layer: netgraph.Layer) -> Population:
        links = tuple(link(layer, i) for i in range(len(layer.connections)))
        emits = activity is not None and layer.neuron.spiking
        return Population(
            layer.name,
            "+".join(dict.fromkeys((*(c.synapse.kind for c in layer.connections), layer.neuron.kind))),
            links,
            _own_geometry(layer, links),
            activity.mean_events(layer.name) if activity is not None and emits else 0.0,
            _leaky(layer.neuron),
            isinstance(layer.neuron, netneuron.Relay | netneuron.Rescale),
            readers.get(layer.name, 0),
        )

    return tuple(population(layer) for layer in graph)


def require_formulas(graph: netgraph.NetGraph, model: str) -> None:
    """Raise a ValueError that names the first neuron for which the models of spiking networks have no formula."""
    for layer in graph:
        if not isinstance(layer.neuron, PRICED):
            accepted = ", ".join(neuron.kind for neuron in PRICED)
            raise ValueError(
                f"layer {layer.name!r}: model {model!r} has no formula for a {layer.neuron.kind!r} neuron; "
                f"expected one of {accepted}"
            )


def geometry(synapse: netsynapse.Synapse, in_shape: Any, out_shape: Any) -> Geometry:
    """Sizes of a NetGraph synapse.

    Raises:
        ValueError: a synapse of unknown kind.
    """
    if isinstance(synapse, netsynapse.Conv):
        kernel = synapse.weight.shape[2:]
        return Geometry("conv", in_shape, out_shape, kernel, synapse.stride, synapse.groups)
    if isinstance(synapse, netsynapse.Dense):
        return Geometry("dense", in_shape, out_shape)
    if isinstance(synapse, netsynapse.Pool):
        return Geometry("pool", in_shape, out_shape, synapse.kernel, synapse.stride)
    if isinstance(synapse, netsynapse.Identity | netsynapse.Injection):
        return Geometry("identity", in_shape, out_shape)
    raise ValueError(f"synapse {synapse.kind!r}: expected one of {', '.join(netsynapse.SYNAPSES)}")


def fanout(synapse: netsynapse.Synapse, in_shape: Any, out_shape: Any) -> float:
    """Synapses that an event reaches, mean over all input sites, positions outside the map excluded.

    Example:
        >>> fanout(netsynapse.Conv(np.ones((8, 3, 3, 3)), padding=1), (3, 4, 4), (8, 4, 4))  # inner sites: 72
        50.0
    """
    if isinstance(synapse, netsynapse.Dense):
        return float(synapse.weight.shape[0])
    if isinstance(synapse, netsynapse.Conv):
        kernel, padding, dilation = synapse.weight.shape[2:], synapse.padding, synapse.dilation
        stride, channels = synapse.stride, out_shape[0] / synapse.groups
    elif isinstance(synapse, netsynapse.Pool):
        kernel, padding, dilation, stride, channels = synapse.kernel, (0, 0), (1, 1), synapse.stride, 1.0
    else:
        return 1.0
    pairs = 1
    for axis in (0, 1):
        position = np.arange(out_shape[axis + 1])[:, None] * stride[axis] - padding[axis]
        position = position + np.arange(kernel[axis]) * dilation[axis]
        pairs *= int(((position >= 0) & (position < in_shape[axis + 1])).sum())
    return float(channels * pairs / (in_shape[1] * in_shape[2]))


def _own_geometry(layer: netgraph.Layer, links: tuple[Link, ...]) -> Geometry:
    """The geometry by which a layer's neurons are charged: that of its first weighted synapse, or an identity."""
    biases = 0 if layer.bias is None else int(layer.bias.size)
    for link in links:
        g = link.geometry
        if g.kind in ("conv", "dense"):
            return Geometry(g.kind, g.in_shape, g.out_shape, g.kernel, g.stride, g.groups, biases)
    kind = "barrier" if isinstance(layer.neuron, netneuron.Barrier) else "identity"
    return Geometry(kind, layer.shape, layer.shape, bias=biases)


def _leaky(neuron: netneuron.Neuron) -> bool:
    """Whether a neuron decays partly (a full decay is a reset, not a multiplication)."""
    if isinstance(neuron, netneuron.SoftLIF):
        return 0 < neuron.dv < 4096
    return isinstance(neuron, netneuron.LIF) and (0 < neuron.dv < 4096 or neuron.du < 4095)


def _cap(graph: netgraph.NetGraph, name: str, mac: float) -> float:
    """Most ACC that a synaptic operation on a spike of this layer is charged."""
    if name != netgraph.INPUT and isinstance(graph[name].neuron, netneuron.SoftLIF):
        return 1.0
    return mac if _is_value(graph, name) else math.inf


def _is_value(graph: netgraph.NetGraph, name: str) -> bool:
    return name == netgraph.INPUT or isinstance(graph[name].neuron, netneuron.Relay | netneuron.Rescale)


def _bounds(graph: netgraph.NetGraph, input_levels: int) -> dict[str, float]:
    """Largest value of one spike of each layer; a relay sums what its sources can send."""
    bounds: dict[str, float] = {netgraph.INPUT: input_levels}
    for layer in graph:
        if isinstance(layer.neuron, _GRADED):
            bounds[layer.name] = layer.neuron.levels
        elif isinstance(layer.neuron, netneuron.SoftLIF):
            bounds[layer.name] = 1  # all spikes have one value: an addition of a weight times it
        elif isinstance(layer.neuron, netneuron.Rescale):
            bounds[layer.name] = layer.neuron.limit
        elif isinstance(layer.neuron, netneuron.Relay):
            bounds[layer.name] = sum(_gain(c, layer) * sum(bounds[s] for s in c.sources) for c in layer.connections)
        else:
            bounds[layer.name] = 1
    return bounds


def _gain(connection: netgraph.Connection, layer: netgraph.Layer) -> float:
    """Largest factor from the spikes of a source to the current of one neuron, over all its input sites."""
    synapse = connection.synapse
    if isinstance(synapse, netsynapse.Pool):
        return float(synapse.kernel[0] * synapse.kernel[1])
    weight = getattr(synapse, "weight", None)
    if weight is None:
        return 1.0
    weight = np.abs(weight.astype(np.float64))
    return float(weight.max() if weight.ndim < 2 else weight.reshape(len(weight), -1).sum(axis=1).max())


def _levels(
    activity: Activity,
    connection: netgraph.Connection,
    bounds: dict[str, float],
    caps: dict[str, float],
    events: float,
    setting: tuple[str, str],
) -> float:
    """ACC per synaptic operation, so that events * levels is what is accumulated, weighted over the sources."""
    sums, charge = setting
    if events == 0:
        return 1.0
    if charge == "levels" and sums == "sites":
        return sum(bounds[source] for source in connection.sources)
    total = 0.0
    for source in connection.sources:
        sent = activity.mean_events(source)
        mean = float(activity.values[source].sum()) / max(activity.samples, 1) / sent if sent else 1.0
        total += sent * (bounds[source] if charge == "levels" else min(mean, caps[source]))
    return total / events


def _check(graph: netgraph.NetGraph, activity: Activity) -> None:
    if activity.samples < 1:
        raise ValueError(f"activity: expected at least one sample, got {activity.samples}")
    expected = {netgraph.INPUT, *(layer.name for layer in graph)}
    if set(activity.events) != expected:
        odd = sorted(expected ^ set(activity.events))
        raise ValueError(f"activity of another network: layers {', '.join(odd)} are in only one of the two")
    if activity.timesteps != graph.timesteps:
        raise ValueError(f"activity of {activity.timesteps} timesteps, the network has {graph.timesteps}")
    for name, events in activity.events.items():
        most = int(np.prod(graph.shape(name))) * activity.samples
        if events.size and not 0 <= int(events.min()) <= int(events.max()) <= most:
            raise ValueError(f"activity of {name!r}: expected 0 .. {most} events per step, got {events.tolist()}")
    for layer in graph:
        if layer.name not in activity.sites or len(activity.sites[layer.name]) != len(layer.connections):
            raise ValueError(f"activity of {layer.name!r}: expected one row of sites per connection")
