"""Lava Process of a whole network, built from a NetGraph."""

from __future__ import annotations

from functools import cache
from os import PathLike, fspath
from typing import Any

import numpy as np
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.variable import Var
from numpy.typing import NDArray

from lava_mlsnn import netx
from lava_mlsnn.graph.graph import INPUT, Connection, Input, Layer, NetGraph
from lava_mlsnn.graph.neurons import LIF, Relay
from lava_mlsnn.graph.synapses import Dense
from lava_mlsnn.helpers.check import integer, positive_ints
from lava_mlsnn.lava_compat.guarded import Process
from lava_mlsnn.proc.network.build import Builder, FusedNeuron, NetworkLayer, is_encoder, transform
from lava_mlsnn.proc.network.table import table
from lava_mlsnn.proc.neurons.stock import check_bias
from lava_mlsnn.proc.observe import Observer
from lava_mlsnn.proc.ports import connect, port_shapes, to_port
from lava_mlsnn.proc.timing import Resets

AUTO = "auto"


class Network(Process):
    """A network as one Lava Process, from a NetGraph or a ``.net`` file, ours or stock NetX.

    It has two models, chosen here. ``fused=True`` runs the integer engine in a single Process: no synchronisation
    between layers, events instead of dense convolutions. ``fused=False`` makes one Process per synapse and population,
    stock ones where those compute the same integers: what a compiler for hardware sees. Latency, resets and spikes are
    the same.

    Ports are in Lava's order: an image of shape (C, H, W) is (W, H, C) at ``inp``, ``image.transpose(2, 1, 0)``; a flat
    input is (C,); so is the output of a dense layer.

    An input of step t is answered at ``out`` at step t + ``latency``; a readout's port carries its voltage.

    Args:
        net: the network, or the path of its file.
        fused: which model runs it.
        reset_interval: steps after which all states return to zero, layer by layer as a wave that follows the input;
            None for never. "auto" is the graph's timesteps T if it has neurons of ours, else None, as in stock NetX.
        reset_offset: phase of the resets: the layer of depth d resets at steps with
            ``step % reset_interval == (reset_offset + 1 + d) % reset_interval``.
        num_layers: take only the first layers.
        skip_layers: leave out so many of them; what they would send is then the input (:func:`~lava_mlsnn.graph.part`).
        spike_exp, input_shape, input_message_bits: for stock files only, as in stock NetX (``input_shape`` is
            (W, H, C)): binary places of sigma-delta messages, by default 6; the input of a file without an input layer,
            and the bits of its spikes, by default 0 for binary ones.
        name: of the Process.

    Attributes:
        graph: the network that runs.
        inp, out: ports.
        layers, in_layer, out_layer: of :class:`~lava_mlsnn.proc.NetworkLayer`.
        latency: timesteps from an input to the answer at ``out``.

    Raises:
        ValueError: an argument is not as described; the message names it.

    Example:
        >>> import numpy as np
        >>> from lava_mlsnn.netx import Connection, Dense, Input, Layer, MultiLevel
        >>> dense = Connection("input", Dense(np.ones((4, 6))))
        >>> net = Network(NetGraph(Input((6, 1, 1)), (Layer("hidden", (dense,), (4, 1, 1), MultiLevel(4, 8)),)))
        >>> net.inp.shape, net.out.shape, len(net), net.latency
        ((6,), (4,), 1, 1)
    """

    fused: bool

    def __new__(cls, *args: Any, fused: bool = True, **kwargs: Any) -> Network:
        """Make a Process of the type that has the wanted model, the only one that a run configuration then finds."""
        if cls is not Network:
            return object.__new__(cls)
        if not isinstance(fused, bool):
            raise ValueError(f"fused: expected True or False, got {fused!r}")
        return object.__new__(FusedNetwork if fused else HierarchicalNetwork)

    def __init__(
        self,
        net: NetGraph | str | PathLike[str],
        *,
        fused: bool = True,
        reset_interval: int | str | None = AUTO,
        reset_offset: int = 0,
        num_layers: int | None = None,
        skip_layers: int = 0,
        spike_exp: int | None = None,
        input_shape: tuple[int, ...] | None = None,
        input_message_bits: int | None = None,
        name: str | None = None,
    ) -> None:
        self.filename = None if isinstance(net, NetGraph) else fspath(net)
        stock = {"spike_exp": spike_exp, "input_shape": input_shape, "input_message_bits": input_message_bits}
        whole = _graph(net, {key: value for key, value in stock.items() if value is not None})
        self.graph = _chosen(whole, num_layers, skip_layers)
        resets = Resets(_reset_interval(self.graph, reset_interval), reset_offset)
        self.reset_interval, self.reset_offset = resets.interval, resets.offset
        self.observers: list[Observer] = []
        self.layers: list[NetworkLayer] = []
        super().__init__(graph=self.graph, observers=self.observers, name=name, **resets.arguments)
        self._ports()
        self.layers = self._layers()
        self.in_layer, self.out_layer = self.layers[0], self.layers[-1]

    def _ports(self) -> None:
        self.shapes = port_shapes(self.graph)
        self.inp = InPort(shape=self.shapes[INPUT])
        self.out = OutPort(shape=self.shapes[self.graph.output.name])

    def _layers(self) -> list[NetworkLayer]:
        raise NotImplementedError

    def encode(self, images: Any) -> NDArray[np.int32]:
        """Integers to feed for real images x: a stock encoder's weight * x + bias, truncated; else x / scale, rounded.

        **Shape:** any; the order of axes stays.
        """
        source, images = self.graph.input, np.asarray(images, np.float64)
        if (source.gain, source.offset) != (1.0, 0.0):
            return np.trunc(source.gain * images + source.offset).astype(np.int32)
        return np.rint(images / source.scale).astype(np.int32)

    @property
    def latency(self) -> int:
        """Timesteps from an input to the answer at ``out``."""
        return self.graph.latency

    def __len__(self) -> int:
        return len(self.graph)

    def __str__(self) -> str:
        return table(self.graph)


def has_input_bias(layer: Layer) -> bool:
    """Whether the bias of a layer is the same as an input: a LIF encoder whose current lasts for one step."""
    neuron = layer.neuron
    return is_encoder(layer) and isinstance(neuron, LIF) and bool(np.all(neuron.du == 4095)) and neuron.bias_exp == 6


class FusedNetwork(Network):
    """A network in one Process; made by ``Network(..., fused=True)``.

    It receives before it sends: a loop from ``out`` back to ``inp`` needs a Process in it that sends first, as synapses
    and :class:`~lava_mlsnn.proc.Delay` do.

    Vars: ``input_bias``, which shows the bias of a stock LIF encoder (in 16 bits, as there) and is zero otherwise; what
    is set there beyond is added to the input in every step.
    """

    fused = True

    def _ports(self) -> None:
        super()._ports()
        encoder, shape = self.graph.layers[0], self.shapes[INPUT]
        bias = encoder.bias if has_input_bias(encoder) else None
        if bias is not None and bias.ndim == 3:
            bias = to_port(bias, shape)
        own = np.broadcast_to(0 if bias is None else bias, shape).astype(np.int32)
        self.proc_params["own_bias"] = own
        self.proc_params["biased"] = encoder.name if has_input_bias(encoder) else None
        self.input_bias = Var(shape=shape, init=own)

    def prepare(self) -> None:
        """Make the engine where its memory and its compiled kernels are shared with the process that runs it."""
        if (name := self.proc_params["biased"]) is not None:
            check_bias(name, self.input_bias.init)
        if self.proc_params.get("stream") is None:
            self.proc_params["stream"] = _stream(self.graph, self.reset_interval, self.reset_offset)

    def _layers(self) -> list[NetworkLayer]:
        graph, members = self.graph, [dict[str, Any]() for _ in self.graph]
        encoder = graph.layers[0]
        if is_encoder(encoder):
            members[0]["a_in"] = self.inp
        if has_input_bias(encoder):
            members[0]["bias_mant"] = self.input_bias
        members[-1]["s_out"] = self.out
        layers = [
            NetworkLayer(layer, graph.depth[layer.name], self.shapes[layer.name], FusedNeuron(layer.name, **own))
            for layer, own in zip(graph, members, strict=True)
        ]
        layers[0].inp, layers[-1].out = self.inp, self.out
        layers[0]._transform = transform(graph) if is_encoder(encoder) else None
        return layers


class HierarchicalNetwork(Network):
    """A network of one Process per synapse and population; made by ``Network(..., fused=False)``."""

    fused = False

    def _layers(self) -> list[NetworkLayer]:
        layers = Builder(self.graph, self.inp, self.reset_interval, self.reset_offset).layers()
        connect(layers[-1].out, self.out)
        return layers

    def compiled(self) -> None:
        """ValueError if a run configuration chose models that compute with other numbers than integers."""
        for layer in self.layers:
            for process in (layer.neuron, *layer.synapses):
                model = getattr(process, "model_class", None)
                if model is not None and "floating_pt" in model.tags and "fixed_pt" not in model.tags:
                    self.layers = []  # Lava keeps this Process: compilations of others would find it again
                    raise ValueError(
                        f"layer {layer.name!r}: the run configuration chose {model.__name__}, which has "
                        'floats: expected run_cfg=proc.SimCfg() or Loihi2SimCfg(select_tag="fixed_pt")'
                    )


def _stream(graph: NetGraph, reset_interval: int | None, reset_offset: int) -> Any:
    """The engine that computes ``graph``, ready to be forked."""
    from lava_mlsnn.sim import Stream  # late: it loads numba

    _compile_kernels()
    return Stream(graph, reset_interval, reset_offset)


@cache
def _compile_kernels() -> None:
    """Compile the engine's kernels, or load them from their cache, in the process that later forks."""
    from lava_mlsnn.sim import Stream

    layer = Layer("relay", (Connection((INPUT,), Dense(np.ones((1, 1), np.int32))),), (1, 1, 1), Relay())
    Stream(NetGraph(Input((1, 1, 1)), (layer,))).step(np.zeros((1, 1, 1), np.int32))


def _graph(net: Any, stock: dict[str, Any]) -> NetGraph:
    if isinstance(net, NetGraph):
        if stock:
            raise ValueError(f"{', '.join(stock)}: only for stock files; a NetGraph has its own")
        return net
    if "input_shape" in stock:
        sizes = positive_ints(stock["input_shape"], "input_shape", len(stock["input_shape"]))
        stock["input_shape"] = (*sizes, 1, 1)[:3] if len(sizes) == 1 else sizes[::-1]
    return netx.load(net, **stock)


def _chosen(graph: NetGraph, num_layers: int | None, skip_layers: int) -> NetGraph:
    if num_layers is not None:
        positive_ints(num_layers, "num_layers", 1)
    integer(skip_layers, "skip_layers", 0, min(len(graph), num_layers or len(graph)) - 1)
    return netx.part(graph, skip_layers, num_layers)


def _reset_interval(graph: NetGraph, value: int | str | None) -> int | None:
    if isinstance(value, str):
        if value != AUTO:
            raise ValueError(f"reset_interval: expected a number of steps, None or {AUTO!r}, got {value!r}")
        return graph.timesteps if any(layer.neuron.gated for layer in graph) else None
    return value
