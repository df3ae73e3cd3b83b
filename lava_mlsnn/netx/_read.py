"""HDF5 to NetGraph: files of this library. Stock NetX files are read by ``_stock``."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any

import numpy as np

from ..graph.graph import INPUT, Connection, Input, Layer, NetGraph
from ..graph.neurons import Neuron, Readout, Resonator
from ..graph.synapses import Dense, Injection, Synapse
from ._layout import (
    FLATTEN,
    GATHER,
    OWN_NEURONS,
    READOUT_SCALE,
    SILENT,
    STOCK_LIF,
    STOCK_RESONATORS,
    STOCK_SDNN,
    SYNAPSE_TYPES,
)
from ._node import Node
from ._parts import (
    build,
    check_flatten,
    layer_nodes,
    read_bias,
    read_shape,
    read_simulation,
    read_stock_lif,
    read_stock_sdnn,
)


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
        if kind == "dense" and node.has("weight") and not node.is_dataset("weight"):
            connections = [Connection((previous,), _read_complex(node))]
        else:
            connections = [Connection((previous,), read_synapse(node, "dense" if kind == "dense_rec" else kind))]
        if kind == "dense_rec":
            recurrent = build(node, Dense, node.whole("weight_rec"))
            connections.append(build(node, Connection, (name,), recurrent))
    else:
        raise node.error(f"unknown layer type {kind!r}: expected conv, dense, dense_rec, pool, flatten or {GATHER}")
    node.done()
    layer: Layer = build(node, Layer, name, tuple(connections), shape, neuron, bias)
    return layer


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
    if kind not in SYNAPSE_TYPES:
        raise node.error(f"unknown synapse type {kind!r}: expected {', '.join(SYNAPSE_TYPES)}")
    synapse: Synapse = build(node, SYNAPSE_TYPES[kind].from_keys, node)
    return synapse


def _read_complex(node: Node) -> Synapse:
    """Stock's complex weights: those of the first current above those of the second."""
    parts = node.node("weight")
    weights = parts.whole("real"), parts.whole("imag")
    parts.done()
    if weights[0].ndim != 2 or weights[0].shape != weights[1].shape:
        raise node.error(f"complex weights of shapes {weights[0].shape} and {weights[1].shape}: expected one, (O, I)")
    synapse: Synapse = build(node, Dense, np.concatenate(weights))
    return synapse


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
    elif kind in STOCK_RESONATORS:
        node.ignore("sinDecay", "cosDecay", "gradedSpike")  # for stock, whose floats make these of them
        decays = node.whole("sin_decay"), node.whole("cos_decay")
        neuron = build(node, Resonator, node.integer("vThMant"), *decays, kind == STOCK_RESONATORS[1])
    elif kind in OWN_NEURONS:
        cls = OWN_NEURONS[kind]
        there = [field for field in fields(cls) if field.default is MISSING or node.has(field.name)]
        values = {field.name: _read_field(node, field.name, str(field.type)) for field in there}
        neuron = build(node, cls, **values)
    else:
        known = (*STOCK_LIF, STOCK_SDNN, *STOCK_RESONATORS, *OWN_NEURONS)
        raise node.error(f"unknown neuron type {kind!r}: expected {', '.join(known)}")
    node.done()
    return neuron


def _read_field(node: Node, key: str, kind: str) -> Any:
    if kind == "int":
        return node.integer(key)
    if kind == "float":
        return node.real(key)
    if kind == "bool":
        return node.flag(key)
    if kind == "str":
        return node.text(key)
    return node.whole(key)
