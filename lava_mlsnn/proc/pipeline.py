"""A whole network, one Lava timestep per call, in plain numpy: for what the engine's stream does not do."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lava_mlsnn.netx import INPUT, Connection, DelayDense, Dense, Layer, NetGraph
from lava_mlsnn.netx.synapse import MAX_DELAY
from lava_mlsnn.sim import reference

Spikes = dict[str, NDArray[np.int32]]


class Pipeline:
    """All layers at once, each working on an input as old as it is deep.

    A layer of depth d answers to the input of step t at step t + d. It zeroes its state at steps where
    ``step % reset_interval == (reset_offset + 1 + d) % reset_interval``; gated neurons are silent before step d + 1.

    Args:
        graph: the network.
        reset_interval: steps between resets, None for none.
        reset_offset: phase of the resets.
    """

    def __init__(self, graph: NetGraph, reset_interval: int | None, reset_offset: int = 0) -> None:
        self.graph, self.interval, self.offset = graph, reset_interval, reset_offset
        self.time = 0
        self.state = {layer.name: reference.initial_state(layer.neuron, layer.shape) for layer in graph}
        longest = max(graph.depth.values()) + 1 + MAX_DELAY
        names = (INPUT, *(layer.name for layer in graph))
        self.past = {n: deque([np.zeros(graph.shape(n), np.int32)] * longest, maxlen=longest) for n in names}

    def step(self, frame: NDArray[Any]) -> NDArray[np.int32]:
        """One timestep: the input (C, H, W) in, the last layer's spikes out."""
        self.time += 1
        now: Spikes = {INPUT: frame.astype(np.int32)}
        for layer in self.graph:
            now[layer.name] = self._layer(layer, now)
        for name, spikes in now.items():
            self.past[name].appendleft(spikes)
        return now[self.graph.output.name]

    def __getitem__(self, name: str) -> NDArray[np.int32]:
        """What a layer or "input" sent in the last step."""
        return self.past[name][0]

    def counts(self) -> None:
        """Nobody has counted."""

    def _layer(self, layer: Layer, now: Spikes) -> NDArray[np.int32]:
        depth = self.graph.depth[layer.name]
        if layer.neuron.gated and self.time <= depth:
            return np.zeros(layer.shape, np.int32)
        if self._age(layer) == 0:
            self.state[layer.name] = reference.initial_state(layer.neuron, layer.shape)
        total = np.zeros(layer.shape, np.int64)
        for connection in layer.connections:
            total += self._current(layer, connection, now)
        turn = (self.time - depth - 1 if self.interval is None else self._age(layer)) % self.graph.timesteps
        spikes, self.state[layer.name] = reference.step(
            layer.neuron, self.state[layer.name], reference.wrap(total), layer.bias, t=turn
        )
        return spikes

    def _age(self, layer: Layer) -> int:
        """Steps since the layer's last reset, which may be one before the first step."""
        if self.interval is None:
            return self.time
        return (self.time - self.offset - 1 - self.graph.depth[layer.name]) % self.interval

    def _current(self, layer: Layer, connection: Connection, now: Spikes) -> NDArray[np.int32]:
        synapse = connection.synapse
        if not isinstance(synapse, DelayDense):
            return reference.current(synapse, self._summed(layer, connection, now, 0))
        total = np.zeros(layer.shape, np.int64)
        for delay in np.unique(synapse.delays).tolist():
            weight = np.where(synapse.delays == delay, synapse.weight, 0)
            total += reference.current(Dense(weight), self._summed(layer, connection, now, delay))
        return reference.wrap(total)

    def _summed(self, layer: Layer, connection: Connection, now: Spikes, late: int) -> NDArray[np.int32]:
        """What a connection's synapse has from its sources, ``late`` steps ago; nothing of before the last reset."""
        total = np.zeros(self.graph.shape(connection.sources[0]), np.int64)
        for source in connection.sources:
            age = connection.synapse.delay + self.graph.delay(layer, connection, source) + late
            recent = late + (source == layer.name) <= self._age(layer)
            if recent:
                total += self.past[source][age - 1] if age else now[source]
        return reference.wrap(total)
