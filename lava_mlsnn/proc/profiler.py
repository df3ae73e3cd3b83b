"""What a chip's activity probe reports, counted in simulation under the same names."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lava_mlsnn.graph.activity import Activity
from lava_mlsnn.graph.graph import INPUT, Connection, Layer, NetGraph
from lava_mlsnn.helpers.check import positive_ints
from lava_mlsnn.lava_compat.shared import shared_array
from lava_mlsnn.proc.network.process import Network
from lava_mlsnn.proc.observe import Spikes
from lava_mlsnn.proc.probe import ActivityProbe, attach

Counts = NDArray[np.int64]


class ActivityProfiler:
    r"""Activity of a network simulated in Lava, in the words of the hardware profiler's activity probe.

    Each layer counts as one core. Counts are exact, per Lava timestep, **Shape:** int64 (steps, layers):

    * ``spikes_in``: events that arrive at the layer's synapses in this step, those of each source on its own;
    * ``syn_ops``: synapses that these events drive, borders respected; weights of zero are synapses too;
    * ``dendrite_updates``: neurons updated, which is all of them in every step;
    * ``axon_out``: events that the layer sends, once each, however many layers read them.

    ``core_idx`` and ``chip_idx`` (layers,) number them; ``names`` says which layer is which. Summed over the steps of a
    sample, ``axon_out`` equals the events of :func:`lava_mlsnn.sim.run`; :meth:`activity` gives them in that form.

    Args:
        net: a network that has not run yet.
        steps: timesteps of the run, at most.
    """

    def __init__(self, net: Network, steps: int) -> None:
        (steps,) = positive_ints(steps, "steps of a profiler", 1)
        self._graph = net.graph
        self.names = tuple(layer.name for layer in net.graph)
        self.core_idx = np.arange(len(self.names))
        self.chip_idx = np.zeros(len(self.names), np.int64)
        self._probe = ActivityProbe(net, steps)
        self._driven = Driven(net.graph, steps)
        attach(net, self._driven)

    @property
    def steps(self) -> int:
        """Timesteps counted so far."""
        return self._probe.steps

    @property
    def axon_out(self) -> Counts:
        """Events sent."""
        return np.stack([self._probe.events(name) for name in self.names], axis=1)

    @property
    def spikes_in(self) -> Counts:
        """Events that arrive."""
        return self._arriving(lambda layer, connection, source: self._probe.events(source))

    @property
    def syn_ops(self) -> Counts:
        """Synaptic operations."""
        return self._arriving(self._driven.sent)

    @property
    def dendrite_updates(self) -> Counts:
        """Neurons updated."""
        return np.tile([layer.size for layer in self._graph], (self.steps, 1)).astype(np.int64)

    def activity(self, samples: int) -> Activity:
        """The same events in sample time, see :meth:`lava_mlsnn.proc.ActivityProbe.activity`."""
        return self._probe.activity(samples)

    def _arriving(self, sent: Any) -> Counts:
        """Sums over connections and sources of what was sent when it arrives."""
        out = np.zeros((self.steps, len(self.names)), np.int64)
        for i, layer in enumerate(self._graph):
            for connection in layer.connections:
                for source in connection.sources:
                    age = self._graph.age(layer, connection, source)
                    series = sent(layer, connection, source)[: self.steps]
                    out[age:, i] += series[: max(self.steps - age, 0)]
        return out


class Driven:
    """Observer that counts the synapses that a step's events drive, per layer, connection and source."""

    def __init__(self, graph: NetGraph, steps: int) -> None:
        self.names = (INPUT, *(layer.name for layer in graph if layer.neuron.spiking))
        self._rows: dict[tuple[str, int, str], int] = {}
        self._fans: list[tuple[str, NDArray[np.int64]]] = []
        for layer in graph:
            for index, connection in enumerate(layer.connections):
                fan = connection.synapse.fan_out(graph.shape(connection.sources[0]))
                for source in connection.sources:
                    self._rows[layer.name, index, source] = len(self._fans)
                    self._fans.append((source, fan))
        self._series = shared_array((steps, len(self._fans)), np.int64)

    def observe(self, time_step: int, spikes: Spikes, counts: Any = None) -> None:
        """Count one timestep."""
        for i, (source, fan) in enumerate(self._fans):
            self._series[time_step - 1, i] = fan[spikes[source] != 0].sum()

    def sent(self, layer: Layer, connection: Connection, source: str) -> Counts:
        """Synapses of a connection driven by what ``source`` sent in each step."""
        index = next(i for i, c in enumerate(layer.connections) if c is connection)
        return self._series[:, self._rows[layer.name, index, source]]
