"""The fast engine: a program, the memory to run it, and what it has counted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..graph.activity import Activity
from .advance import advance
from .arena import aligned
from .event_lists import length
from .program import Program
from .records import CONTROL, SLOT, Counts, Memory
from .transmit import dense_from


class Engine:
    """A program and the memory to run it: one per thread.

    Args:
        program: of :func:`~lava_mlsnn.sim.program.compile_graph`.
        wanted: nodes whose spikes are copied out at each step, into :attr:`frames`.
        steps: rows of ``frames``.
        interval, offset: of the reset wave of a pipelined program; 0 for none.
    """

    def __init__(
        self, program: Program, wanted: tuple[str, ...] = (), steps: int = 1, interval: int = 0, offset: int = 0
    ) -> None:
        self.program = program
        nodes, period = program.tables.nodes, program.graph.timesteps
        latency = int(nodes["depth"].max())
        owner = np.repeat(np.arange(len(nodes)), nodes["end_link"] - nodes["first_link"])
        depths = np.concatenate([nodes["depth"]] * 3 + [nodes["depth"][owner]])
        control = np.zeros(1, CONTROL)
        if not program.pipelined:
            interval, offset = period, 0
        for name, value in (
            ("steps", steps),
            ("restart", not program.pipelined),
            ("interval", interval),
            ("offset", offset),
            ("period", period),
            ("latency", latency),
            *program.places.items(),
        ):
            control[name] = value
        self.memory = Memory(
            aligned(program.work, np.int32),
            aligned(int((nodes["size"] * nodes["currents"]).max()), np.int64),
            aligned(program.padded, np.float32),
            aligned(program.packed, np.uint8),
            np.zeros(program.slots, SLOT),
            control,
            dense_from(),
        )
        self.counts = Counts(
            np.zeros(len(depths), np.int64),
            depths,
            np.zeros((latency + 1, len(depths)), np.int64),
            np.zeros((period, len(depths)), np.int64),
            np.zeros((period, len(depths)), np.int64),
        )
        self.starts, size = np.full(len(nodes), -1, np.int64), 0
        for name in dict.fromkeys(wanted):
            node = program.names.index(name)
            self.starts[node], size = size, size + int(nodes["size"][node])
        self.frames = np.zeros((steps, size), np.int32)
        self._frames = self.frames.ravel()

    def advance(self, images: NDArray[np.int32], steps: int | None = None, restart: bool = True) -> None:
        """Compute as many timesteps as there are rows; of a program that is not pipelined from zero state.

        Args:
            steps: fewer, which fill the first rows; once given, it has to be given in every call.
            restart: with ``steps``, False goes on with the sample that the call before has begun.

        **Shape:** images int32 (steps or 1, H * W * C), one per step or one that stays.
        """
        images = np.ascontiguousarray(images, np.int32).reshape(-1)
        frames = self._frames
        if steps is not None:
            self.memory.control["steps"], self.memory.control["restart"] = steps, restart
            frames = frames[: steps * self.frames.shape[1]]
        advance(self.program.tables, self.memory, self.counts, images, self.starts, frames)

    @property
    def step(self) -> int:
        """The last timestep that has been computed."""
        return int(self.memory.control["step"][0])

    def view(self, name: str) -> NDArray[np.int32]:
        """A wanted node's copy: int32 (steps, C, H, W), overwritten by the next call of :meth:`advance`."""
        channels, height, width = self.program.graph.shape(name)
        start = int(self.starts[self.program.names.index(name)])
        flat = self.frames[:, start : start + channels * height * width]
        return flat.reshape(-1, height, width, channels).transpose(0, 3, 1, 2)

    def spikes(self, name: str) -> NDArray[np.int32]:
        """What any node sent in the last step (of a readout its voltage), int32 (C, H, W)."""
        node = self.program.tables.nodes[self.program.names.index(name)]
        channels, height, width = self.program.graph.shape(name)
        size, sites, work = int(node["size"]), int(node["sites"]), self.memory.work
        dense = np.zeros(size, np.int32)
        if not node["spiking"]:
            dense[:] = work[node["state"] : node["state"] + size]
        else:
            turn = self.step % int(node["slots"])
            first = int(node["lists"]) + turn * length(sites, size) + sites + 1
            count = int(self.memory.slots["count"][node["first_slot"] + turn])
            if self.memory.slots["listed"][node["first_slot"] + turn]:
                dense[work[first : first + count]] = work[first + size : first + size + count]
            else:
                dense[:] = work[first + 2 * size :].view(np.uint8)[:size]
        return dense.reshape(height, width, channels).transpose(2, 0, 1)

    def state(self, name: str, index: int) -> NDArray[np.int32]:
        """A layer's state of that number after the last step, int32 (C, H, W); of a program that keeps it."""
        node = self.program.tables.nodes[self.program.names.index(name)]
        channels, height, width = self.program.graph.shape(name)
        start, size = int(node["state"]) + index * int(node["state_size"]), int(node["size"])
        return self.memory.work[start : start + size].reshape(height, width, channels).transpose(2, 0, 1)

    def last_counts(self) -> dict[str, tuple[int, int]]:
        """(events, sum of absolute values) of every node in the last step."""
        names, now = self.program.names, self.counts.now
        return {name: (int(now[i]), int(now[len(names) + i])) for i, name in enumerate(names)}

    def activity(self) -> Activity:
        """Counts of all complete samples."""
        graph, nodes, totals = self.program.graph, self.program.tables.nodes, self.counts.totals.T.copy()
        events, values, _, sites = np.split(totals, [len(nodes) * k for k in (1, 2, 3)])
        names = self.program.names
        ends = np.split(sites, nodes["first_link"][2:])
        return Activity(
            int(self.memory.control["samples"][0]),
            dict(zip(names, events, strict=True)),
            dict(zip(names, values, strict=True)),
            {layer.name: counts for layer, counts in zip(graph, ends, strict=True)},
        )

    def overflows(self) -> dict[str, int]:
        """Per layer, how often a sum left 24 bits in all complete samples; only layers where it did."""
        count = len(self.program.names)
        totals = self.counts.totals[:, 2 * count : 3 * count].sum(axis=0)
        return {name: int(n) for name, n in zip(self.program.names, totals, strict=True) if n}
