"""Builds one Process per synapse, delay line and neuron population of a NetGraph and connects them."""

from __future__ import annotations

from typing import Any

from lava_mlsnn.graph.bounds import bounds
from lava_mlsnn.graph.graph import INPUT, Connection, Layer, NetGraph
from lava_mlsnn.graph.synapses import Injection
from lava_mlsnn.proc.io.process import Delay
from lava_mlsnn.proc.neurons.stock import neuron_process
from lava_mlsnn.proc.ports import PortShape, connect, port_shapes
from lava_mlsnn.proc.synapses.stock import Site, synapse_process
from lava_mlsnn.proc.timing import Resets


class NetworkLayer:
    """One layer of a :class:`~lava_mlsnn.proc.Network`.

    Attributes:
        spec: the layer of the NetGraph.
        depth: timesteps between an input and the layer's answer.
        shape: of its spikes, in the order of Lava's ports.
        neuron: its neurons' Process, with ports ``a_in`` and ``s_out``; in a fused network a :class:`FusedNeuron`.
        synapses: its synapses' Processes, None for an injection; empty in a fused network.
        inp, out: the ports that stock NetX blocks have; None where a fused network has none.
    """

    def __init__(self, spec: Layer, depth: int, shape: PortShape, neuron: Any, out: Any = None) -> None:
        self.spec, self.depth, self.shape = spec, depth, shape
        self.neuron, self.out = neuron, out
        self.synapses: list[Any] = []
        self.inp: Any = None
        self._transform: dict[str, float] | None = None

    @property
    def name(self) -> str:
        """The layer's name in the graph."""
        return self.spec.name

    @property
    def transform(self) -> dict[str, float] | None:
        """What a stock encoder expects: weight * x + bias for a pixel x (``Network.encode``). None in other layers."""
        return self._transform

    @property
    def synapse(self) -> Any:
        """The synapse of a layer that has just one; ValueError otherwise."""
        if len(self.synapses) != 1:
            raise ValueError(f"layer {self.name!r} has {len(self.synapses)} synapse processes: read .synapses")
        return self.synapses[0]


class FusedNeuron:
    """Stands for a layer's neurons in a fused network, where no Process holds them.

    The encoder's has ``a_in``, which is the network's ``inp``, and, if it is a LIF as stock NetX makes them, the Var
    ``bias_mant``; the last layer's has ``s_out``, which is the network's ``out``.
    """

    def __init__(self, layer: str, **members: Any) -> None:
        self._layer = layer
        self.__dict__.update(members)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"{name!r}: a fused network has no Process for the neurons of layer {self._layer!r}; "
            "fused=False has, and proc.Monitor records spikes in both"
        )


def transform(graph: NetGraph) -> dict[str, float]:
    """The input's transform under stock's names."""
    return {"weight": graph.input.gain, "bias": graph.input.offset}


def is_encoder(layer: Layer) -> bool:
    """Whether the input is put straight into the layer's neurons, as stock NetX's input blocks do."""
    return any(isinstance(connection.synapse, Injection) for connection in layer.connections)


class Builder:
    """Builds the Processes of a graph behind the port ``inp``."""

    def __init__(self, graph: NetGraph, inp: Any, reset_interval: int | None, reset_offset: int) -> None:
        self.graph = graph
        self.reset = (reset_interval, reset_offset)
        self.shapes = port_shapes(graph)
        self.bounds = bounds(graph)
        self.ports: dict[str, Any] = {INPUT: inp}
        self.delays: dict[tuple[str, int], Any] = {}

    def layers(self) -> list[NetworkLayer]:
        """All layers, connected."""
        return [self._layer(layer) for layer in self.graph]

    def _layer(self, layer: Layer) -> NetworkLayer:
        depth = self.graph.depth[layer.name]
        resets = Resets.of_layer(*self.reset, depth)
        neuron = neuron_process(layer, self.shapes[layer.name], resets, self.graph.timesteps)
        self.ports[layer.name] = neuron.s_out
        built = NetworkLayer(layer, depth, self.shapes[layer.name], neuron, out=neuron.s_out)
        if is_encoder(layer):
            built._transform = transform(self.graph)
        for index, connection in enumerate(layer.connections):
            target = self._synapse(layer, index, resets, built)
            for source in connection.sources:
                connect(self._source(layer, connection, source, resets), target)
        return built

    def _synapse(self, layer: Layer, index: int, resets: Resets, built: NetworkLayer) -> Any:
        """The port that receives a connection's spikes."""
        connection = layer.connections[index]
        if isinstance(connection.synapse, Injection):
            target = built.neuron.a_in
            built.synapses.append(None)
        else:
            shape = self.graph.shape(connection.sources[0])
            largest = float(self.bounds[layer.name].accumulators[index].magnitude.max())
            site = Site(shape, resets, largest, f"{layer.name}.synapse{index}")
            synapse = synapse_process(connection.synapse, site)
            connect(synapse.a_out, built.neuron.a_in)
            built.synapses.append(synapse)
            target = synapse.s_in
        if built.inp is None:
            built.inp = target
        return target

    def _source(self, layer: Layer, connection: Connection, source: str, resets: Resets) -> Any:
        """The port that sends ``source``, late enough for this connection."""
        port, shape = self.ports[source], self.shapes[source]
        if source == layer.name:
            if resets.interval is None:
                return port
            gate = Delay(shape=shape, steps=0, name=f"{source}.gate", **resets.arguments)
            connect(port, gate.s_in)
            return gate.s_out
        steps = self.graph.delay(layer, connection, source)
        if not steps:
            return port
        if (source, steps) not in self.delays:
            delay = Delay(shape=shape, steps=steps, name=f"{source}.delay{steps}")
            connect(port, delay.s_in)
            self.delays[source, steps] = delay
        return self.delays[source, steps].s_out
