"""A NetGraph as the kernels read it: a few flat arrays, and records that say what lies where.

One compiled function runs every network, so nothing is compiled per graph and a step costs one call. A *node* is the
input or a layer; the spikes of a node are an event list, of which a node keeps one, or as many as timesteps that some
layer looks back, and one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Any
from weakref import ref

import numpy as np
from numpy.typing import NDArray

from ..graph.graph import INPUT, Connection, Layer, NetGraph
from . import dot, neurons, scatter, synapses
from .arena import Arena, whole_lines
from .event_lists import BEYOND, length
from .records import LINK, NODE, PARAMETER, SOURCE, Tables
from .update import CHUNK

KEPT = 4
"""Programs that are kept for the next call; each has the weights of its network once or twice."""

BYTE = 255
"""The largest value of one."""

NARROW_LAYER = 32
"""Below so many channels, parameters are repeated for every site: one long loop beats many short ones."""

LISTS = "length", "count", "tap", "out"
"""Of a table of taps; runs of rows are one tap long."""


@dataclass(frozen=True, eq=False)
class Program:
    """What is constant in a run; workers of several threads share it. Made by :func:`compile_graph`.

    Args:
        graph: the network.
        pipelined: see :func:`compile_graph`.
        tables: what the compiled function reads.
        places: fields of :data:`~.records.CONTROL`: places in ``work`` that all layers share.
        work, padded, packed, slots: sizes of a worker's memory: int32, floats and bytes of a dense convolution's input,
            event lists.
    """

    graph: NetGraph
    pipelined: bool
    tables: Tables
    places: dict[str, int]
    work: int
    padded: int
    packed: int
    slots: int

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of the nodes."""
        return (INPUT, *(layer.name for layer in self.graph))


class _Compiler:
    """Collects the arrays while it walks through the layers."""

    def __init__(self, graph: NetGraph, pipelined: bool, keep: bool) -> None:
        self.graph, self.pipelined, self.keep = graph, pipelined, keep
        self.weights, self.wide_weights, self.constants = Arena(np.int8), Arena(np.int32), Arena(np.int32)
        self.index = {name: i for i, name in enumerate((INPUT, *(layer.name for layer in graph)))}
        self.nodes = np.zeros(len(self.index), NODE)
        self.links = np.zeros(sum(len(layer.connections) for layer in graph), LINK)
        self.sources: list[tuple[int, int]] = []
        self.parameters: list[tuple[int, int, int]] = []
        self.work, self.padded, self.packed, self.merged = 0, 1, 1, 0
        self.chunk_size = max(CHUNK, *(graph.shape(name)[0] for name in self.index))
        self.chunk = self.allot(max(len(kernel.state) for kernel in neurons.KERNELS) * self.chunk_size)

    def allot(self, size: int) -> int:
        """A place in ``work``."""
        start, self.work = self.work, self.work + whole_lines(int(size), np.int32)
        return start

    def run(self) -> Callable[[NetGraph], Program]:
        """Everything of the program but the graph."""
        self.node(INPUT)
        links = 0
        for layer in self.graph:
            row = self.node(layer.name)
            row["first_link"], row["end_link"] = links, links + len(layer.connections)
            for connection in layer.connections:
                self.link(self.links[links], layer, connection)
                links += 1
            self.neuron(layer, row)
        self.readers()
        slots = self.slots()
        largest = int((self.nodes["size"] * self.nodes["currents"]).max())
        places = {name: self.allot(largest) for name in ("current", "scratch", "merged")}
        places["merged_events"] = self.allot(max(self.merged, length(int(self.nodes["sites"].max()), largest)))
        places["spikes"] = self.allot(self.chunk_size + BEYOND)
        tables = Tables(
            self.weights.array(),
            self.wide_weights.array(),
            self.constants.array(),
            np.array(self.parameters or [(0, 0, 0)], PARAMETER),
            self.nodes,
            self.links,
            np.array(self.sources, SOURCE),
        )
        fixed = self.pipelined, tables, places, self.work, self.padded, self.packed, slots + 1
        return lambda graph: Program(graph, *fixed)

    def node(self, name: str) -> Any:
        channels, height, width = self.graph.shape(name)
        row = self.nodes[self.index[name]]
        row["channels"], row["sites"], row["size"] = channels, height * width, channels * height * width
        row["depth"], row["spiking"], row["slots"] = self.graph.depth[name] * self.pipelined, True, 1
        row["currents"] = 1
        return row

    def slots(self) -> int:
        """Allots the event lists; returns how many there are."""
        first = 0
        for row in self.nodes:
            row["first_slot"], first = first, first + int(row["slots"])
            row["lists"] = self.allot(int(row["slots"]) * length(int(row["sites"]), int(row["size"])))
        return first

    def readers(self) -> None:
        """Says of every node whether its bytes suffice."""
        most: dict[int, int] = {}
        for link in self.links:
            first, end = link["first_source"], link["end_source"]
            plain = link["kernel"] == scatter.KERNELS.index(scatter.one_to_one)
            alone = end == first + 1 and link["delay_count"] == 1 and not link["wide"]
            for node, _ in self.sources[first:end]:
                takes = (BYTE if plain else int(link["most"])) * alone
                most[node] = min(takes, most.get(node, BYTE))
        image = self.graph.input
        sent = {INPUT: None if image.signed else image.bound}
        for layer in self.graph:
            neuron = layer.neuron
            sent[layer.name] = neuron.largest_spike if neuron.spiking and not neuron.signed else None
        for name, largest in sent.items():
            suffice = largest is not None and largest <= most.get(self.index[name], -1)
            self.nodes[self.index[name]]["bytes_suffice"] = suffice

    def link(self, row: Any, layer: Layer, connection: Connection) -> None:
        synapse, shape = connection.synapse, self.graph.shape(connection.sources[0])
        arranged = synapses.arrange(synapse, shape)
        narrow, delays, size = arranged.weight.dtype == np.int8, arranged.delays, int(np.prod(shape))
        if len(delays) > 1:
            self.merged = max(self.merged, length(len(delays) * shape[1] * shape[2], len(delays) * size))
        row["first_source"] = len(self.sources)
        for source in connection.sources:
            back = self.graph.age(layer, connection, source) if self.pipelined else int(source == layer.name)
            node = self.nodes[self.index[source]]
            node["slots"] = max(int(node["slots"]), back + delays[-1] + 1)
            self.sources.append((self.index[source], back))
        row["end_source"] = len(self.sources)
        _fill(
            row,
            kernel=scatter.KERNELS.index(arranged.kernel),
            delays=self.constants.add(delays),
            delay_count=len(delays),
            wide=not narrow,
            weight=(self.weights if narrow else self.wide_weights).add(arranged.weight),
            row=arranged.weight[0].size,
            exponent=arranged.exponent,
            bound=arranged.bound,
            current_bits=synapse.current_bits,
            counted=synapse.delay > 0,
        )
        self.geometry(row, arranged, shape, layer)
        if arranged.dense:
            self.dense(row, arranged, shape[0])

    def geometry(self, row: Any, arranged: synapses.Layout, shape: tuple[int, ...], layer: Layer) -> None:
        inputs, kernel_height, kernel_width, out_group = arranged.weight.shape
        for name, values in (("", shape), ("out_", layer.current_shape)):
            for axis, value in zip(("channels", "height", "width"), values, strict=True):
                row[name + axis] = value
        _fill(
            row,
            flat=arranged.flat,
            kernel_height=kernel_height,
            kernel_width=kernel_width,
            in_group=inputs // arranged.groups,
            out_group=out_group,
        )
        rows, columns = arranged.tables()
        for axis, table, names in (("rows", rows, LISTS[1:]), ("columns", columns, LISTS)):
            for name in names:
                row[f"{axis}_{name}"] = self.constants.add(getattr(table, name))
            row[f"{axis}_tap_step"], row[f"{axis}_out_step"] = table.tap_step, table.out_step

    def dense(self, row: Any, arranged: synapses.Layout, channels: int) -> None:
        """What the dense path needs to know of a convolution."""
        rows, columns = arranged.rows, arranged.columns
        self.padded = max(self.padded, rows.reach * columns.reach * channels)
        row["dense"], row["order"] = True, self.constants.add(np.argsort(columns.order()))
        row["padded_height"], row["padded_width"] = rows.reach, columns.reach
        for name in ("stride", "padding", "dilation"):
            row[f"{name}_rows"], row[f"{name}_columns"] = getattr(rows, name), getattr(columns, name)
        chosen = dot.instruction()
        if chosen is None:
            return
        weight = arranged.weight[:, :, np.argsort(columns.order())]
        row["most"] = chosen.most
        row["packed"], across = self.weights.add(dot.pack(weight, chosen.blocks)), dot.padded(channels, dot.QUAD)
        corners = np.arange(rows.out)[:, None] * rows.stride * columns.reach + np.arange(columns.out) * columns.stride
        row["corners"] = self.constants.add(corners * across)
        self.packed = max(self.packed, rows.reach * columns.reach * across)

    def neuron(self, layer: Layer, row: Any) -> None:
        arranged = neurons.arrange(layer)
        states = len(arranged.kernel.state)
        row["kernel"] = neurons.KERNELS.index(arranged.kernel)
        row["gated"], row["spiking"] = layer.neuron.gated, layer.neuron.spiking
        row["currents"] = layer.neuron.currents
        if self.keep or self.pipelined or self.graph.timesteps > 1 or not layer.neuron.spiking:
            row["state"], row["state_size"] = self.allot(states * layer.size), layer.size
        else:  # nobody reads the state after a single step from zero: a chunk in the first cache will do
            row["state"], row["state_size"] = self.chunk, self.chunk_size
        narrow = layer.shape[0] < NARROW_LAYER and layer.neuron.currents == 1  # several lie side by side at each site
        per_neuron = narrow or any(value.ndim == 3 for value in arranged.values.values())
        row["per_neuron"], row["parameters"] = per_neuron, len(self.parameters)
        for name, form in arranged.kernel.parameters.items():
            self.parameters.append(self.parameter(arranged.values[name], form, layer.shape, per_neuron))

    def parameter(
        self, values: NDArray[Any], form: str, shape: tuple[int, ...], per_neuron: bool
    ) -> tuple[int, int, int]:
        """Lay out one parameter, see :class:`~.neurons.kernel.Kernel`: (start, rows, stride)."""
        if form == neurons.SHARED:
            return self.constants.add(values), 1, 0
        if values.ndim == 3:
            table = values.transpose(1, 2, 0).reshape(1, -1)
        else:
            values = np.atleast_2d(values)
            table = np.tile(np.broadcast_to(values, (len(values), shape[0])), shape[1] * shape[2] if per_neuron else 1)
        if form == neurons.ONE and len(table) not in (1, self.graph.timesteps):
            raise ValueError(f"a parameter with {len(table)} rows: expected one or T = {self.graph.timesteps}")
        starts = [self.constants.add(row) for row in table]
        return starts[0], len(starts), starts[-1] - starts[-2] if len(starts) > 1 else 0


def _fill(record: Any, /, **values: Any) -> None:
    for name, value in values.items():
        record[name] = value


_LAID_OUT: dict[tuple[int, bool, bool], tuple[ref[NetGraph], Callable[[NetGraph], Program]]] = {}
_LOCK = Lock()


def compile_graph(graph: NetGraph, pipelined: bool, keep: bool = False) -> Program:
    """Lay ``graph`` out for the kernels, or take what an earlier call for the same object has laid out.

    The last :data:`KEPT` are remembered as long as their graphs exist, which nothing can change.

    Args:
        graph: the network.
        pipelined: sources are read as late as Lava's synapses and delay lines deliver them; otherwise every layer reads
            its sources' spikes of the same step (and its own of the step before), from zero state in every call.
        keep: whether states are there after the last step, too.
    """
    key = id(graph), pipelined, keep
    with _LOCK:
        known, program = _LAID_OUT.pop(key, (None, None))
        if program is None or known is None or known() is not graph:
            program = _Compiler(graph, pipelined, keep).run()
        _LAID_OUT[key] = ref(graph, lambda _: _LAID_OUT.pop(key, None)), program
        for oldest in list(_LAID_OUT)[:-KEPT]:
            _LAID_OUT.pop(oldest, None)
    return program(graph)
