"""Probes of a network: counts of its activity and recordings of its layers, in both models alike."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from lava_mlsnn.graph.activity import Activity
from lava_mlsnn.graph.graph import INPUT
from lava_mlsnn.helpers.check import positive_ints
from lava_mlsnn.proc.io.process import Tap
from lava_mlsnn.proc.network.process import Network
from lava_mlsnn.proc.observe import Counter, Observer, Recorder
from lava_mlsnn.proc.ports import connect
from lava_mlsnn.proc.timing import sample_steps


def attach(net: Network, observer: Observer) -> None:
    """Let ``observer`` see the network's spikes; RuntimeError once the network has been compiled."""
    if net.is_compiled:
        raise RuntimeError("a probe must be attached before the network's first run")
    if net.fused:
        net.observers.append(observer)
        return
    tap = Tap(net.graph, observer)
    outs = {INPUT: net.inp, **{layer.name: layer.out for layer in net.layers}}
    for index, name in enumerate(observer.names):
        connect(outs[name], getattr(tap, f"tap_{index}"))


class ActivityProbe:
    """Counts a network's activity while it runs in Lava, without storing a spike.

    The counts equal those of :func:`lava_mlsnn.sim.run`, in both models. In a fused network they are taken on the spot,
    in a hierarchical one by one more Process that all layers send to.

    Args:
        net: a network that has not run yet.
        steps: timesteps of the run, at most.

    Example:
        >>> from lava_mlsnn.netx import Connection, Dense, Input, Layer, MultiLevel, NetGraph
        >>> dense = Connection("input", Dense(np.ones((4, 6))))
        >>> net = Network(NetGraph(Input((6, 1, 1)), (Layer("hidden", (dense,), (4, 1, 1), MultiLevel(4, 8)),)))
        >>> probe = ActivityProbe(net, steps=100)
        >>> probe.names
        ('input', 'hidden')
    """

    def __init__(self, net: Network, steps: int) -> None:
        self._counter = Counter(net.graph, positive_ints(steps, "steps of a probe", 1)[0])
        self._timesteps = net.graph.timesteps
        attach(net, self._counter)

    @property
    def names(self) -> tuple[str, ...]:
        """What is counted: "input" and all layers."""
        return self._counter.names

    @property
    def steps(self) -> int:
        """Timesteps counted so far."""
        return int(self._counter.seen[0])

    def events(self, name: str) -> NDArray[np.int64]:
        """Non-zero outputs of a layer at each Lava timestep so far, int64 (steps,)."""
        return self._series(name, 0)

    def values(self, name: str) -> NDArray[np.int64]:
        """Sum of absolute values that a layer sent at each Lava timestep so far, int64 (steps,)."""
        return self._series(name, 1)

    def _series(self, name: str, offset: int) -> NDArray[np.int64]:
        if name not in self.names:
            raise ValueError(f"no layer {name!r}: expected one of {', '.join(self.names)}")
        return self._counter.series[: self.steps, 2 * self.names.index(name) + offset].copy()

    def activity(self, samples: int) -> Activity:
        """Counts of the first ``samples`` samples, step t of a sample at each layer's own t, as ``sim.run`` counts.

        Raises:
            ValueError: the run was too short: T steps per sample and the deepest layer's depth are needed.
        """
        return self._counter.activity(positive_ints(samples, "samples", 1, 0)[0], self._timesteps)


class Monitor:
    """Records spikes of some layers while a network runs in Lava, and hands them over at once.

    lava.proc.monitor.Monitor sends a message per element and records one port; this one writes to shared memory.

    Args:
        net: a network that has not run yet.
        layers: names of layers ("input" is one), None for all layers.
        steps: timesteps to record; a longer run goes on unrecorded.
    """

    def __init__(self, net: Network, layers: Iterable[str] | None = None, *, steps: int) -> None:
        known = (INPUT, *(layer.name for layer in net.graph))
        names = known[1:] if layers is None else tuple(dict.fromkeys([layers] if isinstance(layers, str) else layers))
        for name in names:
            if name not in known:
                raise ValueError(f"no layer {name!r}: expected one of {', '.join(known)}")
        self._graph = net.graph
        self._recorder = Recorder(net.graph, names, positive_ints(steps, "steps of a monitor", 1)[0])
        if names:
            attach(net, self._recorder)

    @property
    def data(self) -> dict[str, NDArray[np.int32]]:
        """The recordings so far: per layer int32 (steps, C, H, W), row s - 1 for Lava timestep s."""
        return {name: data[: self._recorder.seen[0]] for name, data in self._recorder.data.items()}

    def trace(self, samples: int) -> dict[str, NDArray[np.int32]]:
        """The first samples in sample time, as ``sim.run`` returns them: per layer int32 (samples, C, H, W, T)."""
        graph = self._graph
        return {
            name: np.moveaxis(sample_steps(data, graph.depth[name], samples, graph.timesteps), 1, -1)
            for name, data in self.data.items()
        }
