"""NetGraph to NIR: what NIR can say exactly, and a refusal for the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from io import BytesIO
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..graph.bounds import Bounds, bounds
from ..graph.graph import INPUT, Connection, Layer, NetGraph
from ..graph.neurons import LIF, Barrier, CubaLIF, MultiLevel, Readout, Relay
from ..graph.spec import INT24_MAX
from ..graph.synapses import Conv, Dense, Identity, Injection, Pool
from ..helpers.check import IntArray, Shape, choice
from ..helpers.files import atomic_write
from . import file as nir_file
from .map import Floats

DT = 1e-4
"""Seconds of a timestep in files of snnTorch and SpikingJelly."""

OUTPUT = "output"


def to_nir(graph: NetGraph, path: str | PathLike[str], *, dialect: str = "nir") -> None:
    r"""Write a network to a NIR file (package nir 1.0, an extra), provided that NIR computes its very spikes.

    The nodes work on integers: the input is the integer image, weights and thresholds are those of the graph. A neuron
    of N levels becomes N IF nodes that read the same current, with the thresholds :math:`k\theta`, k = 1 .. N; their
    spikes are summed where edges meet, :math:`z = \sum_k [a + b \ge k\theta]`. Thresholds lie half a unit below,
    :math:`k\theta - 1/2`, so that readers that compare with > and with >= agree. Levels that no
    input can reach are left out. A layer's bias stands in its Conv2d or Affine node, else in the thresholds. IF nodes
    have R = 1 / dt for dt = 1e-4 s, the step of snnTorch and SpikingJelly: one unit of current is one of voltage.
    Readouts are the linear node before the output at T = 1 and an integrator (I) at T > 1. The graph's metadata hold,
    as JSON under "lava_mlsnn", what NIR has no place for: timesteps, scales, labels.

    Grouped convolutions and kernels that are not square are written as NIR defines them, but nir 1.0.8 computes other
    shapes for them: it reads such a file with ``nir.read(path, type_check=False)``.

    **Dialects**: with "snntorch", "spikingjelly", "sinabs" or "norse", the file is made of what that library's importer
    takes, and gives the same spikes there (see :mod:`lava_mlsnn.nir.library`). Its flattens count axes from the end, so
    that they fit data with and without a batch; a readout is the linear node before the output, whose sum over the
    steps it is.

    Exact are, at T = 1, multi-level neurons, barriers and LIF; at T > 1 LIF with full decay (Threshold) or without any
    (IF, reset to zero), and multi-level neurons that never keep a rest; relays and readouts at any T.

    Args:
        graph: the network.
        path: the file, by custom ``*.nir``.
        dialect: "nir", or the library that is to read the file.

    Raises:
        ValueError: names the layer, and why NIR, or the library, cannot say it: a soft reset that carries over steps,
            decays (Lava's are rounded integers), sigma-delta neurons, delays, recurrence, a register that can overflow.
        MissingPackageError: the package nir is missing.

    Example:
        >>> import tempfile, numpy as np
        >>> from lava_mlsnn.netx import Connection, Dense, Input, Layer, MultiLevel, NetGraph, from_nir, to_nir
        >>> dense = Connection("input", Dense([[3, -1], [0, 2]]))
        >>> graph = NetGraph(Input((2, 1, 1)), (Layer("a", (dense,), (2, 1, 1), MultiLevel(1, 100)),))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     to_nir(graph, f"{folder}/x.nir")
        ...     from_nir(f"{folder}/x.nir", np.full((1, 2, 1, 1), 255)) == graph
        True
    """
    content = BytesIO()  # HDF5 itself ends the process with a segmentation fault where the disk is full
    nir_file.package().write(content, nir_graph(graph, dialect))
    if dialect == "sinabs":
        _without_v_reset(content)
    atomic_write(path, content.getvalue())


def _without_v_reset(content: BytesIO) -> None:
    """Leave out what sinabs 3 does not use, and what nir 1.0.4, which it asks for, does not know."""
    import h5py

    with h5py.File(content, "r+") as file:
        for node in file["node/nodes"].values():
            if "v_reset" in node:
                del node["v_reset"]


def nir_graph(graph: NetGraph, dialect: str = "nir") -> Any:
    """The NIRGraph that :func:`to_nir` writes."""
    check_dialect(dialect)
    from .library import LIBRARIES

    return (Writer if dialect == "nir" else LIBRARIES[dialect])(graph).run()


def check_dialect(dialect: str) -> None:
    """ValueError for a dialect that is not written."""
    from .library import LIBRARIES

    choice(dialect, "dialect", ("nir", *LIBRARIES))


class Writer:
    """Nodes and edges so far; ``sent[name]`` are the nodes whose sum is what a layer sends."""

    def __init__(self, graph: NetGraph) -> None:
        self.nir, self.graph, self.limits = nir_file.package(), graph, bounds(graph)
        self.nodes: dict[str, Any] = {}
        self.edges: list[tuple[str, str]] = []
        self.sent: dict[str, list[str]] = {}
        self.flat: dict[tuple[str, ...], list[str]] = {}

    def run(self) -> Any:
        graph, nir = self.graph, self.nir
        reserved = (OUTPUT, ".")  # "." is HDF5's own
        self.names = {layer.name: layer.name + ("_" if layer.name in reserved else "") for layer in graph}
        flat = graph.input.shape[1:] == (1, 1)
        self.nodes[INPUT] = nir.Input(input_type={"input": size_of(graph.input.shape, flat)})
        self.sent[INPUT] = [INPUT]
        for layer in graph:
            self.check(layer)
            self.layer(layer)
        unread = {layer.name for layer in graph} - {s for layer in graph for s in layer.inputs} - {graph.output.name}
        if unread:
            raise ValueError(f"layer {min(unread)!r}: nothing reads it, and NIR has one output")
        self.nodes[OUTPUT] = nir.Output(
            output_type={"output": size_of(graph.output.shape, self.is_flat(graph.output.name))}
        )
        self.edges += [(name, OUTPUT) for name in self.ends(self.sent[graph.output.name])]
        notes = {"timesteps": graph.timesteps, "input": asdict(graph.input), "labels": list(graph.labels)}
        if isinstance(graph.output.neuron, Readout):
            notes["readout_scale"] = graph.output.neuron.scale
        # nir's own check takes kernels for square ones and their depth for the number of channels
        return nir.NIRGraph(self.nodes, self.edges, {nir_file.OWN: json.dumps(notes)}, type_check=False)

    def ends(self, nodes: list[str]) -> list[str]:
        """The nodes whose sum is the output."""
        return nodes

    def is_flat(self, name: str) -> bool:
        """Whether a layer's nodes hold vectors: those of a dense layer and of what only such a layer drives do."""
        if name == INPUT or self.graph.shape(name)[1:] != (1, 1):
            return self.graph.shape(name)[1:] == (1, 1)
        return any(
            isinstance(c.synapse, Dense)
            or (isinstance(c.synapse, Identity | Injection) and any(self.is_flat(source) for source in c.sources))
            for c in self.graph[name].connections
        )

    def add(self, name: str, node: Any, reads: list[str]) -> str:
        """Put a node behind those that it reads; its own name may get a "_" if it is taken."""
        own = self.names.values()
        while name in self.nodes or (name in own and type(node).__name__ in ("Flatten", "Scale")):
            name += "_"
        self.nodes[name] = node
        self.edges += [(source, name) for source in reads]
        return name

    def layer(self, layer: Layer) -> None:
        neuron, bias, steps = layer.neuron, _bias(layer), self.graph.timesteps
        ends = isinstance(neuron, Relay) or (isinstance(neuron, Readout) and steps == 1)
        drives: list[str] = []
        for index, connection in enumerate(layer.connections):
            named = ends and len(layer.connections) == 1
            name = self.names[layer.name] if named else f"{self.names[layer.name]}_synapse{index}"
            found, bias = self.synapse(name, connection, layer, bias)
            drives = self.distinct(drives + found, size_of(layer.shape, self.is_flat(layer.name)))
        if bias is not None and (ends or isinstance(neuron, Readout) or (steps > 1 and not is_memoryless(layer))):
            raise ValueError(
                f"layer {layer.name!r}: no Conv2d or Affine node holds the bias of its {neuron.kind} neurons"
            )
        if ends:
            self.sent[layer.name] = drives
            return
        self.sent[layer.name] = self.population(layer, np.zeros((1, 1, 1)) if bias is None else bias, drives)

    def population(self, layer: Layer, bias: Floats, drives: list[str]) -> list[str]:
        """The nodes of a population that reads ``drives``; ``bias`` is taken off the thresholds."""
        return [self.add(name, node, drives) for name, node in self.neurons(layer, bias)]

    def check(self, layer: Layer) -> None:
        """ValueError for what NIR cannot say."""
        _check(self.graph, layer, self.limits[layer.name])

    def distinct(self, nodes: list[str], size: NDArray[Any]) -> list[str]:
        """The same sum without an edge that appears twice."""
        out: list[str] = []
        for node in nodes:
            if node in out:
                node = self.add(f"{node}_again", self.scale(np.ones(size, np.float32)), [node])
            out.append(node)
        return out

    def read(self, sources: tuple[str, ...], flat: bool) -> list[str]:
        """The nodes whose sum the sources send, as vectors if ``flat``."""
        nodes: list[str] = []
        for source in sources:
            if flat and not self.is_flat(source):
                nodes += self.flatten(tuple(self.sent[source]), self.graph.shape(source))
            else:
                nodes += self.sent[source]
        return self.distinct(nodes, size_of(self.graph.shape(sources[0]), flat))

    def flatten(self, nodes: tuple[str, ...], shape: Shape) -> list[str]:
        if nodes not in self.flat:
            node = self.nir.Flatten
            self.flat[nodes] = [
                self.add(f"{name}_flatten", node({"input": np.array(shape)}, self.flatten_from), [name])
                for name in nodes
            ]
        return self.flat[nodes]

    flatten_from = 0

    def scale(self, factors: NDArray[Any]) -> Any:
        """A node that multiplies, (C, H, W) or (C,)."""
        return self.nir.Scale(factors)

    def linear(self, weight: NDArray[Any], bias: Floats | None) -> Any:
        """A dense node."""
        return self.nir.Linear(weight) if bias is None else self.nir.Affine(weight, floats(bias.reshape(-1)))

    def synapse(
        self, name: str, connection: Connection, layer: Layer, bias: Floats | None
    ) -> tuple[list[str], Floats | None]:
        """The nodes whose sum is a synapse's current, and the bias if it is still to be placed."""
        synapse, flat = connection.synapse, self.is_flat(layer.name)
        shape = self.graph.shape(connection.sources[0])
        if isinstance(synapse, Dense):
            reads, weight = self.read(connection.sources, True), floats(synapse.weight)
            return [self.add(name, self.linear(weight, bias), reads)], None
        if isinstance(synapse, Conv | Pool):
            if any(self.is_flat(source) for source in connection.sources):
                raise ValueError(f"layer {layer.name!r}: a {synapse.kind} reads a vector, expected a dense synapse")
            node, bias = self.window(synapse, shape, layer, bias)
            nodes = [self.add(name, node, self.read(connection.sources, False))]
            return self.flatten(tuple(nodes), layer.shape) if flat else nodes, bias
        reads = self.read(connection.sources, flat)
        if isinstance(synapse, Identity) and np.any(synapse.weight != 1):
            scale = np.broadcast_to(floats(synapse.weight).reshape(-1, 1, 1), shape).reshape(size_of(shape, flat))
            return [self.add(name, self.scale(scale.copy()), reads)], bias
        return reads, bias

    def window(
        self, synapse: Conv | Pool, shape: Shape, layer: Layer, bias: Floats | None
    ) -> tuple[Any, Floats | None]:
        """The node of a convolution, which takes a bias per channel with it, or of a pool."""
        if isinstance(synapse, Pool):
            return self.nir.SumPool2d(np.array(synapse.kernel), np.array(synapse.stride), np.array((0, 0))), bias
        held = bias is not None and bool(np.all(bias == bias[:, :1, :1]))
        value = bias[:, 0, 0] if bias is not None and held else np.zeros(layer.shape[0])
        node = self.nir.Conv2d(
            input_shape=shape[1:],
            weight=floats(synapse.weight),
            stride=synapse.stride,
            padding=synapse.padding,
            dilation=synapse.dilation,
            groups=synapse.groups,
            bias=floats(value),
        )
        return node, None if held else bias

    def neurons(self, layer: Layer, bias: Floats) -> Iterator[tuple[str, Any]]:
        """The nodes of a population and their names; ``bias`` is taken off the thresholds."""
        neuron, nir, name = layer.neuron, self.nir, self.names[layer.name]
        size = size_of(layer.shape, self.is_flat(layer.name))
        if isinstance(neuron, Readout):
            yield name, nir.I(r=np.full(size, 1 / DT))
            return
        high = self.limits[layer.name].membrane.high.reshape(-1, 1, 1)
        for level, threshold in enumerate(thresholds_of(layer, self.graph.timesteps), 1):
            if level > 1 and np.all(threshold > high):
                return
            value = floats(np.broadcast_to(threshold - bias, layer.shape).reshape(size))
            label = name if level == 1 else f"{name}_level{level}"
            if self.graph.timesteps > 1 and is_memoryless(layer):
                yield label, nir.Threshold(value)
            else:
                yield label, nir.IF(np.full(size, 1 / DT), value, np.zeros(size))


def is_memoryless(layer: Layer) -> bool:
    """Whether a step of its neurons does not depend on those before it."""
    return isinstance(layer.neuron, LIF) and bool(np.all(layer.neuron.dv == 4096))


def thresholds_of(layer: Layer, steps: int) -> Iterator[Floats]:
    """What current and bias must exceed for a spike of at least 1, 2 .. N: half a unit below what is enough.

    At T > 1, multi-level neurons that pass the check never send more than 1.
    """
    neuron = layer.neuron
    if isinstance(neuron, LIF):
        unit = 1.0 if layer.bias is None else min(1.0, 2.0 ** (neuron.bias_exp - 6))  # a bias may be a fraction
        yield np.asarray(neuron.vth + unit / 2).reshape(-1, 1, 1)
        return
    assert isinstance(neuron, MultiLevel | Barrier)
    theta = np.asarray(getattr(neuron, "threshold", 1), np.float64).reshape(-1, 1, 1)
    for k in range(1, (neuron.levels if steps == 1 else 1) + 1):
        yield k * theta - 0.5


def _bias(layer: Layer) -> Floats | None:
    """Bias (C, H, W) in units of current; None for none."""
    if layer.bias is None or not layer.bias.any():
        return None
    bias = layer.bias.astype(np.float64)
    bias = np.broadcast_to(bias.reshape(-1, 1, 1) if bias.ndim == 1 else bias, layer.shape)
    if isinstance(layer.neuron, CubaLIF):
        return bias / layer.neuron.gain
    return bias * 2.0 ** (layer.neuron.bias_exp - 6) if isinstance(layer.neuron, LIF) else bias


def _check(graph: NetGraph, layer: Layer, limits: Bounds) -> None:
    steps, neuron, what = graph.timesteps, layer.neuron, f"layer {layer.name!r}"
    for connection in layer.connections:
        if layer.name in connection.sources:
            raise ValueError(f"{what}: NIR does not define when a recurrent connection arrives")
        if not isinstance(connection.synapse, Conv | Dense | Identity | Injection | Pool):
            raise ValueError(f"{what}: a {connection.synapse.kind} synapse has no counterpart in NIR")
    if isinstance(neuron, Readout) and layer is not graph.output:
        raise ValueError(f"{what}: NIR reads out at the end of the network only")
    if isinstance(neuron, Readout) and (neuron.leaky or neuron.shift):
        raise ValueError(
            f"{what}: a readout with leak {neuron.dv.tolist()} / 2**{neuron.dv_bits} and shift {neuron.shift}: NIR's "
            "leaky integrator does not round, expected a readout that only adds up"
        )
    registers = [float(a.magnitude.max()) for a in limits.accumulators]
    if isinstance(neuron, MultiLevel | Barrier):
        registers.append(float(limits.membrane.magnitude.max()))
        threshold = np.asarray(getattr(neuron, "threshold", 1))
        if steps > 1 and np.any(limits.membrane.high > threshold):
            raise ValueError(
                f"{what}: T = {steps}: its soft reset carries the rest of the membrane (up to "
                f"{limits.membrane.high.max():.0f}, threshold {threshold.min()}) to the next step, and NIR resets to a "
                "constant: expected T = 1"
            )
    elif isinstance(neuron, LIF):
        if steps > 1 and not (neuron.uniform and (neuron.du, neuron.dv) in ((4095, 0), (4095, 4096))):
            raise ValueError(
                f"{what}: T = {steps}: decays du = {neuron.du}, dv = {neuron.dv} are rounded integers in Lava and real "
                "in NIR: expected du = 4095 and dv = 0 or 4096, or T = 1"
            )
        bias = _bias(layer)
        largest = float(limits.current.magnitude.max()) if bias is None else _largest(limits, bias)
        registers.append(64 * largest * (steps if np.any(neuron.dv == 0) else 1))
    elif isinstance(neuron, Readout):
        registers.append(float(limits.membrane.magnitude.max()))
    elif not isinstance(neuron, Relay):
        raise ValueError(f"{what}: a {neuron.kind} neuron has no counterpart in NIR")
    if max(registers) > INT24_MAX:
        raise ValueError(f"{what}: a register can reach {max(registers):.0f} and overflow at {INT24_MAX}; NIR's cannot")


def _largest(limits: Bounds, bias: Floats) -> float:
    """Largest current of a LIF, with a bias that has its own exponent."""
    return sum(float(a.magnitude.max()) for a in limits.accumulators) + float(np.abs(bias).max())


def floats(value: IntArray | Floats) -> NDArray[Any]:
    """float32, which other libraries compute in, where that is exact."""
    narrow = np.asarray(value, np.float32)
    return narrow if np.array_equal(narrow, value) else np.asarray(value, np.float64)


def size_of(shape: Shape, flat: bool) -> NDArray[Any]:
    """A shape as NIR states it: vectors have one axis."""
    return np.array(shape[:1] if flat else shape)
