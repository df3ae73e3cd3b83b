r"""Work of the busiest cores and traffic on the busiest link, in the shape of [Timcheck2026]'s max-affine model.

.. math:: t = \max(n_{dend}\, t_{dend}, n_{syn}\, t_{syn}, n_{read}\, t_{read}, bits_{link}\, t_{bit}) + t_{barrier}

with the largest count over all cores, and bits of the busiest link of the network-on-chip. The counts follow from the
network, its mapping and its activity; the times do not: the paper only draws them, so they are the user's
(:class:`Affine`), and without any there is no time.

What is assumed, all of it inference: a layer's work and messages are spread evenly over its cores; one message goes to
every core of a reading layer that holds neurons which the site reaches; a synapse's weights are read in 64-bit words,
as many as the fit counts for them; cores lie as :mod:`~lava_mlsnn.loihi2.placement` says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from ..graph.activity import Activity
from ..graph.graph import Connection, Layer, NetGraph
from ..graph.synapses import Synapse
from ..helpers.check import finite
from ..helpers.tables import UnpublishedError
from .fit import Fit
from .partition import Part
from .placement import Link, Placement, Router, place, route
from .timing import assumed

ENTRY: Router = (0, 0)
"""Router through which the input is taken to enter; where it does is not public."""


@dataclass(frozen=True)
class Affine:
    """Seconds of the max-affine model, measured by whoever gives them; None: not known, and left out.

    Args:
        dendop: one dendrite operation (update of a neuron).
        synop: one synaptic operation.
        read: one read of a 64-bit word of synaptic memory.
        bit: one bit over a link of the network-on-chip.
        message_bits: bits of a message.
        barrier: synchronization of a timestep.
        source: where the figures come from.

    Raises:
        ValueError: a figure that is not a finite number >= 0.
    """

    dendop: float | None = None
    synop: float | None = None
    read: float | None = None
    bit: float | None = None
    message_bits: float | None = None
    barrier: float | None = None
    source: str = "given by the user"

    def __post_init__(self) -> None:
        for f in fields(self):
            if f.name != "source" and getattr(self, f.name) is not None:
                finite(getattr(self, f.name), f"affine {f.name}", low=0)

    @property
    def link_message(self) -> float | None:
        """Seconds of one message over a link."""
        return None if self.bit is None or self.message_bits is None else self.bit * self.message_bits


@dataclass(frozen=True)
class Work:
    """What one core of a layer does in a timestep.

    Args:
        name: of the layer.
        dendops: dendrite operations: its neurons.
        synops: synaptic operations.
        reads: reads of 64-bit words of synaptic memory.
    """

    name: str
    dendops: float
    synops: float
    reads: float


@dataclass(frozen=True)
class Traffic:
    """Work and messages of one timestep.

    Args:
        layers: per layer, the work of one of its cores.
        links: link -> messages; links without any are absent.
        placement: where the cores are.
        assumption: which activity it is for.
    """

    layers: tuple[Work, ...]
    links: Mapping[Link, float]
    placement: Placement
    assumption: str

    @property
    def busiest(self) -> tuple[Link, float] | None:
        """The link with the most messages, and their number; None if all stays within routers."""
        return max(self.links.items(), key=lambda item: item[1], default=None)

    def largest(self) -> dict[str, float]:
        """Count -> the largest of all cores, and of messages of all links."""
        found = {name: max(getattr(work, name) for work in self.layers) for name in ("dendops", "synops", "reads")}
        return {**found, "messages": self.busiest[1] if self.busiest else 0.0}

    def time(self, affine: Affine) -> dict[str, Any]:
        """Seconds of a timestep, the term that decides, and the terms that are left out for want of a figure.

        Raises:
            UnpublishedError: no figure at all: Intel has published none.
        """
        prices = {
            "dendops": affine.dendop, "synops": affine.synop, "reads": affine.read, "messages": affine.link_message,
        }  # fmt: skip
        terms = {name: count * price for name, count in self.largest().items() if (price := prices[name]) is not None}
        if not terms:
            raise UnpublishedError(
                "the times of the max-affine model are published nowhere: expected some of one's own, such as "
                "Affine(synop=..., barrier=...)"
            )
        left_out = [name for name in prices if name not in terms] + ["barrier"] * (affine.barrier is None)
        slowest = max(terms, key=lambda name: terms[name])
        return {
            "step": terms[slowest] + (affine.barrier or 0.0),
            "bound_by": slowest,
            "terms": terms,
            "left_out": left_out,
            "source": affine.source,
        }

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready content."""
        chip = self.placement.chip
        links = sorted(self.links.items(), key=lambda item: -item[1])
        return {
            "mesh": {"columns": chip.columns, "rows": chip.rows, "router_cores": chip.router_cores},
            "routers": {name: [list(r) for r in routers] for name, routers in self.placement.routers.items()},
            "entry": list(ENTRY),
            "layers": [asdict(work) for work in self.layers],
            "links": [{"from": list(a), "to": list(b), "messages": count} for (a, b), count in links],
            "largest": self.largest(),
            "assumption": self.assumption,
        }


def traffic(graph: NetGraph, fit: Fit, activity: Activity | None = None) -> tuple[Traffic, Traffic]:
    """The least and the most that a timestep asks of cores and links, by the assumptions of :func:`step_range`.

    With an ``activity`` both are its mean; without, a silent network and one in which all sends in every timestep.

    Raises:
        NoFigureError: the network has no place on one chip.
        ValueError: an activity of another network.

    Example:
        >>> import numpy as np
        >>> from lava_mlsnn.loihi2 import Affine, fit
        >>> from lava_mlsnn.netx import Connection, Dense, Input, Layer, MultiLevel, NetGraph
        >>> dense = Connection(("input",), Dense(np.ones((100, 400), np.int32)))
        >>> graph = NetGraph(Input((400, 1, 1)), (Layer("fc", (dense,), (100, 1, 1), MultiLevel(1, 64)),))
        >>> _, most = traffic(graph, fit(graph))
        >>> most.largest()
        {'dendops': 100.0, 'synops': 40000.0, 'reads': 12800.0, 'messages': 0.0}
        >>> round(most.time(Affine(synop=1e-9, barrier=1e-6))["step"] * 1e6)  # figures of this example alone
        41
    """
    placement, (least, most, assumption) = place(fit), assumed(graph, activity)
    ends = (assumption, assumption) if activity else ("no spike at all", "a spike of every input and neuron")
    return _traffic(graph, fit, placement, least, ends[0]), _traffic(graph, fit, placement, most, ends[1])


def _traffic(graph: NetGraph, fit: Fit, placement: Placement, events: Mapping[str, float], assumption: str) -> Traffic:
    parts = {mapped.name: mapped.part for mapped in fit.layers if mapped.part}
    links: Counter[Link] = Counter()
    for layer in graph:
        for connection in layer.connections:
            share = _share_read(graph, layer, connection, parts[layer.name])
            for source in connection.sources:
                senders = placement.routers.get(source, (ENTRY,))
                each = events[source] * share / len(senders)
                for sender in senders:
                    for receiver in placement.routers[layer.name]:
                        links.update(dict.fromkeys(route(sender, receiver), each))
    work = tuple(_work(graph, layer, parts[layer.name], events) for layer in graph)
    return Traffic(work, {link: float(count) for link, count in links.items() if count}, placement, assumption)


def _share_read(graph: NetGraph, layer: Layer, connection: Connection, part: Part) -> float:
    """Share of a source's sites that a core with this part of the layer must receive."""
    height = graph.shape(connection.sources[0])[1]
    return min(1.0, connection.synapse.rows_read(part.rows(layer.shape), height) / height)


def _work(graph: NetGraph, layer: Layer, part: Part, events: Mapping[str, float]) -> Work:
    synops = reads = 0.0
    for connection in layer.connections:
        synapse = connection.synapse
        fan_out = float(synapse.fan_out(graph.shape(connection.sources[0])).mean())
        each = sum(events[source] for source in connection.sources) * fan_out / part.cores
        synops += each
        reads += each * _words_per_weight(synapse, part.channels)
    return Work(layer.name, float(part.neurons), synops, reads)


def _words_per_weight(synapse: Synapse, channels: int) -> float:
    """Words of synaptic memory per weight on a core; one where the fit counts no matrix of weights."""
    words, weights = synapse.synaptic_words(channels), synapse.weights
    if weights is None or weights.ndim < 2:
        return 1.0 if words else 0.0
    return words / (weights[0].size * channels)
