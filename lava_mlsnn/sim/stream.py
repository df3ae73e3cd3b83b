"""Stream mode: a network one Lava timestep at a time, pipelined as Lava and Loihi run it."""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..graph.activity import Activity
from ..graph.graph import INPUT, Connection, Layer, NetGraph, require_graph
from ..helpers.check import integer
from .batch import received
from .phase import phase
from .reference import Ints, initial_state, step, wrap
from .run import check_range


class Stream:
    """A network that receives one input per timestep, every layer at work on an input as old as the layer is deep.

    This is what Lava computes, step by step: a layer of depth d answers at step t + d to the input of step t (steps
    count from 1); where paths of different depth meet, delay lines align them; with a ``reset_interval`` the layer of
    depth d zeroes its state, before it integrates, at steps where
    ``step % interval == (reset_offset + 1 + d) % interval``, and does not hear its own spike of the step before; gated
    neurons (multilevel, barrier, relay, readout) do nothing before step d + 1. Hence spikes at step k T + t + d equal
    those of :func:`lava_mlsnn.sim.run` of sample k at step t, if samples are shown for T steps each and are reset.

    Args:
        graph: the network.
        reset_interval: steps between resets, usually T; None for none.
        reset_offset: phase of the resets.
        engine: "fast" or "reference": the same numbers.

    Example:
        >>> from lava_mlsnn.netx import Connection, Dense, Input, Layer, MultiLevel
        >>> dense = Connection("input", Dense([[2]]))
        >>> stream = Stream(NetGraph(Input((1, 1, 1)), (Layer("a", (dense,), (1, 1, 1), MultiLevel(9, 4)),)))
        >>> [stream.step(np.full((1, 1, 1), x)).item() for x in (3, 4, 0, 0)]
        [0, 1, 2, 0]
    """

    def __init__(
        self, graph: NetGraph, reset_interval: int | None = None, reset_offset: int = 0, engine: str = "fast"
    ) -> None:
        require_graph(graph)
        if reset_interval is not None:
            reset_interval = integer(reset_interval, "reset_interval", 1)
        reset_offset = integer(reset_offset, "reset_offset")
        self.graph = graph
        self._pipeline: _Fast | _Reference
        if engine == "fast":
            self._pipeline = _Fast(graph, reset_interval or 0, reset_offset)
        elif engine == "reference":
            self._pipeline = _Reference(graph, reset_interval or 0, reset_offset)
        else:
            raise ValueError(f"engine: expected one of fast, reference, got {engine!r}")

    def step(self, frame: Any) -> Ints:
        """One timestep: the input in, the last layer's spikes (a readout's voltage) out.

        The result is overwritten by the next step.

        **Shape:** frame int (C, H, W) -> int32 (C', H', W').

        Raises:
            ValueError: a frame of another shape or dtype, or with values outside of the input's range.
        """
        frame = np.asarray(frame)
        if frame.shape != self.graph.input.shape or frame.dtype.kind not in "iu":
            expected = f"expected integers of shape {self.graph.input.shape}"
            raise ValueError(f"frame: {expected}, got {frame.dtype} of shape {frame.shape}")
        check_range(self.graph, frame, "frame")
        return self._pipeline.advance(frame)

    def __getitem__(self, name: str) -> Ints:
        """What a layer (or "input") sent in the last step, int32 (C, H, W); of a readout its voltage."""
        if name != INPUT:
            self.graph[name]
        return self._pipeline.spikes(name)

    @property
    def time_step(self) -> int:
        """The last step that has been computed; 0 before the first."""
        return self._pipeline.time

    def counts(self) -> dict[str, tuple[int, int]]:
        """(events, sum of absolute values) of "input" and of every layer in the last step."""
        return self._pipeline.counts()

    @property
    def activity(self) -> Activity:
        """Counts of all samples that have left the network completely, T steps each, in sample time.

        The deepest layer is ``max(graph.depth.values())`` steps late: so many steps after the last of a sample's T.
        """
        return self._pipeline.activity()

    @property
    def overflows(self) -> dict[str, int]:
        """Per layer, how often a sum of a synapse left 24 bits, in the samples of :attr:`activity`."""
        return self._pipeline.overflows()


class _Fast:
    """The kernels on a pipelined program."""

    def __init__(self, graph: NetGraph, interval: int, offset: int) -> None:
        from .engine import Engine
        from .program import compile_graph

        self.engine = Engine(compile_graph(graph, pipelined=True), (graph.output.name,), 1, interval, offset)
        channels, height, width = graph.input.shape
        self.frame = np.zeros((height, width, channels), np.int32)
        self.images = self.frame.reshape(1, -1)
        self.output = self.engine.view(graph.output.name)[0]
        self.activity, self.overflows, self.spikes = self.engine.activity, self.engine.overflows, self.engine.spikes

    @property
    def time(self) -> int:
        return self.engine.step

    def advance(self, frame: NDArray[Any]) -> Ints:
        np.copyto(self.frame, frame.transpose(1, 2, 0), casting="unsafe")
        self.engine.advance(self.images)
        return self.output

    def counts(self) -> dict[str, tuple[int, int]]:
        return self.engine.last_counts()


class _Reference:
    """The same with the reference functions, every past step kept: slow and obviously right."""

    def __init__(self, graph: NetGraph, interval: int, offset: int) -> None:
        self.graph, self.interval, self.offset, self.time = graph, interval, offset, 0
        self.state = {layer.name: initial_state(layer.neuron, layer.shape) for layer in graph}
        self.latency = max(graph.depth.values())
        longest = max(connection.synapse.ages[-1] for layer in graph for connection in layer.connections)
        self.past: deque[dict[str, Ints]] = deque(maxlen=self.latency + 2 + longest)
        self.events: list[dict[str, int]] = []
        self.values: list[dict[str, int]] = []
        self.sites: list[dict[str, list[int]]] = []
        self.left: list[dict[str, int]] = []

    def advance(self, frame: NDArray[Any]) -> Ints:
        self.time += 1
        self.past.appendleft({INPUT: frame.astype(np.int32)})
        self.sites.append({layer.name: [0] * len(layer.connections) for layer in self.graph})
        self.left.append({layer.name: 0 for layer in self.graph})
        for layer in self.graph:
            self.past[0][layer.name] = self._layer(layer)
        sent = {INPUT: self.past[0][INPUT]}
        for layer in self.graph:
            sent[layer.name] = self.past[0][layer.name] * int(layer.neuron.spiking)
        self.events.append({name: int(np.count_nonzero(z)) for name, z in sent.items()})
        self.values.append({name: int(np.abs(z.astype(np.int64)).sum()) for name, z in sent.items()})
        return self.past[0][self.graph.output.name]

    def _layer(self, layer: Layer) -> Ints:
        depth = self.graph.depth[layer.name]
        if layer.neuron.gated and self.time <= depth:
            return np.zeros(layer.shape, np.int32)
        age, t = phase(self.time, depth, self.interval, self.offset, self.graph.timesteps)
        if age == 0:
            self.state[layer.name] = initial_state(layer.neuron, layer.shape)
        total = np.zeros(layer.current_shape, np.int64)
        for i, connection in enumerate(layer.connections):
            read = partial(self._sum, layer, connection, age)
            current, self.sites[-1][layer.name][i], left = received(connection.synapse, read)
            self.left[-1][layer.name] += left
            total += current
        spikes, self.state[layer.name] = step(layer.neuron, self.state[layer.name], wrap(total), layer.bias, t=t)
        return spikes

    def _sum(self, layer: Layer, connection: Connection, age: int, delay: int) -> Ints:
        """What arrives after ``delay`` more steps than usual, but nothing from before the reset, ``age`` steps ago."""
        total = np.zeros(self.graph.shape(connection.sources[0]), np.int64)
        for source in connection.sources:
            back = self.graph.age(layer, connection, source) + delay
            if back < len(self.past) and delay + (source == layer.name) <= age:
                total += self.past[back][source]
        return wrap(total)

    def spikes(self, name: str) -> Ints:
        return self.past[0][name].copy() if self.past else np.zeros(self.graph.shape(name), np.int32)

    def counts(self) -> dict[str, tuple[int, int]]:
        names = (INPUT, *(layer.name for layer in self.graph))
        return {name: (self.events[-1][name], self.values[-1][name]) if self.time else (0, 0) for name in names}

    def _steps(self) -> list[int]:
        """Input steps, from 0, of the samples that have left the network."""
        steps = self.graph.timesteps
        return list(range((self.time - self.latency) // steps * steps)) if self.time > self.latency else []

    def activity(self) -> Activity:
        steps, period = self._steps(), self.graph.timesteps
        activity = Activity.zeros(self.graph, len(steps) // period)
        for t in steps:
            for name, depth in self.graph.depth.items():
                activity.events[name][t % period] += self.events[t + depth][name]
                activity.values[name][t % period] += self.values[t + depth][name]
                if name != INPUT:
                    activity.sites[name][:, t % period] += self.sites[t + depth][name]
        return activity

    def overflows(self) -> dict[str, int]:
        depth, steps = self.graph.depth, self._steps()
        counts = {layer.name: sum(self.left[t + depth[layer.name]][layer.name] for t in steps) for layer in self.graph}
        return {name: count for name, count in counts.items() if count}
