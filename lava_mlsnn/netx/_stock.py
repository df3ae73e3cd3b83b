"""HDF5 to NetGraph: files that SLAYER wrote for stock NetX.

The graph computes what ``lava.lib.dl.netx.hdf5.Network`` computes with its fixed-point models; what that reader would
drop, misread or destroy is an error. Arrays in the file have torch's order of axes, as in the graph; what stock flips
and transposes on loading serves Lava's own order.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from ._layout import FLATTEN, STOCK_BIAS, STOCK_LIF, STOCK_SDNN
from ._node import Node
from ._read import (
    build,
    check_flatten,
    expect,
    layer_nodes,
    read_bias,
    read_delays,
    read_integers,
    read_shape,
    read_simulation,
    read_stock_lif,
    read_stock_sdnn,
)
from ._stock_weights import WeightsLostError, stock_recurrent_weights, stock_weights
from .errors import WeightWarning
from .graph import INPUT, Connection, Input, Layer, NetGraph
from .neuron import LIF, Neuron, Readout
from .spec import IntArray, Shape
from .synapse import Conv, DelayDense, Dense, Injection, Pool, Synapse, fits_8_bits

INPUT_BITS = 16
"""Width of the signed input of an input block: what stock sends between sigma-delta neurons; the file does not say."""

AVERAGE = "average"
MAX_AVERAGE = 2**26
MAX_POOL_CHANNELS = 2**16
"""What such a layer may take in memory: weights (outputs, neurons), kernels."""

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
        WeightWarning: weights that hardware cannot hold, or that stock clips on loading.
    """
    timesteps = read_simulation(root)
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
        elif kind in _SYNAPSES:
            chain.add(_layer(chain, node, kind, f"{kind}{index}"))
        elif kind == AVERAGE and index == len(nodes) - 1:
            chain.add(_average(chain, node, f"{kind}{index}"))
        elif kind == AVERAGE:
            raise node.error("an average of spikes in mid-network is no integer: expected it as the last layer")
        else:
            known = (INPUT, FLATTEN, *_SYNAPSES, AVERAGE)
            raise node.error(f"layer type {kind!r} has no counterpart: expected {', '.join(known)}")
        node.done()
    if chain.flattened:
        raise nodes[-1].error("'flatten' is the last layer: expected a dense layer after it")
    if chain.source is None or not chain.layers:
        raise root.error("no layer with neurons")
    return build(root, NetGraph, chain.source, tuple(chain.layers), timesteps)


def _raw_input(shape: Shape, options: Options) -> Input:
    """Input of a network without input block: spikes, or graded messages of so many bits."""
    bits = options.input_message_bits
    return Input(shape, scale=1.0, bits=bits or 1, signed=bits > 0)


def _input(chain: _Chain, node: Node, index: int) -> None:
    if index:
        raise node.error("an input layer must be the first one")
    shape, wanted = read_shape(node), chain.options.input_shape
    if wanted is not None and tuple(wanted) != shape:
        raise node.error(f"the file has input shape {shape}, input_shape asks for {tuple(wanted)}")
    if not node.has("neuron"):
        chain.source = build(node, _raw_input, shape, chain.options)
        return
    gain = node.integer("weight") if node.has("weight") else 64
    offset = node.integer("bias") if node.has("bias") else 0
    chain.source = build(node, Input, shape, scale=1 / 64, bits=INPUT_BITS, signed=True, gain=gain, offset=offset)
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
    synapses = _SYNAPSES[kind](node, chain, shape)
    if chain.source is None:
        chain.source = build(node, _raw_input, _first_shape(node, synapses[0], chain.options), chain.options)
    connections = tuple(
        Connection((source,), synapse) for source, synapse in zip((chain.previous, name), synapses, strict=False)
    )
    neuron = _neuron(node, shape[0], chain.options) if node.has("neuron") or not is_dense else NEVER
    bias = read_bias(node, shape)
    if bias is not None and isinstance(neuron, LIF) and (bias.min() < STOCK_BIAS[0] or bias.max() > STOCK_BIAS[1]):
        raise node.error(
            f"'bias' {bias.min()} .. {bias.max()}: stock NetX keeps the bias of a LIF in 16 bits and wraps it"
        )
    return build(node, Layer, name, connections, shape, neuron, bias)


def _first_shape(node: Node, synapse: Synapse, options: Options) -> Shape:
    """What the first layer reads where the file has no input layer."""
    if options.input_shape is not None:
        return options.input_shape
    if isinstance(synapse, Dense | DelayDense):
        return synapse.weight.shape[1], 1, 1
    raise node.error("the file has no input layer: give load(..., input_shape=(C, H, W))")


def _conv(node: Node, chain: _Chain, shape: Shape) -> list[Synapse]:
    weight = _kernel(node)
    if node.has("delay"):
        raise node.error("'delay': stock NetX ignores the delays of a convolution, and the graph has none")
    conv: Conv = build(node, Conv, weight, **_geometry(node), groups=node.integer("groups", 1))
    for key, value in (
        ("kernelSize", conv.weight.shape[2:]),
        ("inChannels", conv.weight.shape[1] * conv.groups),
        ("outChannels", conv.weight.shape[0]),
    ):
        if node.has(key):
            expect(node, key, value)
    _warn_unfit(node, conv.weight)
    return [conv]


def _pool(node: Node, chain: _Chain, shape: Shape) -> list[Synapse]:
    """SLAYER's pool: one kernel (1, 1, Kh, Kw) for every channel. Odd sizes, which it pads, end in a shape error."""
    weight, geometry = _kernel(node), _geometry(node)
    if weight.shape[:2] != (1, 1) or node.has("delay"):
        raise node.error(f"a pool with weight {weight.shape}: expected (1, 1, Kh, Kw) and no delay")
    expect(node, "kernelSize", weight.shape[2:])
    plain = geometry["padding"] == (0, 0) and geometry["dilation"] == (1, 1)
    if plain and np.all(weight == 1):
        return [build(node, Pool, weight.shape[2:], geometry["stride"])]
    channels = chain.shape[0] if chain.shape else shape[0]
    if channels > MAX_POOL_CHANNELS:
        raise node.error(f"a pool over {channels} channels: expected at most {MAX_POOL_CHANNELS}")
    _warn_unfit(node, weight)
    return [build(node, Conv, np.repeat(weight, channels, axis=0), groups=channels, **geometry)]


def _kernel(node: Node) -> IntArray:
    """Weights (O, I, Kh, Kw), which SLAYER may have given a last axis of one step in time."""
    _refuse_complex(node)
    weight = read_integers(node, "weight")
    if weight.ndim == 5 and weight.shape[4] == 1:
        weight = weight[..., 0]
    if weight.ndim != 4 or 0 in weight.shape:
        raise node.error(f"'weight' of shape {weight.shape}: expected (O, I, Kh, Kw)")
    return weight


def _geometry(node: Node) -> dict[str, tuple[int, int]]:
    geometry = {}
    for key in ("stride", "padding", "dilation"):
        value = node.integers(key, (1, 2))
        geometry[key] = (value[0], value[-1])
    return geometry


def _dense(node: Node, chain: _Chain, shape: Shape) -> list[Synapse]:
    weight = _matrix(node, "weight", shape)
    try:
        computed = stock_weights(weight.astype(np.int64))
    except WeightsLostError as error:
        raise node.error(str(error)) from None
    _warn_changed(node, weight, computed)
    if node.has("delay"):
        delays = read_delays(node, weight.shape)
        return [build(node, DelayDense, computed, delays) if delays.any() else build(node, Dense, computed)]
    return [build(node, Dense, computed)]


def _dense_rec(node: Node, chain: _Chain, shape: Shape) -> list[Synapse]:
    forward, recurrent = _matrix(node, "weight", shape), _matrix(node, "weight_rec", shape)
    if node.has("delay"):
        raise node.error("'delay': stock NetX loses the exponent of recurrent weights with delays")
    try:
        computed = stock_recurrent_weights(forward.astype(np.int64), recurrent.astype(np.int64))
    except WeightsLostError as error:
        raise node.error(str(error)) from None
    for weight, result in zip((forward, recurrent), computed, strict=True):
        _warn_changed(node, weight, result)
    return [build(node, Dense, w) for w in computed]


def _matrix(node: Node, key: str, shape: Shape) -> IntArray:
    _refuse_complex(node)
    weight = read_integers(node, key)
    features = shape[0] * shape[1] * shape[2]
    if weight.ndim == 1 and weight.size % features == 0:
        weight = weight.reshape(features, -1)
    if weight.ndim != 2 or weight.shape[0] != features or weight.size == 0:
        raise node.error(f"{key!r} of shape {weight.shape}: expected ({features}, inputs)")
    if key == "weight":
        for name, value in (("inFeatures", weight.shape[1]), ("outFeatures", weight.shape[0])):
            if node.has(name):
                expect(node, name, value)
    return weight


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


_SYNAPSES = {"conv": _conv, "dense": _dense, "dense_rec": _dense_rec, "pool": _pool}


def _neuron(layer: Node, channels: int, options: Options, is_input: bool = False) -> Neuron:
    node = layer.node("neuron")
    kind = node.text("type")
    node.ignore(*UNUSED)
    for key, neutral in (("wgtExp", 0), ("weight_exp", 0)):
        if node.has(key) and node.integer(key) != neutral:
            raise node.error(f"{key!r} is {node.integer(key)}: stock NetX ignores it and computes with other weights")
    neuron: Neuron
    if kind in STOCK_LIF:
        neuron = read_stock_lif(node, channels)
    elif kind == STOCK_SDNN:
        neuron = read_stock_sdnn(node, channels, is_input, options.spike_exp)
    else:
        raise node.error(f"neuron type {kind!r} has no counterpart: expected {', '.join((*STOCK_LIF, STOCK_SDNN))}")
    node.done()
    return neuron


def _refuse_complex(node: Node) -> None:
    if node.has("weight") and not node.is_dataset("weight"):
        raise node.error("complex weights: expected a dataset 'weight'")


def _warn_unfit(node: Node, weight: IntArray) -> None:
    if not fits_8_bits(weight):
        low, high = weight.min(), weight.max()
        _warn(f"{node.where}: weights {low} .. {high} are not 8 signed bits times a power of two: simulation only")


def _warn_changed(node: Node, weight: IntArray, computed: np.ndarray) -> None:
    if np.array_equal(weight, computed):
        _warn_unfit(node, weight)
        return
    worst = np.unravel_index(int(np.abs(computed - weight).argmax()), weight.shape)
    _warn(
        f"{node.where}: stock NetX clips {int(np.count_nonzero(computed != weight))} weights, "
        f"{weight[worst]} to {computed[worst]}, and so does this graph"
    )


def _warn(message: str) -> None:
    warnings.warn(message, WeightWarning, stacklevel=2)
