"""From a NetGraph and its counted activity to what every energy model prices: synapses with events, populations."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from ..graph.activity import Activity
from ..graph.graph import INPUT, Connection, Layer, NetGraph
from ..graph.neurons import NEURONS, Neuron
from ..graph.spec import INT24_MAX
from ..graph.synapses import Synapse
from ..helpers.check import Shape, flag, integer
from ..helpers.tables import NoFigureError
from .geometry import KINDS, Geometry

SUMS = ("connections", "sites")
CHARGES = ("levels", "values")


@dataclass(frozen=True)
class Link:
    """A connection of a layer, with the events that enter it during one inference.

    Args:
        geometry: sizes of its synapse.
        sources: how many layers it sums.
        events: non-zero spikes (or, analog, non-zero values) of all T steps, mean over samples.
        levels: ACC that one synaptic operation is charged: the largest value of a spike, or the mean one.
        analog: whether it reads the network's input as values.
        recurrent: whether the layer reads itself.
    """

    geometry: Geometry
    sources: int
    events: float
    levels: float
    analog: bool
    recurrent: bool

    @property
    def fanout(self) -> float:
        """Synapses that one event reaches, mean over input sites, borders respected."""
        return self.geometry.synapses / self.geometry.n_in


@dataclass(frozen=True)
class Population:
    """A layer of a NetGraph as the models see it.

    Args:
        name, kind: of the layer; kind is such as "conv+multilevel".
        links: its connections.
        geometry: of the synapse that decides how its neurons are updated, with the layer's biases.
        events_out: spikes that it emits during one inference, mean over samples.
        neuron: kind of its neurons.
        leaky: whether its neurons decay.
        relay: whether its neurons only pass on.
        consumers: connections that read it.
    """

    name: str
    kind: str
    links: tuple[Link, ...]
    geometry: Geometry
    events_out: float
    neuron: type[Neuron]
    leaky: bool
    relay: bool
    consumers: int


def populations(
    graph: NetGraph,
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
            [Castagnetti2025]) or as its spikes' mean value ("values").
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
        activity.check(graph)
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

    def link(layer: Layer, index: int) -> Link:
        connection = layer.connections[index]
        events, levels = 0.0, 1.0
        if activity is not None:
            events = activity.mean_sites(layer, index) if sums == "sites" else activity.events_in(connection)
            levels = _levels(activity, connection, charged, caps, events, (sums, charge))
        in_shape = graph.shape(connection.sources[0])
        return Link(
            geometry(connection.synapse, in_shape, layer.current_shape),
            len(connection.sources),
            events,
            1.0 if analog and INPUT in connection.sources else levels,
            analog and INPUT in connection.sources,
            layer.name in connection.sources,
        )

    def population(layer: Layer) -> Population:
        links = tuple(link(layer, i) for i in range(len(layer.connections)))
        emits = activity is not None and layer.neuron.spiking
        return Population(
            layer.name,
            kind_of(layer),
            links,
            _own_geometry(layer, links),
            activity.mean_events(layer.name) if activity is not None and emits else 0.0,
            type(layer.neuron),
            layer.neuron.leaky,
            layer.neuron.sends_values and not layer.neuron.state,
            readers.get(layer.name, 0),
        )

    return tuple(population(layer) for layer in graph)


def kind_of(layer: Layer) -> str:
    """What a layer is called in tables, such as "conv+multilevel"."""
    return "+".join(dict.fromkeys((*(c.synapse.kind for c in layer.connections), layer.neuron.kind)))


def require_formulas(graph: NetGraph, model: str, *, ann: bool = False) -> None:
    """NoFigureError that names the first synapse or, in a spiking network, neuron for which there is no formula."""
    for layer in graph:
        for connection in layer.connections:
            if connection.synapse.priced_as not in KINDS:
                raise NoFigureError(
                    f"layer {layer.name!r}: model {model!r} has no formula for a {connection.synapse.kind!r} synapse; "
                    f"expected one that is priced as one of {', '.join(KINDS)}"
                )
        if ann:
            continue
        if not layer.neuron.priced:
            accepted = ", ".join(neuron.kind for neuron in NEURONS.values() if neuron.priced)
            raise NoFigureError(
                f"layer {layer.name!r}: model {model!r} has no formula for a {layer.neuron.kind!r} neuron; "
                f"expected one of {accepted}"
            )


def geometry(synapse: Synapse, in_shape: Shape, out_shape: Shape) -> Geometry:
    """Sizes of a NetGraph synapse, and the synapses that it counts itself."""
    found = Geometry(synapse.priced_as, in_shape, out_shape, pairs=int(synapse.fan_out(in_shape).sum()))
    window = synapse.window
    if window is None:
        return found
    return replace(found, kernel=window.kernel, stride=window.stride, groups=window.groups)


def _own_geometry(layer: Layer, links: tuple[Link, ...]) -> Geometry:
    """The geometry by which a layer's neurons are charged: that of its first weighted synapse, or an identity."""
    biases = 0 if layer.bias is None else int(layer.bias.size)
    for link in links:
        g = link.geometry
        if g.kind in ("conv", "dense"):
            return replace(g, bias=biases)
    return Geometry(layer.neuron.updates_as, layer.shape, layer.shape, bias=biases)


def _cap(graph: NetGraph, name: str, mac: float) -> float:
    """Most ACC that a synaptic operation on a spike of this layer, or on an input, is charged."""
    if name == INPUT:
        return mac
    neuron = graph[name].neuron
    return min(neuron.most_charged, mac if neuron.sends_values else math.inf)


def _bounds(graph: NetGraph, input_levels: int) -> dict[str, float]:
    """Largest value of one spike of each layer; a relay sums what its sources can send, itself without a bound."""
    bounds: dict[str, float] = {INPUT: input_levels}
    for layer in graph:
        largest = layer.neuron.charged_as
        if largest is None:
            largest = sum(c.synapse.gain * sum(bounds.get(s, INT24_MAX) for s in c.sources) for c in layer.connections)
        bounds[layer.name] = largest
    return bounds


def _levels(
    activity: Activity,
    connection: Connection,
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
