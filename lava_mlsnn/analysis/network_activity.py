"""Activity of a network by layer, block, residual and sum, counted both ways ([Castagnetti2025], Eq 11 and 12, sec.
6.4).

An event is a non-zero spike, whatever its value. At a sum of spikes there are two counts: what the connections carry,
direct and residual events together, and what is left where they meet, the non-zero sites of the sum. A barrier neuron
sends the second; a SEW block has no neuron there, and the paper counts the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from ..graph.activity import Activity
from ..graph.graph import INPUT, Layer, NetGraph
from ..graph.neurons import Barrier

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class LayerActivity:
    """What a population sends for one sample, all T steps together, mean over samples.

    Args:
        name: of the layer.
        role: "direct" (last neurons of a direct path), "residual" (neurons of a shortcut), "barrier", "output" or
            "hidden".
        block: name of the residual block that the layer is part of, or "".
        neurons: size of the population.
        events: non-zero spikes (Eq 11).
        values: sum of their values.
        rate: events per neuron and step.
    """

    name: str
    role: str
    block: str
    neurons: int
    events: float
    values: float
    rate: float


@dataclass(frozen=True)
class SumActivity:
    """What meets at the end of a residual block for one sample, all T steps together, mean over samples.

    Args:
        name: of the block.
        kind: "barrier" (spikes are added, a barrier neuron follows: Sparse-ResNet), "spikes" (they are added in the
            dendrite of whatever reads them: SEW-ResNet), "current" (the residual spikes are added to a current:
            Spiking ResNet; the direct path has no events).
        direct: events of the direct path.
        residual: events that the residual connection carries; those of a SEW sum before it count with all its parts.
        sites: non-zero sites of the sum; of a current, those of the neurons that follow it.
        sent: what is sent as the paper counts it (section 6.4): after a barrier or a current the neurons' events, of
            a SEW sum everything that its connections carry.
    """

    name: str
    kind: str
    direct: float
    residual: float
    sites: float
    sent: float

    @property
    def carried(self) -> float:
        """Events on the direct and the residual connection together."""
        return self.direct + self.residual


@dataclass(frozen=True)
class NetworkActivity:
    """Activity of a network, per sample.

    Args:
        samples: how many were counted.
        layers: in the graph's order.
        sums: the ends of its residual blocks, in that order.
        carried: events that all connections carry, the input's left out: a layer read twice counts twice.
        sites: non-zero sites that all synapses see, the input's left out.
    """

    samples: int
    layers: tuple[LayerActivity, ...]
    sums: tuple[SumActivity, ...]
    carried: float
    sites: float

    @property
    def emitted(self) -> float:
        """Eq 12 over populations of neurons: each spike counts once, where it is made."""
        return sum(layer.events for layer in self.layers)

    @property
    def with_sums(self) -> float:
        """Eq 12 with each SEW sum counted like a layer by what its connections carry, as Fig. 10 does."""
        return self.emitted + sum(s.carried for s in self.sums if s.kind == "spikes")

    @property
    def with_sum_sites(self) -> float:
        """The same with the non-zero sites of each SEW sum."""
        return self.emitted + sum(s.sites for s in self.sums if s.kind == "spikes")

    def __iter__(self) -> Iterator[LayerActivity]:
        return iter(self.layers)

    def blocks(self) -> dict[str, float]:
        """Events that the neurons of each residual block send."""
        found: dict[str, float] = {}
        for layer in self.layers:
            if layer.block:
                found[layer.block] = found.get(layer.block, 0.0) + layer.events
        return found

    def to_frame(self) -> pd.DataFrame:
        """One row per layer."""
        import pandas as pd

        return pd.DataFrame([vars(layer) for layer in self.layers], columns=[f.name for f in fields(LayerActivity)])

    def sums_to_frame(self) -> pd.DataFrame:
        """One row per sum; "carried" is direct and residual together."""
        import pandas as pd

        rows = [{**vars(s), "carried": s.carried} for s in self.sums]
        return pd.DataFrame(rows, columns=[*(f.name for f in fields(SumActivity)), "carried"])


def activity(graph: NetGraph, counts: Activity) -> NetworkActivity:
    """Per layer, block, residual and sum, what an engine counted.

    Layers belong to the block whose name stands before their last dot, as models name them
    (``stage1.0.conv2`` is a layer of the block ``stage1.0``).

    Args:
        graph: the network.
        counts: of :func:`lava_mlsnn.sim.run` or any other engine.

    Raises:
        ValueError: counts of another network.

    Example:
        >>> import numpy as np
        >>> from lava_mlsnn import netx, sim
        >>> from lava_mlsnn.netx import Barrier, Conv, Identity, MultiLevel
        >>> one = Conv(np.ones((1, 1, 1, 1)))
        >>> def layer(name, synapse, *sources, neuron=MultiLevel(4, 2)):
        ...     return netx.Layer(name, (netx.Connection(sources, synapse),), (1, 2, 2), neuron)
        >>> graph = NetGraph(netx.Input((1, 2, 2), bits=3), (layer("stem", one, "input"), layer("a.conv", one, "stem"),
        ...     layer("a.add", Identity(), "a.conv", "stem", neuron=Barrier(4)), layer("last", one, "a.add")))
        >>> found = activity(graph, sim.run(graph, np.array([0, 1, 3, 7]).reshape(1, 1, 2, 2)).activity)
        >>> [(layer.name, layer.role, layer.events) for layer in found]
        [('stem', 'hidden', 2.0), ('a.conv', 'direct', 1.0), ('a.add', 'barrier', 2.0), ('last', 'output', 1.0)]
        >>> found.sums
        (SumActivity(name='a', kind='barrier', direct=1.0, residual=2.0, sites=2.0, sent=2.0),)
    """
    _check(graph, counts)
    sums = [_sum(graph, counts, layer, index) for layer, index in _sum_places(graph)]
    direct = {source for source, _, _ in sums}
    shortcuts = {source for _, source, _ in sums if source} - direct
    blocks = {found.name for _, _, found in sums}
    layers = tuple(_layer(graph, counts, layer, direct, shortcuts, blocks) for layer in graph)
    places = [
        (counts.events_in(connection), counts.mean_sites(layer, i))
        for layer in graph
        for i, connection in enumerate(layer.connections)
        if INPUT not in connection.sources
    ]
    return NetworkActivity(
        counts.samples, layers, tuple(s for _, _, s in sums), sum(c for c, _ in places), sum(n for _, n in places)
    )


def _sum_places(graph: NetGraph) -> list[tuple[Layer, int]]:
    """One (layer, connection) per sum, from input to output: the residual connection where currents are added."""
    found: dict[tuple[str, ...], tuple[Layer, int]] = {}
    for layer in graph:
        forward = [(i, c) for i, c in enumerate(layer.connections) if layer.name not in c.sources]
        if len(forward) > 1:
            index, residual = min(forward, key=lambda item: max(graph.depth[s] for s in item[1].sources))
            found.setdefault((layer.name, *residual.sources), (layer, index))
        else:
            for i, connection in forward:
                if len(connection.sources) > 1:
                    found.setdefault(connection.sources, (layer, i))
    return list(found.values())


def _sum(graph: NetGraph, counts: Activity, layer: Layer, index: int) -> tuple[str, str, SumActivity]:
    """Name of the last layer of the direct path, of that of a shortcut that ends in neurons of its own, and counts."""
    connection = layer.connections[index]
    sent = counts.mean_events(layer.name)
    if len(layer.connections) > 1:
        residual = counts.events_in(connection)
        return layer.name, "", SumActivity(block_of(layer.name), "current", 0.0, residual, sent, sent)
    newest = max(connection.sources, key=lambda name: graph.depth.get(name, 0))
    rest = [name for name in connection.sources if name != newest]
    direct, residual = counts.mean_events(newest), sum(counts.mean_events(name) for name in rest)
    is_barrier = isinstance(layer.neuron, Barrier)
    shortcut = next((name for name in rest if block_of(name) and block_of(name) == block_of(newest)), "")
    found = SumActivity(
        block_of(newest) or newest,
        "barrier" if is_barrier else "spikes",
        direct,
        residual,
        counts.mean_sites(layer, index),
        sent if is_barrier else direct + residual,
    )
    return newest, shortcut, found


def _layer(
    graph: NetGraph, counts: Activity, layer: Layer, direct: set[str], shortcuts: set[str], blocks: set[str]
) -> LayerActivity:
    if isinstance(layer.neuron, Barrier):
        role = "barrier"
    elif layer.name in direct:
        role = "direct"
    elif layer.name in shortcuts:
        role = "residual"
    else:
        role = "output" if layer is graph.output else "hidden"
    events = counts.mean_events(layer.name)
    block = block_of(layer.name)
    return LayerActivity(
        layer.name,
        role,
        block if block in blocks else "",
        layer.size,
        events,
        float(counts.values[layer.name].sum()) / max(counts.samples, 1),
        events / (layer.size * graph.timesteps),
    )


def block_of(name: str) -> str:
    """What stands before the last dot.

    >>> block_of("stage1.0.conv2"), block_of("stem")
    ('stage1.0', '')
    """
    return name.rpartition(".")[0]


def _check(graph: NetGraph, counts: Activity) -> None:
    expected = {INPUT, *(layer.name for layer in graph)}
    if set(counts.events) != expected:
        odd = ", ".join(sorted(expected ^ set(counts.events)))
        raise ValueError(f"activity of another network: layers {odd} are in only one of the two")
    if counts.timesteps != graph.timesteps:
        raise ValueError(f"activity of {counts.timesteps} timesteps, the network has {graph.timesteps}")
