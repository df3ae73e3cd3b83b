"""The fast engine: a program, the memory to run it, and what it has counted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..graph.activity import Activity
from .advance import Control, advance
from .arena import aligned
from .program import Program
from .scatter import DENSE_FROM
from .tables import INTEGRATE, Node, Place, Slot


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
        self.program, self.wanted = program, wanted
        graph, nodes = program.graph, program.nodes
        pipelined = program.pipelined
        latency = int(nodes[:, Node.DEPTH].max()) if pipelined else 0
        owner = [i for i, row in enumerate(nodes) for _ in range(row[Node.FIRST_CONNECTION], row[Node.END_CONNECTION])]
        depth = nodes[:, Node.DEPTH] if pipelined else np.zeros(len(nodes), np.int64)
        self.depths = np.concatenate([depth, depth, depth, depth[owner]])
        self.work = aligned(program.work, np.int32)
        self.wide_work = aligned(program.wide_work, np.int64)
        self.image = aligned(program.padded, np.float32)
        self.dense_from = np.array(DENSE_FROM)
        self.slots = np.zeros((program.slots, len(Slot)), np.int64)
        self.now = np.zeros(len(self.depths), np.int64)
        self.ring = np.zeros((latency + 1, len(self.now)), np.int64)
        self.sample = np.zeros((graph.timesteps, len(self.now)), np.int64)
        self.totals = np.zeros_like(self.sample)
        self.control = np.zeros(len(Place) + len(Control), np.int64)
        for place, value in program.places.items():
            self.control[place] = value
        for column, value in (
            (Control.STEPS, steps),
            (Control.PIPELINED, pipelined),
            (Control.INTERVAL, interval),
            (Control.OFFSET, offset),
            (Control.PERIOD, graph.timesteps),
            (Control.LATENCY, latency),
        ):
            self.control[column] = value
        self.starts, size = np.full(len(nodes), -1, np.int64), 0
        for name in dict.fromkeys(wanted):
            node = program.names.index(name)
            self.starts[node], size = size, size + int(nodes[node, Node.SIZE])
        self.frames = np.zeros((steps, size), np.int32)
        self._frames = self.frames.ravel()

    def advance(self, images: NDArray[np.int32]) -> None:
        """Compute ``steps`` timesteps; of a program that is not pipelined from zero state.

        **Shape:** images int32 (steps or 1, H * W * C), one per step or one that stays.
        """
        p = self.program
        advance(
            p.weights,
            p.wide_weights,
            p.constants,
            p.floats,
            p.bounds,
            p.nodes,
            p.links,
            p.sources,
            self.work,
            self.wide_work,
            self.image,
            self.dense_from,
            self.slots,
            self.control,
            images.reshape(-1),
            self.now,
            self.depths,
            self.ring,
            self.sample,
            self.totals,
            self.starts,
            self._frames,
        )

    @property
    def step(self) -> int:
        """The last timestep that has been computed."""
        return int(self.control[Control.STEP])

    def view(self, name: str) -> NDArray[np.int32]:
        """A wanted node's copy: int32 (steps, C, H, W), overwritten by the next call of :meth:`advance`."""
        channels, height, width = self.program.graph.shape(name)
        start = int(self.starts[self.program.names.index(name)])
        flat = self.frames[:, start : start + channels * height * width]
        return flat.reshape(-1, height, width, channels).transpose(0, 3, 1, 2)

    def spikes(self, name: str) -> NDArray[np.int32]:
        """What any node sent in the last step (of a readout its voltage), int32 (C, H, W)."""
        node = self.program.nodes[self.program.names.index(name)]
        channels, height, width = self.program.graph.shape(name)
        size, sites = int(node[Node.SIZE]), int(node[Node.SITES])
        dense = np.zeros(size, np.int32)
        if node[Node.DEPTH] and node[Node.KERNEL] == INTEGRATE:
            dense[:] = self.work[node[Node.STATE] : node[Node.STATE] + size]
        else:
            turn = self.step % int(node[Node.SLOTS])
            first = int(node[Node.EVENTS]) + turn * (sites + 1 + 2 * size) + sites + 1
            count = int(self.slots[node[Node.FIRST_SLOT] + turn, Slot.COUNT])
            dense[self.work[first : first + count]] = self.work[first + size : first + size + count]
        return dense.reshape(height, width, channels).transpose(2, 0, 1)

    def activity(self) -> Activity:
        """Counts of all complete samples."""
        program, totals = self.program, self.totals.T.copy()
        count = len(program.nodes)
        spiking = {name: i for i, name in enumerate(program.names)}
        events = {name: totals[i] for name, i in spiking.items()}
        values = {name: totals[count + i] for name, i in spiking.items()}
        sites = {
            layer.name: totals[3 * count :][row[Node.FIRST_CONNECTION] : row[Node.END_CONNECTION]]
            for layer, row in zip(program.graph, program.nodes[1:], strict=True)
        }
        return Activity(int(self.control[Control.SAMPLES]), events, values, sites)

    def overflows(self) -> dict[str, int]:
        """Per layer, how often a sum left 24 bits in all complete samples; only layers where it did."""
        count = len(self.program.nodes)
        totals = self.totals[:, 2 * count : 3 * count].sum(axis=0)
        return {name: int(n) for name, n in zip(self.program.names, totals, strict=True) if n}
