"""A NetGraph as the kernels read it: a few flat arrays and tables of numbers that say what lies where.

One compiled function runs every network, so nothing is compiled per graph and a step costs one call. A *node* is the
input or a layer; the spikes of a node are an event list in a *slot*: where each site's events begin, the neurons that
fired, what they sent. A node has as many slots as timesteps that some layer looks back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..graph.graph import INPUT, Layer, NetGraph
from ..graph.neurons import (
    LIF,
    Barrier,
    Delta,
    MultiLevel,
    Neuron,
    Readout,
    Relay,
    Rescale,
    Scheduled,
    Sigma,
    SigmaDelta,
    SoftLIF,
    Staircase,
    Stepwise,
)
from ..graph.synapses import Conv, DelayDense
from .arena import Arena, whole_lines
from .layout import ROWS, Layout, arrange, lates
from .reference import wrap
from .tables import (
    BEYOND,
    CHUNK,
    DECODE,
    DECODE_ENCODE,
    ENCODE,
    FIRE,
    FIRE_ONCE,
    INTEGRATE,
    LEAKY,
    PASS,
    RESCALE,
    SOFT,
    STAIRS,
    Link,
    Node,
    Place,
)

INT32_MAX = 2**31 - 1
_KERNEL: dict[type[Neuron], int] = {
    MultiLevel: FIRE,
    Barrier: FIRE,
    Relay: PASS,
    Readout: INTEGRATE,
    LIF: LEAKY,
    Delta: ENCODE,
    SigmaDelta: DECODE_ENCODE,
    Sigma: DECODE,
    SoftLIF: SOFT,
    Rescale: RESCALE,
    Scheduled: FIRE,
    Staircase: STAIRS,
}
_STATES = {FIRE: 1, PASS: 0, INTEGRATE: 1, LEAKY: 2, ENCODE: 2, DECODE_ENCODE: 3, DECODE: 1, SOFT: 1, RESCALE: 0}
_STATES[STAIRS], _STATES[FIRE_ONCE] = 0, 1


NARROW_LAYER = 32
"""Below so many channels, parameters are repeated for every site: one long loop beats many short ones."""


@dataclass(frozen=True, eq=False)
class Program:
    """What is constant in a run; workers of several threads share it. Made by :func:`compile_graph`.

    Args:
        weights, wide_weights, constants, floats: arenas.
        bounds: per connection, the largest sum of absolute weights.
        nodes, links: tables, columns :class:`~.tables.Node` and :class:`~.tables.Link`; node 0 is the input.
        sources: per source of a connection: node, and how many steps back it is read.
        work, padded, slots: sizes of what a worker needs (padded: floats of a dense convolution's input).
        places: where in its work lie things that all layers share; the slot after the last one is the event list of a
            sum of sources.
    """

    graph: NetGraph
    weights: NDArray[np.int8]
    wide_weights: NDArray[np.int32]
    constants: NDArray[np.int32]
    floats: NDArray[np.float32]
    bounds: NDArray[np.float64]
    nodes: NDArray[np.int64]
    links: NDArray[np.int64]
    sources: NDArray[np.int64]
    work: int
    padded: int
    slots: int
    places: dict[Place, int]
    pipelined: bool

    @property
    def names(self) -> tuple[str, ...]:
        """Of the nodes."""
        return (INPUT, *(layer.name for layer in self.graph))

    @property
    def wide_work(self) -> int:
        """Size of the int64 accumulator."""
        return int(self.nodes[:, Node.SIZE].max())


class _Compiler:
    """Collects the arenas while it walks through the layers."""

    def __init__(self, graph: NetGraph, pipelined: bool) -> None:
        self.graph, self.pipelined = graph, pipelined
        self.weights, self.wide = Arena(np.int8), Arena(np.int32)
        self.constants, self.floats = Arena(np.int32), Arena(np.float32)
        self.work, self.padded = 0, 1
        self.index = {name: i for i, name in enumerate((INPUT, *(layer.name for layer in graph)))}
        self.nodes = np.zeros((len(self.index), len(Node)), np.int64)
        self.links: list[dict[Link, int]] = []
        self.bounds: list[int] = []
        self.sources: list[tuple[int, int]] = []
        self.looks: list[tuple[int, int]] = []  # node, and how far back somebody looks at it
        self.longest = 0  # event list of a sum of sources
        self.chunk_size = max(CHUNK, *(graph.shape(name)[0] for name in self.index))
        self.chunk = self.allot(max(_STATES.values()) * self.chunk_size)

    def allot(self, size: int) -> int:
        start, self.work = self.work, self.work + whole_lines(int(size), np.int32)
        return start

    def run(self) -> Program:
        self.node(INPUT)
        for layer in self.graph:
            row = self.node(layer.name)
            row[Node.FIRST_CONNECTION] = len(self.links)
            for connection in layer.connections:
                self.link(layer, connection)
            row[Node.END_CONNECTION] = len(self.links)
            self.neuron(layer, row)
        first = self.slots()
        largest = int(self.nodes[:, Node.SIZE].max())
        places = {place: self.allot(largest) for place in (Place.CURRENT, Place.SCRATCH, Place.MERGED)}
        places[Place.MERGED_EVENTS] = self.allot(
            max(self.longest, 1 + int(self.nodes[:, Node.SITES].max()) + 2 * largest)
        )
        places[Place.SPIKES] = self.allot(self.chunk_size + BEYOND)
        links = np.zeros((len(self.links), len(Link)), np.int64)
        for i, values in enumerate(self.links):
            for column, value in values.items():
                links[i, column] = value
        return Program(
            self.graph,
            self.weights.array(),
            self.wide.array(),
            self.constants.array(),
            self.floats.array(),
            np.array(self.bounds, np.float64),
            self.nodes,
            links,
            np.array(self.sources, np.int64),
            self.work,
            self.padded,
            first + 1,
            places,
            self.pipelined,
        )

    def node(self, name: str) -> NDArray[np.int64]:
        channels, height, width = self.graph.shape(name)
        row = self.nodes[self.index[name]]
        row[Node.CHANNELS], row[Node.SITES], row[Node.SIZE] = channels, height * width, channels * height * width
        row[Node.DEPTH] = self.graph.depth[name]
        return row

    def slots(self) -> int:
        """Rings as long as the longest look back at each node; returns the number of slots."""
        self.nodes[:, Node.SLOTS] = 1
        for node, lag in self.looks:
            self.nodes[node, Node.SLOTS] = max(self.nodes[node, Node.SLOTS], lag + 1)
        first = 0
        for row in self.nodes:
            row[Node.FIRST_SLOT], first = first, first + int(row[Node.SLOTS])
            row[Node.EVENTS] = self.allot(row[Node.SLOTS] * (row[Node.SITES] + 1 + 2 * row[Node.SIZE]))
        return first

    def link(self, layer: Layer, connection: Any) -> None:
        shape, synapse = self.graph.shape(connection.sources[0]), connection.synapse
        layout = arrange(synapse, shape)
        first, delays = len(self.sources), lates(synapse) if isinstance(synapse, DelayDense) else [0]
        for source in connection.sources:
            lag = int(source == layer.name)
            if self.pipelined:
                lag = synapse.delay + self.graph.delay(layer, connection, source)
            self.sources.append((self.index[source], lag))
            self.looks.append((self.index[source], lag + max(delays)))
        narrow = layout.weight.dtype == np.int8
        values = {
            Link.KERNEL: layout.kernel,
            Link.FIRST_SOURCE: first,
            Link.END_SOURCE: len(self.sources),
            Link.WIDE: not narrow,
            Link.WEIGHT: (self.weights if narrow else self.wide).add(layout.weight),
            Link.ROW: layout.weight[0].size,
            Link.EXPONENT: layout.exponent,
            Link.BITS: 24 if isinstance(synapse, Conv) else 32,
            Link.COUNTED: synapse.delay > 0,
            Link.FLAT: layout.flat,
            Link.CHANNELS: shape[0],
            Link.HEIGHT: shape[1],
            Link.WIDTH: shape[2],
            Link.OUT_CHANNELS: layer.shape[0],
            Link.OUT_HEIGHT: layer.shape[1],
            Link.OUT_WIDTH: layer.shape[2],
            Link.KERNEL_WIDTH: layout.weight.shape[2],
            Link.IN_GROUP: layout.weight.shape[0] // layout.groups,
            Link.OUT_GROUP: layout.weight.shape[3],
            **self.late(synapse, shape),
            **self.tables(layout),
            **self.window(layout, shape[0]),
        }
        self.links.append(values)
        self.bounds.append(layout.bound)

    def late(self, synapse: Any, shape: tuple[int, int, int]) -> dict[Link, int]:
        """A synapse with delays reads one list in which every delay is a site of all input neurons."""
        if not isinstance(synapse, DelayDense):
            return {}
        delays, size = lates(synapse), shape[0] * shape[1] * shape[2]
        self.longest = max(self.longest, len(delays) * (1 + 2 * size) + 1)
        return {
            Link.LATE: self.constants.add(delays),
            Link.LATES: len(delays),
            Link.CHANNELS: size,
            Link.HEIGHT: len(delays),
            Link.WIDTH: 1,
        }

    def tables(self, layout: Layout) -> dict[Link, int]:
        rows, columns = layout.tables()
        return {
            Link.ROWS_FIRST: self.constants.add(rows.first),
            Link.ROWS_TAP: self.constants.add(rows.tap),
            Link.ROWS_OUT: self.constants.add(rows.out),
            Link.COLUMNS_FIRST: self.constants.add(columns.first),
            Link.COLUMNS_TAP: self.constants.add(columns.tap),
            Link.COLUMNS_LENGTH: self.constants.add(columns.length),
            Link.COLUMNS_OUT: self.constants.add(columns.out),
        }

    def window(self, layout: Layout, channels: int) -> dict[Link, int]:
        """What the dense path needs to know of a convolution."""
        if layout.kernel != ROWS or layout.flat or layout.weight.dtype != np.int8:
            return {Link.DENSE: 0}
        rows, columns = layout.rows, layout.columns
        self.padded = max(self.padded, rows.reach * columns.reach * channels)
        return {
            Link.DENSE: 1,
            Link.STRIDE_ROWS: rows.stride,
            Link.STRIDE_COLUMNS: columns.stride,
            Link.PADDING_ROWS: rows.padding,
            Link.PADDING_COLUMNS: columns.padding,
            Link.DILATION_ROWS: rows.dilation,
            Link.DILATION_COLUMNS: columns.dilation,
            Link.PADDED_HEIGHT: rows.reach,
            Link.PADDED_WIDTH: columns.reach,
            Link.KERNEL_HEIGHT: rows.kernel,
            Link.ORDER: self.constants.add(np.argsort(columns.order())),
        }

    def state(self, row: NDArray[np.int64]) -> tuple[int, int]:
        """Where a layer's state lies, and the distance of its arrays.

        Single steps from zero leave no state that anybody reads, but a readout's: a chunk in the first cache will do.
        """
        size = int(row[Node.SIZE])
        if self.pipelined or self.graph.timesteps > 1 or row[Node.KERNEL] == INTEGRATE:
            return self.allot(int(row[Node.STATES]) * size), size
        return self.chunk, self.chunk_size

    def neuron(self, layer: Layer, row: NDArray[np.int64]) -> None:
        neuron = layer.neuron
        if type(neuron) not in _KERNEL:
            raise TypeError(f"layer {layer.name!r}: no kernel for a neuron of type {type(neuron).__name__}")
        row[Node.KERNEL], row[Node.GATED] = _KERNEL[type(neuron)], neuron.gated
        if row[Node.KERNEL] == FIRE and getattr(neuron, "levels", 1) == 1:
            row[Node.KERNEL] = FIRE_ONCE
        row[Node.STATES] = _STATES[row[Node.KERNEL]]
        row[Node.STATE], row[Node.STATE_SIZE] = self.state(row)
        bias = np.zeros(layer.shape[0], np.int64) if layer.bias is None else layer.bias.astype(np.int64)
        row[Node.PER_SITE] = bias.ndim == 3 or (layer.shape[0] < NARROW_LAYER and not isinstance(neuron, Stepwise))

        def spread(values: Any, arena: Arena) -> int:
            values = np.asarray(values)
            if values.ndim == 3:
                return arena.add(values.transpose(1, 2, 0))
            values = np.broadcast_to(values, layer.shape[:1])
            return arena.add(np.tile(values, int(row[Node.SITES]) if row[Node.PER_SITE] else 1))

        def columns(table: Any, arena: Arena) -> tuple[int, int]:
            """Rows of channels one after the other, and how far apart they lie."""
            starts = [spread(row, arena) for row in table]
            return starts[0], starts[1] - starts[0] if len(starts) > 1 else 0

        row[Node.BIAS] = spread(wrap(bias << _bias_exponent(neuron)), self.constants)
        if isinstance(neuron, (MultiLevel, Barrier)):
            threshold = np.asarray(getattr(neuron, "threshold", 1), np.int64)
            row[Node.THRESHOLD] = spread(threshold, self.constants)
            row[Node.CEILING] = spread(np.minimum(threshold * neuron.levels, INT32_MAX), self.constants)
            row[Node.INVERSE] = spread(1.0 / threshold, self.floats)
            row[Node.COLUMNS] = 1
        if isinstance(neuron, (Scheduled, Staircase)):
            table = neuron.thresholds.astype(np.int64).T
            row[Node.COLUMNS] = len(table)
            row[Node.THRESHOLD], row[Node.STRIDE] = columns(table, self.constants)
            row[Node.CEILING], _ = columns(np.minimum(table * neuron.levels, INT32_MAX), self.constants)
            row[Node.INVERSE], _ = columns(1.0 / table, self.floats)
        if isinstance(neuron, Stepwise):
            row[Node.SCALES], row[Node.OFFSETS] = neuron.scale.shape[1], neuron.offset.shape[1]
            row[Node.SCALE] = self.constants.add(neuron.scale.T)
            row[Node.OFFSET] = self.constants.add(neuron.offset.T)
            row[Node.SHIFT] = spread(neuron.shift, self.constants)
        if isinstance(neuron, SoftLIF):
            row[Node.THRESHOLD] = spread(neuron.threshold, self.constants)
        row[Node.A : Node.D + 1] = np.array(_scalars(neuron))


def _bias_exponent(neuron: Neuron) -> int:
    if isinstance(neuron, LIF):
        return neuron.bias_exp
    return neuron.spike_exp + neuron.state_exp if isinstance(neuron, SigmaDelta) else 0


def _scalars(neuron: Neuron) -> tuple[int, int, int, int]:
    """Columns A to D: of a LIF what the decays leave of 4096 and the threshold; of encoders shifts and threshold; of a
    SoftLIF what the decay leaves and the amplitude; of a Rescale the limit."""
    if isinstance(neuron, LIF):
        return 4095 - neuron.du, 4096 - neuron.dv, neuron.vth << 6, 0
    if isinstance(neuron, (Delta, SigmaDelta)):
        shift = neuron.spike_exp + neuron.state_exp
        return shift, neuron.state_exp, int(wrap(neuron.vth << shift)), -1 if neuron.model == "corrected" else 0
    if isinstance(neuron, SoftLIF):
        return 4096 - neuron.dv, neuron.amplitude, 0, 0
    if isinstance(neuron, Rescale):
        return neuron.limit, 0, 0, 0
    return 0, 0, 0, 0


def compile_graph(graph: NetGraph, pipelined: bool) -> Program:
    """Lay ``graph`` out for the kernels.

    Args:
        graph: the network.
        pipelined: sources are read as late as Lava's synapses and delay lines deliver them; otherwise every layer reads
            its sources' spikes of the same step (and its own of the step before).
    """
    return _Compiler(graph, pipelined).run()
