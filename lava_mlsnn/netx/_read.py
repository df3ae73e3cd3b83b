"""HDF5 to NetGraph: files of this library. Stock NetX files are read by ``_stock``."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from ._layout import FLATTEN, GATHER, OWN_NEURONS, READOUT_SCALE, SILENT, STOCK_LIF, STOCK_SDNN, SYNAPSE_TYPES
from ._node import Node
from .errors import NetFileError
from .graph import INPUT, Connection, Input, Layer, NetGraph
from .neuron import LIF, Delta, Neuron, Readout, Sigma, SigmaDelta
from .spec import IntArray, Shape, int_array
from .synapse import MAX_DELAY, Conv, DelayDense, Dense, Identity, Injection, Pool, Synapse

MAX_LAYERS = 100_000


def read_graph(root: Node) -> NetGraph:
    """The graph that a file of this library's format, version 1, describes.

    Raises:
        NetFileError: names the layer and the value.
    """
    timesteps = read_simulation(root, required=True)
    labels = root.texts("labels") if root.has("labels") else ()
    nodes = layer_nodes(root)
    root.done()
    source, block = _read_input(nodes[0])
    layers = [block] if block else []
    previous = block.name if block else INPUT
    shape, flattened = source.shape, False
    for node in nodes[1:]:
        kind = node.text("type")
        if kind == FLATTEN:
            check_flatten(node, shape, flattened)
            flattened = True
            continue
        if flattened and kind not in ("dense", "dense_rec"):
            raise node.error(f"a {kind} layer cannot follow 'flatten': expected dense or dense_rec")
        layer = _read_layer(node, kind, previous)
        layers.append(layer)
        previous, shape, flattened = layer.name, layer.shape, False
    if flattened:
        raise nodes[-1].error("'flatten' is the last layer: expected a dense layer after it")
    return build(root, NetGraph, source, tuple(layers), timesteps, labels)


def read_simulation(root: Node, required: bool = False) -> int:
    """Timesteps of one sample; 1 where a file may leave it open and does."""
    if not root.has("simulation") and not required:
        return 1
    node = root.node("simulation", f"{root.where}: simulation")
    node.ignore("Ts")  # duration of a step, in ms: only a scale of the time axis
    timesteps = node.integer("tSample", 1) if node.has("tSample") or required else 1
    node.done()
    return timesteps


def layer_nodes(root: Node) -> list[Node]:
    """The groups ``layer/0`` .. ``layer/n-1`` in order, none missing."""
    group = root.node("layer", f"{root.where}: layer")
    count = len(group.keys())
    if not 1 <= count <= MAX_LAYERS:
        raise group.error(f"expected 1 .. {MAX_LAYERS} layers, found {count}")
    nodes = []
    for index in range(count):
        if not group.has(str(index)):
            raise group.error(f"{count} layers, but {index!r} is missing among {sorted(group.keys())[:20]}")
        node = group.node(str(index), f"{root.where}: layer {index}")
        kind = node.text("type")
        name = f" {node.text('name')!r}" if node.has("name") else ""
        node.where += f" ({kind}{name})"
        nodes.append(node)
    return nodes


def read_shape(node: Node) -> Shape:
    """The key ``shape``: (C, H, W), or (N,) for (N, 1, 1)."""
    shape = node.integers("shape", (1, 3), 1)
    return (shape[0], 1, 1) if len(shape) == 1 else (shape[0], shape[1], shape[2])


def check_flatten(node: Node, shape: Shape, flattened: bool) -> None:
    """A ``flatten`` entry says nothing new: what it says must be true."""
    size = shape[0] * shape[1] * shape[2]
    declared = node.integers("shape", (1, 3), 1)
    product = 1
    for n in declared:
        product *= n
    if product != size:
        raise node.error(f"flattens to shape {declared}, its input {shape} has {size} values")
    if flattened:
        raise node.error("two 'flatten' in a row")
    node.done()


def build(node: Node, cls: Any, *args: Any, **kwargs: Any) -> Any:
    """``cls(...)`` whose ValueError names the layer."""
    try:
        return cls(*args, **kwargs)
    except NetFileError:
        raise
    except ValueError as error:
        raise node.error(str(error)) from None


def read_integers(node: Node, key: str) -> IntArray:
    """A dataset of whole numbers, as int32."""
    array: IntArray = build(node, int_array, node.array(key), key)
    return array


def _read_input(node: Node) -> tuple[Input, Layer | None]:
    kind = node.text("type")
    if kind != INPUT:
        raise node.error(f"the first layer must be of type {INPUT!r}, found {kind!r}")
    source: Input = build(
        node,
        Input,
        read_shape(node),
        scale=node.real("scale"),
        bits=node.integer("bits", 1, 24),
        signed=node.flag("signed"),
        gain=node.real("weight"),
        offset=node.real("bias"),
    )
    block = None
    if node.has("neuron"):
        neuron = _read_neuron(node.node("neuron"), source.shape[0], is_input=True)
        connection = Connection((INPUT,), Injection())
        block = build(node, Layer, node.text("name"), (connection,), source.shape, neuron)
    node.done()
    return source, block


def _read_layer(node: Node, kind: str, previous: str) -> Layer:
    name, shape = node.text("name"), read_shape(node)
    neuron = _read_neuron(node.node("neuron"), shape[0])
    bias = read_bias(node, shape)
    if kind == GATHER:
        connections = _read_connections(node.node("connections"))
    elif kind in ("conv", "dense", "pool", "dense_rec"):
        connections = [Connection((previous,), read_synapse(node, "dense" if kind == "dense_rec" else kind))]
        if kind == "dense_rec":
            recurrent = build(node, Dense, read_integers(node, "weight_rec"))
            connections.append(build(node, Connection, (name,), recurrent))
    else:
        raise node.error(f"unknown layer type {kind!r}: expected conv, dense, dense_rec, pool, flatten or {GATHER}")
    node.done()
    layer: Layer = build(node, Layer, name, tuple(connections), shape, neuron, bias)
    return layer


def read_bias(node: Node, shape: Shape) -> IntArray | None:
    """The key ``bias``: (C,), or one per neuron as (W, H, C), stock's order of axes."""
    if not node.has("bias"):
        return None
    bias = read_integers(node, "bias")
    if bias.ndim == 3:
        if bias.shape != shape[::-1]:
            raise node.error(f"'bias' of shape {bias.shape}: expected ({shape[0]},) or {shape[::-1]}")
        bias = bias.transpose(2, 1, 0)
    elif bias.shape != shape[:1]:
        raise node.error(f"'bias' of shape {bias.shape}: expected ({shape[0]},) or {shape[::-1]}")
    return bias


def _read_connections(group: Node) -> list[Connection]:
    count = len(group.keys())
    connections = []
    for index in range(count):
        node = group.node(str(index), f"{group.where} {index}")
        synapse = read_synapse(node, node.text("type"))
        connections.append(build(node, Connection, node.texts("sources"), synapse))
        node.done()
    group.done()
    return connections


def read_synapse(node: Node, kind: str) -> Synapse:
    """The synapse of a layer or connection, its redundant keys checked against the weights."""
    if kind == "conv":
        weight = read_integers(node, "weight")
        geometry = {key: _pair(node, key) for key in ("stride", "padding", "dilation")}
        conv: Conv = build(node, Conv, weight, groups=node.integer("groups", 1), **geometry)
        expect(node, "kernelSize", conv.weight.shape[2:])
        expect(node, "inChannels", conv.weight.shape[1] * conv.groups)
        expect(node, "outChannels", conv.weight.shape[0])
        return conv
    if kind == "pool":
        pool: Pool = build(node, Pool, _pair(node, "kernelSize"), _pair(node, "stride"))
        expect(node, "padding", (0, 0))
        expect(node, "dilation", (1, 1))
        return pool
    if kind == "dense":
        weight = read_integers(node, "weight")
        dense: Dense | DelayDense = build(node, Dense, weight)
        if node.has("delay"):
            dense = build(node, DelayDense, weight, read_delays(node, weight.shape))
        expect(node, "inFeatures", dense.weight.shape[1])
        expect(node, "outFeatures", dense.weight.shape[0])
        return dense
    if kind == "identity":
        identity: Identity = build(node, Identity, read_integers(node, "weight"))
        return identity
    if kind == "injection":
        return Injection()
    raise node.error(f"unknown synapse type {kind!r}: expected {', '.join(dict.fromkeys(SYNAPSE_TYPES.values()))}")


def read_delays(node: Node, shape: tuple[int, ...]) -> IntArray:
    """As stock reads ``delay``: one number, one per output (first choice) or per input, or a matrix."""
    delays = read_integers(node, "delay")
    if delays.size == 0 or delays.min() < 0 or delays.max() > MAX_DELAY:
        found = f"{delays.min()} .. {delays.max()}" if delays.size else "none"
        raise node.error(f"'delay': expected 0 .. {MAX_DELAY}, found {found}")
    if delays.ndim == 0:
        return delays.reshape(1, 1)
    if delays.ndim == 1 and delays.size in shape:
        return delays.reshape((-1, 1) if delays.size == shape[0] else (1, -1))
    if delays.shape != shape:
        raise node.error(f"'delay' of shape {delays.shape}: expected ({shape[0]},), ({shape[1]},) or {shape}")
    return delays


def _pair(node: Node, key: str) -> tuple[int, int]:
    rows, columns = node.integers(key, (2,))
    return rows, columns


def expect(node: Node, key: str, value: int | tuple[int, ...]) -> None:
    """A key that repeats what the weights say must repeat it right."""
    wanted = (value,) if isinstance(value, int) else tuple(value)
    found = node.integers(key, (len(wanted),))
    if found != wanted:
        raise node.error(f"{key!r} is {found}, the layer's other values say {wanted}")


def _read_neuron(node: Node, channels: int, is_input: bool = False) -> Neuron:
    kind = node.text("type")
    neuron: Neuron
    if kind in STOCK_LIF:
        neuron = read_stock_lif(node, channels)
        if node.has(READOUT_SCALE):
            if neuron != SILENT:
                raise node.error(f"{READOUT_SCALE!r} beside a neuron other than the silent one of a readout: {neuron}")
            neuron = build(node, Readout, node.real(READOUT_SCALE))
    elif kind == STOCK_SDNN:
        neuron = read_stock_sdnn(node, channels, is_input, spike_exp=6)
    elif kind in OWN_NEURONS:
        cls = OWN_NEURONS[kind]
        values = {field.name: _read_field(node, field.name, str(field.type)) for field in fields(cls)}
        neuron = build(node, cls, **values)
    else:
        known = (*STOCK_LIF, STOCK_SDNN, *OWN_NEURONS)
        raise node.error(f"unknown neuron type {kind!r}: expected {', '.join(known)}")
    node.done()
    return neuron


def _read_field(node: Node, key: str, kind: str) -> Any:
    if kind == "int":
        return node.integer(key)
    if kind == "float":
        return node.real(key)
    if kind == "str":
        return node.text(key)
    return read_integers(node, key)


def read_stock_lif(node: Node, channels: int) -> LIF:
    """Stock's CUBA and LOIHI: du = iDecay - 1, dv = vDecay, vth = vThMant."""
    du, dv = node.uniform("iDecay", 0, 4096, channels) - 1, node.uniform("vDecay", 0, 4096, channels)
    if node.has("gradedSpike") and node.flag("gradedSpike"):
        raise node.error("'gradedSpike' is set: stock NetX runs such a neuron with binary spikes")
    if node.has("refDelay") and node.uniform("refDelay", 0, 2**15, channels) != 1:
        raise node.error("'refDelay' is not 1: stock NetX ignores it")
    lif: LIF = build(node, LIF, vth=node.uniform("vThMant", 0, 2**24, channels), du=du, dv=dv)
    return lif


def read_stock_sdnn(node: Node, channels: int, is_input: bool, spike_exp: int) -> Neuron:
    """Stock's SDNN: Delta in an input block, Sigma where ``sigma_output`` stands, else SigmaDelta."""
    if node.has("activation"):
        activation = node.text("activation")
        if activation != "relu" and not is_input:
            raise node.error(f"activation {activation!r}: stock NetX computes 'relu' only")
    vth = node.uniform("vThMant", 0, 2**24, channels)
    if is_input:
        return build(node, Delta, vth, spike_exp)
    if node.has("sigma_output"):
        if not node.flag("sigma_output"):
            raise node.error("'sigma_output' is False: stock NetX takes the key for True whatever it holds")
        return Sigma()
    return build(node, SigmaDelta, vth, spike_exp)
