"""Observers of a run: what probes take from the spikes of each timestep, in memory shared with the parent."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lava_mlsnn.graph.activity import Activity
from lava_mlsnn.graph.graph import INPUT, Connection, Layer, NetGraph
from lava_mlsnn.lava_compat.shared import shared_array
from lava_mlsnn.proc.timing import sample_steps

Counts = Mapping[str, tuple[int, int]]
"""(events, sum of absolute values) of "input" and of each layer in one timestep."""


class Spikes(Protocol):
    """Spikes of a timestep by the layer's name; an engine decodes only what is asked for."""

    def __getitem__(self, name: str, /) -> NDArray[Any]:
        """Spikes of a layer or of "input", (C, H, W)."""


class Observer(Protocol):
    """Sees the spikes of some layers at every timestep, in the run's own process."""

    names: tuple[str, ...]

    def observe(self, time_step: int, spikes: Spikes, counts: Counts | None = None) -> None:
        """Take what is needed of one timestep, which counts from 1: from the spikes, or as an engine has counted it."""


class Counter:
    """Counts events, sums of values and non-zero sites per layer and Lava timestep.

    Args:
        graph: the network.
        steps: timesteps to count at most.
    """

    def __init__(self, graph: NetGraph, steps: int) -> None:
        self.graph = graph
        self.names = (INPUT, *(layer.name for layer in graph))
        self.sums = [(layer, c) for layer in graph for c in layer.connections if len(c.sources) > 1]
        self.series = shared_array((steps, 2 * len(self.names) + len(self.sums)), np.int64)
        self.seen = shared_array((1,), np.int64)
        longest = max(graph.depth.values()) + 1
        self.past: dict[str, deque[NDArray[Any]]] = {
            name: deque([np.zeros(graph.shape(name), np.int32)] * longest, maxlen=longest)
            for name in {source for _, c in self.sums for source in c.sources}
        }

    def observe(self, time_step: int, spikes: Spikes, counts: Counts | None = None) -> None:
        """Count one timestep."""
        if time_step > len(self.series):
            raise RuntimeError(f"the probe holds {len(self.series)} steps and the run goes on: make it with more")
        row = self.series[time_step - 1]
        for i, name in enumerate(self.names):
            row[2 * i : 2 * i + 2] = self._count(name, spikes[name]) if counts is None else counts[name]
        for name, past in self.past.items():
            past.appendleft(spikes[name].copy())
        for i, (layer, connection) in enumerate(self.sums):
            row[2 * len(self.names) + i] = self._sites(layer, connection)
        self.seen[0] = time_step

    def _count(self, name: str, spikes: NDArray[Any]) -> tuple[int, int]:
        if name != INPUT and not self.graph[name].neuron.spiking:
            return 0, 0
        events = int(np.count_nonzero(spikes))
        return events, int(np.abs(spikes.astype(np.int64)).sum()) if events else 0

    def _sites(self, layer: Layer, connection: Connection) -> int:
        """Non-zero sites of the sum that the layer answers to in this step."""
        total = np.zeros(self.graph.shape(connection.sources[0]), np.int64)
        for source in connection.sources:
            total += self.past[source][self.graph.age(layer, connection, source)]
        return int(np.count_nonzero(total.astype(np.int32)))

    def activity(self, samples: int, timesteps: int) -> Activity:
        """Counts of the first ``samples`` samples in sample time."""
        depth, series = self.graph.depth, self.series[: self.seen[0]]

        def column(index: int, at: int) -> NDArray[np.int64]:
            return sample_steps(series[:, index], at, samples, timesteps).sum(axis=0)

        order = {name: i for i, name in enumerate(self.names)}
        sums = {(layer.name, id(c)): 2 * len(self.names) + i for i, (layer, c) in enumerate(self.sums)}
        sites = {}
        for layer in self.graph:
            rows = []
            for c in layer.connections:
                if (index := sums.get((layer.name, id(c)))) is not None:
                    rows.append(column(index, depth[layer.name]))
                elif c.sources == (layer.name,):
                    rows.append(self._recurrent(series[:, 2 * order[layer.name]], layer, samples, timesteps))
                else:
                    rows.append(column(2 * order[c.sources[0]], depth[c.sources[0]]))
            sites[layer.name] = np.stack(rows)
        events = {name: column(2 * i, depth[name]) for name, i in order.items()}
        values = {name: column(2 * i + 1, depth[name]) for name, i in order.items()}
        return Activity(samples, events, values, sites)

    def _recurrent(self, events: NDArray[np.int64], layer: Layer, samples: int, timesteps: int) -> NDArray[np.int64]:
        """A recurrent synapse sees at step t what was sent at t - 1, and nothing at a sample's first step."""
        own = sample_steps(events, self.graph.depth[layer.name], samples, timesteps).sum(axis=0)
        return np.concatenate(([0], own[:-1]))


class Recorder:
    """Records the spikes of some layers.

    Args:
        graph: the network.
        names: of layers, or "input".
        steps: timesteps to record at most; a run that lasts longer goes on unrecorded.
    """

    def __init__(self, graph: NetGraph, names: tuple[str, ...], steps: int) -> None:
        self.names = names
        self.data = {name: shared_array((steps, *graph.shape(name)), np.int32) for name in names}
        self.steps = steps
        self.seen = shared_array((1,), np.int64)

    def observe(self, time_step: int, spikes: Spikes, counts: Counts | None = None) -> None:
        """Record one timestep."""
        if time_step <= self.steps:
            for name, data in self.data.items():
                data[time_step - 1] = spikes[name]
            self.seen[0] = time_step
