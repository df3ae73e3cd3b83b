"""HDF5 to NetGraph: files that SLAYER wrote for stock NetX.

The graph computes what ``lava.lib.dl.netx.hdf5.Network`` computes with its fixed-point models; what that reader would
drop, misread or destroy is an error. Arrays in the file have torch's order of axes, as in the graph; what stock flips
and transposes on loading serves Lava's own order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..graph.fixed import wrap
from ..graph.graph import INPUT, Connection, Input, Layer, NetGraph
from ..graph.neurons import LIF, Neuron, Readout
from ..graph.synapses import DelayDense, Dense, Injection, Synapse
from ..helpers.check import Shape
from ._layout import FLATTEN, STOCK_BIAS, STOCK_LIF, STOCK_RESONATORS, STOCK_RF, STOCK_SDNN
from ._node import Node
from ._parts import (
    build,
    check_flatten,
    layer_nodes,
    read_bias,
    read_shape,
    read_simulation,
    read_stock_lif,
    read_stock_rf,
    read_stock_sdnn,
)
from ._stock_synapses import READERS

INPUT_BITS = 16
"""Width of the signed input of an input block: what stock sends between sigma-delta neurons; the file does not say."""

AVERAGE = "average"
MAX_AVERAGE = 2**26
"""Weights (outputs, neurons) that such a layer may take in memory."""

UNUSED = ("scaleRho", "tauRho", "theta")
"""Keys of a neuron that serve training, or repeat the threshold."""

NEVER = LIF(vth=1 << 17, du=-1, dv=4096)
"""What stock puts behind a dense layer without neuron: an integrator of the current with a threshold out of reach."""


@dataclass(frozen=True)
class Options:
    """What stock NetX takes as arguments rather than from the file; see :func:`lava_mlsnn.netx.load`."""

    spike_exp: int = 6
    input_shape: Shape | None = None
    input_message_bits: int = 0
    input_scale: float | None = None
    timesteps: int | None = None


@dataclass
class _Chain:
    """The layers so far, and what the next one reads."""

    options: Options
    source: Input | None
    layers: list[Layer]
    flattened: bool = False

    @property
    def previous(self) -> str:
        return self.layers[-1].name if self.layers else INPUT

    @property
    def shape(self) -> Shape | None:
        if self.layers:
            return self.layers[-1].shape
        return self.source.shape if self.source else None

    def add(self, layer: Layer) -> None:
        self.layers.append(layer)
        self.flattened = False


def read_stock(root: Node, options: Options) -> NetGraph:
    """The graph that a stock NetX file describes. Layers are called after type and number: ``conv1``, ``dense7``.

    Raises:
        NetFileError: names the layer and the value.

    Warns:
        StockWarning: what stock ignores or changes on loading, in strict reading an error.
        WeightWarning: weights that hardware cannot hold, or that stock clips on loading.
    """
    stored = read_simulation(root)
    nodes = layer_nodes(root)
    root.done("; a file of lava-mlsnn says so by the attribute 'format_version'")
    chain = _Chain(options, None, [])
    for index, node in enumerate(nodes):
        kind = node.text("type")
        if kind == INPUT:
            _input(chain, node, index)
        elif kind == FLATTEN:
            if chain.shape is not None:
                check_flatten(node, chain.shape, chain.flattened)
            node.ignore("shape")
            chain.flattened = True
        elif kind in READERS:
            chain.add(_layer(chain, node, kind, f"{kind}{index}"))
        elif kind == AVERAGE and index == len(nodes) - 1:
            chain.add(_average(chain, node, f"{kind}{index}"))
        elif kind == AVERAGE:
            raise node.error("an average of spikes in mid-network is no integer: expected it as the last layer")
        else:
            known = (INPUT, FLATTEN, *READERS, AVERAGE)
            raise node.error(
                f"layer type {kind!r}, on which stock NetX fails or which it skips: expected {', '.join(known)}"
            )
        node.done()
    if chain.flattened:
        raise nodes[-1].error("'flatten' is the last layer: expected a dense layer after it")
    if chain.source is None or not chain.layers:
        raise root.error("no layer with neurons")
    timesteps = options.timesteps or stored
    if timesteps is None:
        timesteps = 1
        _check_one_step(root, chain.layers)
    return build(root, NetGraph, chain.source, tuple(chain.layers), timesteps)


def _check_one_step(root: Node, layers: list[Layer]) -> None:
    """Spikes in one step only are rarely what a file means that does not say how many steps it runs."""
    if layers[-1].neuron.spiking and any(layer.neuron.leaky or layer.neuron.largest_spike == 1 for layer in layers):
        root.departs(
            "no 'simulation/tSample', so T = 1, in which leaky or binary neurons hardly spike: give the number of "
            "timesteps (netx.load(..., timesteps=T), on the command line --steps T)"
        )


def _raw_input(shape: Shape, options: Options) -> Input:
    """Input of a network without input block: spikes, or graded messages of so many bits."""
    bits = options.input_message_bits
    return Input(shape, scale=options.input_scale or 1.0, bits=bits or 1, signed=bits > 0)


def _input(chain: _Chain, node: Node, index: int) -> None:
    if index:
        raise node.error("an input layer must be the first one")
    shape, wanted = read_shape(node), chain.options.input_shape
    if wanted is not None and tuple(wanted) != shape:
        raise node.error(f"the file has input shape {shape}, input_shape asks for {tuple(wanted)}")
    if not node.has("neuron"):
        chain.source = build(node, _raw_input, shape, chain.options)
        return
    gain, offset = (_whole(node, key) if node.has(key) else value for key, value in (("weight", 64), ("bias", 0)))
    scale = chain.options.input_scale or 1 / 64
    chain.source = build(node, Input, shape, scale=scale, bits=INPUT_BITS, signed=True, gain=gain, offset=offset)
    neuron = _neuron(node, shape[0], chain.options, is_input=True)
    chain.layers.append(build(node, Layer, f"{INPUT}{index}", (Connection((INPUT,), Injection()),), shape, neuron))


def _layer(chain: _Chain, node: Node, kind: str, name: str) -> Layer:
    shape, is_dense = read_shape(node), kind in ("dense", "dense_rec")
    if is_dense:
        shape = shape[0] * shape[1] * shape[2], 1, 1
        if chain.layers and not chain.flattened and chain.layers[-1].shape[1:] != (1, 1):
            raise node.error(f"a dense layer reads {chain.layers[-1].shape} without 'flatten' before it")
    elif chain.flattened:
        raise node.error(f"a {kind} layer cannot follow 'flatten': expected a dense layer")
    synapses = READERS[kind](node, chain.shape, shape)
    if chain.source is None:
        chain.source = build(node, _raw_input, _first_shape(node, synapses[0], chain.options), chain.options)
    connections = tuple(
        Connection((source,), synapse) for source, synapse in zip((chain.previous, name), synapses, strict=False)
    )
    neuron = _neuron(node, shape[0], chain.options) if node.has("neuron") or not is_dense else NEVER
    _check_currents(node, neuron, synapses[0], shape)
    bias = None if neuron.currents > 1 else read_bias(node, shape, Node.cut)
    if bias is not None and isinstance(neuron, LIF) and (bias.min() < STOCK_BIAS[0] or bias.max() > STOCK_BIAS[1]):
        node.departs(f"'bias' {bias.min()} .. {bias.max()}: stock NetX keeps the bias of a LIF in 16 bits and wraps it")
        bias = wrap(bias, 16)
    return build(node, Layer, name, connections, shape, neuron, bias)


def _whole(node: Node, key: str) -> int:
    value = node.cut(key)
    if value.size != 1:
        raise node.error(f"{key!r}: expected one number, found shape {value.shape}")
    return int(value.flat[0])


def _check_currents(node: Node, neuron: Neuron, synapse: Synapse, shape: Shape) -> None:
    """Resonators, and only they, take a complex current, which stock makes of complex dense weights alone."""
    is_complex = node.has("weight") and not node.is_dataset("weight")
    if is_complex and neuron.currents == 1:
        raise node.error(
            "complex weights before neurons of one current, on which stock NetX fails: expected RF neurons"
        )
    if neuron.currents > 1 and not is_complex:
        raise node.error(
            "RF neurons without complex weights, on which stock NetX fails: expected a dense layer with 'weight/real' "
            "and 'weight/imag'"
        )


def _first_shape(node: Node, synapse: Synapse, options: Options) -> Shape:
    """What the first layer reads where the file has no input layer."""
    if options.input_shape is not None:
        return options.input_shape
    if isinstance(synapse, Dense | DelayDense):
        return synapse.weight.shape[1], 1, 1
    raise node.error(
        "the file has no input layer: give load(..., input_shape=(C, H, W)), on the command line --input-shape C,H,W"
    )


def _average(chain: _Chain, node: Node, name: str) -> Layer:
    """SLAYER's mean over groups of neurons, at the network's end: a readout that sums each group; its scale divides.

    Stock NetX stops at this type; a decimation in time is written under the same name, in groups of one.
    """
    channels, height, width = read_shape(node)
    outputs, size = channels * height * width, chain.layers[-1].size if chain.layers else 0
    if chain.flattened or size <= outputs or size % outputs:
        raise node.error(f"an average of {size} neurons into {outputs} groups: expected groups of two or more")
    if size * outputs > MAX_AVERAGE:
        raise node.error(f"an average of {size} neurons into {outputs} groups is too large")
    group = size // outputs
    synapse = Dense(np.repeat(np.eye(outputs, dtype=np.int32), group, axis=1))
    connection = Connection((chain.previous,), synapse)
    return build(node, Layer, name, (connection,), (outputs, 1, 1), Readout(scale=1 / group))


def _neuron(layer: Node, channels: int, options: Options, is_input: bool = False) -> Neuron:
    node = layer.node("neuron")
    kind = node.text("type")
    node.ignore(*UNUSED)
    for key, neutral in (("wgtExp", 0), ("weight_exp", 0)):
        if node.has(key) and node.integer(key) != neutral:
            node.departs(f"{key!r} is {node.integer(key)}: stock NetX ignores it and computes with other weights")
    neuron: Neuron
    if kind in STOCK_LIF:
        neuron = read_stock_lif(node, channels)
    elif kind == STOCK_SDNN:
        neuron = read_stock_sdnn(node, channels, is_input, options.spike_exp)
    elif STOCK_RF in kind and is_input:
        raise node.error(f"{kind} neurons of an input layer, on which stock NetX fails: expected CUBA or SDNN")
    elif STOCK_RF in kind:
        neuron = read_stock_rf(node, kind, channels)
    else:
        known = (*STOCK_LIF, STOCK_SDNN, *STOCK_RESONATORS)
        raise node.error(f"neuron type {kind!r}, on which stock NetX fails: expected {', '.join(known)}")
    node.done()
    return neuron
