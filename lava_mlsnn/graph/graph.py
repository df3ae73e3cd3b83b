"""The NetGraph: the one object that leaves training and that every engine, measure and mapping reads.

It is integer and complete: what it says is what torch's integer forward, the engine and Lava compute, bit for bit.
Time is explicit: a synapse delays by one timestep, and where paths of different depth meet, the shorter one carries a
delay line. Depth and delays are computed here, once, and only read elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial
from math import prod
from typing import TYPE_CHECKING, ClassVar

from ..helpers.check import IntArray, Shape, finite, flag, int_array, integer, positive_ints, texts
from ..helpers.shown import Grid, Shown, shape_text
from .neurons import Neuron, Readout
from .spec import Spec, by
from .synapses import Injection, Synapse

if TYPE_CHECKING:
    import pandas as pd

INPUT = "input"
"""Name of the network's input among the sources of a connection."""


@dataclass(frozen=True, eq=False)
class Input(Spec):
    """The network's input: integer images of ``shape`` (C, H, W), presented at each of the T timesteps.

    Args:
        shape: (C, H, W).
        scale: value of one integer step in the units of training (1 / 255 for 8-bit pixels of images in 0 .. 1).
        bits: width of the unsigned graded message that carries a pixel; signed inputs have ``signed=True``.
        gain, offset: stock NetX input transform: the feeder sends gain * x + offset for a real-valued x.
    """

    kind: ClassVar[str] = "input"
    shape: Shape = field(metadata=by(partial(positive_ints, length=3)))
    scale: float = field(default=1 / 255, metadata=by(partial(finite, positive=True)))
    bits: int = field(default=8, metadata=by(partial(integer, low=1, high=24)))
    signed: bool = field(default=False, metadata=by(flag))
    gain: float = field(default=1.0, metadata=by(finite))
    offset: float = field(default=0.0, metadata=by(finite))

    @property
    def bound(self) -> int:
        """Largest absolute value of an input."""
        return 2 ** (self.bits - self.signed) - (0 if self.signed else 1)


def _named(name: str, check: Callable[[int], None], value: int) -> None:
    """Run a neuron's check; its ValueError is given the layer's name."""
    try:
        check(value)
    except ValueError as error:
        raise ValueError(f"layer {name!r}: {error}") from None


def _check_type(value: object, kind: type, what: str) -> None:
    if not isinstance(value, kind):
        raise ValueError(f"{what}: expected {kind.__name__}, got {value!r}")


def _is_name(name: object) -> bool:
    return isinstance(name, str) and name.isprintable() and name not in ("", INPUT) and "/" not in name


@dataclass(frozen=True, eq=False)
class Connection(Spec):
    """One synapse and the layers whose spikes it reads; several sources of one shape are summed in the dendrite.

    Args:
        sources: names of layers, or "input". A layer may read itself (recurrent, one step back).
        synapse: the linear map.
    """

    sources: tuple[str, ...]
    synapse: Synapse

    def validate(self) -> None:
        sources = (self.sources,) if isinstance(self.sources, str) else tuple(self.sources)
        self._set("sources", sources)
        _check_type(self.synapse, Synapse, f"connection from {sources}: synapse")
        if not sources or len(set(sources)) != len(sources) or not all(isinstance(name, str) for name in sources):
            raise ValueError(f"connection sources: expected one or more different names, got {sources}")


@dataclass(frozen=True, eq=False)
class Layer(Shown, Spec):
    """A population of neurons and the synapses that drive it.

    Args:
        name: unique printable text, not "input", no "/".
        connections: currents of all connections are added in the dendrite.
        shape: (C, H, W) of the population.
        neuron: parameters of the neuron.
        bias: int32 (C,) or (C, H, W), added to the current in every step; None is zero. (C, 1, 1) becomes (C,).
    """

    name: str
    connections: tuple[Connection, ...]
    shape: Shape
    neuron: Neuron
    bias: IntArray | None = None

    def validate(self) -> None:
        self._set("connections", tuple(self.connections))
        self._set("shape", positive_ints(self.shape, f"layer {self.name!r}: shape", 3))
        if not _is_name(self.name):
            raise ValueError(f"layer name: expected printable text without '/' other than {INPUT!r}, got {self.name!r}")
        if not self.connections:
            raise ValueError(f"layer {self.name!r}: expected at least one connection, got none")
        for connection in self.connections:
            _check_type(connection, Connection, f"layer {self.name!r}: connection")
        _check_type(self.neuron, Neuron, f"layer {self.name!r}: neuron")
        if self.bias is not None:
            self._check_bias()
        _named(self.name, self.neuron.check_population, self.shape[0])

    def __repr__(self) -> str:
        synapses = " + ".join(f"{c.synapse.kind}({', '.join(c.sources)})" for c in self.connections)
        return f"Layer({self.name!r}: {synapses} -> {self.neuron.kind} {shape_text(self.shape)})"

    def grid(self) -> Grid:
        """A row per connection."""
        rows = [(" + ".join(c.sources), repr(c.synapse), c.synapse.delay) for c in self.connections]
        return Grid(repr(self), ("reads", "synapse", "delay"), rows, [repr(self.neuron)])

    def _check_bias(self) -> None:
        if not self.neuron.has_bias:
            raise ValueError(f"layer {self.name!r}: a {self.neuron.kind} neuron has no bias")
        bias = int_array(self.bias, f"layer {self.name!r}: bias", (1, 3))
        if bias.shape not in (self.shape[:1], self.shape):
            raise ValueError(
                f"layer {self.name!r}: expected a bias of shape {self.shape[:1]} or {self.shape}, got {bias.shape}"
            )
        if self.shape[1:] == (1, 1):  # one form for one meaning
            bias = bias.reshape(self.shape[:1])
        self._set("bias", bias)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of all layers that this one reads, in order, each once."""
        return tuple(dict.fromkeys(name for c in self.connections for name in c.sources))

    @property
    def synapse(self) -> Synapse:
        """The synapse of a layer that has just one; ValueError otherwise."""
        if len(self.connections) != 1:
            raise ValueError(f"layer {self.name!r} has {len(self.connections)} synapses: read .connections")
        return self.connections[0].synapse

    @property
    def current_shape(self) -> Shape:
        """Shape of what its synapses send together: that of the population for neurons that take one current."""
        return self.shape[0] * self.neuron.currents, self.shape[1], self.shape[2]

    @property
    def size(self) -> int:
        """Number of neurons."""
        return prod(self.shape)

    @property
    def parameters(self) -> int:
        """Number of weights and biases: a bias that is the same all over a channel counts once."""
        weights = [getattr(connection.synapse, "weight", None) for connection in self.connections]
        count = sum(int(weight.size) for weight in weights if weight is not None and weight.ndim > 1)
        if self.bias is None:
            return count
        rows = self.bias.reshape(self.shape[0], -1)
        return count + int(rows.size if (rows != rows[:, :1]).any() else len(rows))


@dataclass(frozen=True, eq=False)
class NetGraph(Shown, Spec):
    """A network of integers: layers in topological order, the last one is the output.

    Args:
        input: the input's shape and scale.
        layers: each reads the input, earlier layers, or itself.
        timesteps: T, the number of steps that one sample is presented; states are zero at its start.
        labels: class names, or empty.

    Raises:
        ValueError: unknown source, duplicate name, wrong order, shapes that do not fit: names the layer and the value.

    Example:
        >>> import numpy as np
        >>> from lava_mlsnn.netx import Connection, Dense, Input, Layer, MultiLevel, NetGraph
        >>> dense = Connection("input", Dense(np.ones((4, 6))))
        >>> graph = NetGraph(Input((6, 1, 1)), (Layer("hidden", (dense,), (4, 1, 1), MultiLevel(4, 8)),), timesteps=2)
        >>> graph["hidden"].shape, graph.depth["hidden"]
        ((4, 1, 1), 1)
    """

    input: Input
    layers: tuple[Layer, ...]
    timesteps: int = 1
    labels: tuple[str, ...] = field(default=())

    def validate(self) -> None:
        self._set("layers", tuple(self.layers))
        self._set("labels", texts(self.labels, "labels"))
        self._set("timesteps", positive_ints(self.timesteps, "timesteps", 1)[0])
        if not all(label.isprintable() for label in self.labels):
            raise ValueError(f"labels: expected printable text, got {self.labels}")
        if not self.layers:
            raise ValueError("a network needs at least one layer, got none")
        _check_type(self.input, Input, "input")
        shapes: dict[str, Shape] = {INPUT: self.input.shape}
        spiking = {INPUT: True}
        for layer in self.layers:
            _check_type(layer, Layer, "layer")
            if layer.name in shapes:
                raise ValueError(f"layer {layer.name!r}: the name appears twice")
            self._check_connections(layer, shapes)
            _named(layer.name, layer.neuron.check_steps, self.timesteps)
            shapes[layer.name], spiking[layer.name] = layer.shape, layer.neuron.spiking
            for source in layer.inputs:
                if not spiking[source]:
                    raise ValueError(f"layer {layer.name!r} reads {source!r}, a readout that never spikes")
        if self.labels and len(self.labels) != self.layers[-1].shape[0]:
            raise ValueError(f"{len(self.labels)} labels for an output of shape {self.layers[-1].shape}")

    @staticmethod
    def _check_connections(layer: Layer, shapes: dict[str, Shape]) -> None:
        known = {**shapes, layer.name: layer.shape}
        if layer.inputs == (layer.name,):
            raise ValueError(f"layer {layer.name!r} reads only itself: expected a connection from an earlier layer")
        for connection in layer.connections:
            for source in connection.sources:
                if source not in known:
                    raise ValueError(
                        f"layer {layer.name!r} reads {source!r}: "
                        f"expected one of the layers before it, {', '.join(known)}"
                    )
            sources = {source: known[source] for source in connection.sources}
            if len(set(sources.values())) != 1:
                raise ValueError(f"layer {layer.name!r} sums sources of different shapes: {sources}")
            if isinstance(connection.synapse, Injection) and connection.sources != (INPUT,):
                raise ValueError(f"layer {layer.name!r}: an injection reads 'input' only, got {connection.sources}")
            if layer.name in connection.sources and len(connection.sources) > 1:
                raise ValueError(f"layer {layer.name!r}: a recurrent connection has itself as its only source")
            try:
                shape = connection.synapse.out_shape(next(iter(sources.values())))
            except ValueError as error:
                raise ValueError(f"layer {layer.name!r}: {error}") from None
            if shape != layer.current_shape:
                of = "" if layer.neuron.currents == 1 else f" of {layer.neuron.currents} currents each"
                raise ValueError(
                    f"layer {layer.name!r} has shape {layer.shape}{of}, its {connection.synapse.kind} from "
                    f"{', '.join(connection.sources)} gives {shape}"
                )

    def __repr__(self) -> str:
        shapes = f"{shape_text(self.input.shape)} -> {shape_text(self.output.shape)}"
        return f"NetGraph({shapes}, {len(self)} layers, T = {self.timesteps}, {self.parameters:,} parameters)"

    def grid(self) -> Grid:
        """A row per layer: what it reads through which synapses, its neurons, its place in time."""
        columns = ("layer", "reads", "synapses", "neuron", "shape", "neurons", "parameters", "depth")
        rows = [
            (
                layer.name,
                ", ".join(" + ".join(c.sources) for c in layer.connections),
                ", ".join(c.synapse.kind for c in layer.connections),
                layer.neuron.kind,
                shape_text(layer.shape),
                layer.size,
                layer.parameters,
                self.depth[layer.name],
            )
            for layer in self
        ]
        size, late = sum(layer.size for layer in self), f"Lava answers {self.latency} timesteps after an input"
        return Grid(repr(self), columns, rows, [f"{size:,} neurons; {late}"])

    def summary(self) -> str:
        """The network as a table of text, a row per layer; notebooks show one by themselves."""
        return self.grid().text()

    def to_frame(self) -> pd.DataFrame:
        """One row per layer: what it reads, synapses, neuron, shape, number of neurons and parameters, depth."""
        import pandas as pd

        grid = self.grid()
        return pd.DataFrame(list(grid.rows), columns=list(grid.columns)).set_index("layer")

    @property
    def parameters(self) -> int:
        """Number of weights and biases."""
        return sum(layer.parameters for layer in self)

    def __getitem__(self, name: str) -> Layer:
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise KeyError(f"no layer {name!r}: expected one of {', '.join(layer.name for layer in self.layers)}")

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    @property
    def output(self) -> Layer:
        """The last layer."""
        return self.layers[-1]

    def shape(self, name: str) -> Shape:
        """Shape (C, H, W) of a layer or of "input"."""
        return self.input.shape if name == INPUT else self[name].shape

    @cached_property
    def depth(self) -> dict[str, int]:
        """Timesteps between the input and each layer's response to it: the longest path, one step per synapse."""
        depth = {INPUT: 0}
        for layer in self.layers:
            depth[layer.name] = max(
                depth[source] + connection.synapse.delay
                for connection in layer.connections
                for source in connection.sources
                if source != layer.name
            )
        return depth

    def delay(self, layer: Layer, connection: Connection, source: str) -> int:
        """Extra timesteps for which ``source`` is held back so that it meets the longest path into ``layer``.

        A recurrent connection has none: its own step is the synapse's.
        """
        if source == layer.name:
            return 0
        return self.depth[layer.name] - connection.synapse.delay - self.depth[source]

    def age(self, layer: Layer, connection: Connection, source: str) -> int:
        """Timesteps between a spike of ``source`` and its current in ``layer``, a synapse's own delays not counted."""
        return connection.synapse.delay + self.delay(layer, connection, source)

    @property
    def latency(self) -> int:
        """Timesteps from an input to the last layer's response to it."""
        return self.depth[self.output.name]

    @property
    def is_classifier(self) -> bool:
        """Whether the last layer is a readout, whose voltage after T steps is the output."""
        return isinstance(self.output.neuron, Readout)


def require_graph(value: object) -> None:
    """ValueError for anything but a NetGraph, with how to come by one."""
    if not isinstance(value, NetGraph):
        raise ValueError(
            "graph: expected a NetGraph (netx.load reads one from a file, netx.quantize makes one of a trained "
            f"network), got {type(value).__name__}"
        )
