"""NetGraph to HDF5, in the layout of ``docs/format.md``."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import h5py
import numpy as np

from ..graph.digest import digest
from ..graph.graph import INPUT, Layer, NetGraph
from ..graph.neurons import LIF, Neuron, Readout, Sigma
from ..graph.synapses import Conv, DelayDense, Dense, Identity, Pool, Synapse
from ..helpers.check import IntArray, Shape
from ._layout import (
    FLATTEN,
    FORMAT,
    GATHER,
    READOUT_SCALE,
    SILENT,
    SYNAPSE_TYPES,
    VERSION,
    ends_in_stock_readout,
    is_input_block,
    is_stock,
    layer_type,
)

_COMPRESS_FROM = 4096
"""Elements above which a dataset is compressed (losslessly): float32 weights of 8 bits shrink fourfold."""


def write_graph(root: h5py.Group, graph: NetGraph) -> None:
    """Write ``graph`` into the empty group ``root``."""
    root.attrs["format"] = np.bytes_(FORMAT)
    root.attrs["format_version"] = np.int64(VERSION)
    root.attrs["digest"] = np.bytes_(digest(graph))
    simulation = root.create_group("simulation")
    _put(simulation, "Ts", 1)
    _put(simulation, "tSample", graph.timesteps)
    if graph.labels:
        _put_texts(root, "labels", graph.labels)

    groups = root.create_group("layer")
    block, layers = (graph.layers[0], graph.layers[1:]) if is_input_block(graph.layers[0]) else (None, graph.layers)
    types = []
    previous = block.name if block else INPUT
    for layer in layers:
        types.append(layer_type(layer, previous))
        previous = layer.name

    all_stock = all(is_stock(layer, kind) for layer, kind in zip(layers[:-1], types[:-1], strict=True))
    silent = (
        all_stock
        and (block is None or is_stock(block, INPUT))
        and ends_in_stock_readout(graph, types[-1] if types else INPUT)
    )
    flat_input = block is not None and types[:1] in ([], ["dense"], ["dense_rec"]) and graph.input.shape[1:] == (1, 1)
    _write_input(groups.create_group("0"), graph, block, flat_input)
    previous = block.name if block else INPUT
    three_d = block is not None and not flat_input
    for layer, kind in zip(layers, types, strict=True):
        is_dense = kind in ("dense", "dense_rec")
        if is_dense and three_d:
            _write_flatten(groups.create_group(str(len(groups))), graph.shape(previous))
        group = groups.create_group(str(len(groups)))
        _write_layer(group, layer, kind, graph.shape(previous), silent and layer is graph.output)
        previous, three_d = layer.name, not is_dense


def _write_input(group: h5py.Group, graph: NetGraph, block: Layer | None, flat: bool) -> None:
    source = graph.input
    _put_text(group, "type", INPUT)
    _put(group, "shape", np.array(source.shape[:1] if flat else source.shape, dtype=np.int64))
    _put(group, "weight", source.gain)
    _put(group, "bias", source.offset)
    _put(group, "scale", source.scale)
    _put(group, "bits", source.bits)
    _put(group, "signed", source.signed)
    if block is not None:
        _put_text(group, "name", block.name)
        _write_neuron(group.create_group("neuron"), block.neuron, is_stock(block, INPUT))


def _write_flatten(group: h5py.Group, shape: Shape) -> None:
    _put_text(group, "type", FLATTEN)
    _put(group, "shape", np.array([np.prod(shape), 1, 1], dtype=np.int64))


def _write_layer(group: h5py.Group, layer: Layer, kind: str, in_shape: Shape, silent: bool) -> None:
    _put_text(group, "type", kind)
    _put_text(group, "name", layer.name)
    is_dense = kind in ("dense", "dense_rec")
    _put(group, "shape", np.array(layer.shape[:1] if is_dense else layer.shape, dtype=np.int64))
    _write_neuron(group.create_group("neuron"), layer.neuron, silent or is_stock(layer, kind))
    if layer.bias is not None:
        bias = layer.bias.reshape(-1) if is_dense else layer.bias
        _put_array(group, "bias", bias.transpose(2, 1, 0) if bias.ndim == 3 else bias)  # stock's neurons are (W, H, C)
    if kind == GATHER:
        connections = group.create_group("connections")
        for index, connection in enumerate(layer.connections):
            entry = connections.create_group(str(index))
            _put_text(entry, "type", SYNAPSE_TYPES[type(connection.synapse)])
            _put_texts(entry, "sources", connection.sources)
            _write_synapse(entry, connection.synapse)
        return
    _write_synapse(group, layer.connections[0].synapse)
    if kind == "dense_rec":
        recurrent = layer.connections[1].synapse
        assert isinstance(recurrent, Dense)
        _put_array(group, "weight_rec", recurrent.weight)


def _write_synapse(group: h5py.Group, synapse: Synapse) -> None:
    if isinstance(synapse, Conv):
        out_channels, per_group, *kernel = synapse.weight.shape
        _put(group, "inChannels", per_group * synapse.groups)
        _put(group, "outChannels", out_channels)
        _write_window(group, synapse, (kernel[0], kernel[1]), synapse.padding, synapse.dilation)
        _put(group, "groups", synapse.groups)
    elif isinstance(synapse, Pool):
        _write_window(group, synapse, synapse.kernel, (0, 0), (1, 1))
    elif isinstance(synapse, Dense | DelayDense):
        _put(group, "inFeatures", synapse.weight.shape[1])
        _put(group, "outFeatures", synapse.weight.shape[0])
    if isinstance(synapse, Conv | Dense | DelayDense | Identity):
        _put_array(group, "weight", synapse.weight)
    if isinstance(synapse, DelayDense):
        _put_array(group, "delay", _stock_delays(synapse))


def _stock_delays(synapse: DelayDense) -> IntArray:
    """One delay per output, one per input, or a matrix; where the first two look alike, stock takes the first."""
    delays, (outputs, inputs) = synapse.delays, synapse.weight.shape
    if delays.shape == (outputs, 1):
        return delays[:, 0]
    if delays.shape == (1, inputs) and inputs != outputs:
        return delays[0]
    return np.broadcast_to(delays, (outputs, inputs))


def _write_window(
    group: h5py.Group,
    synapse: Conv | Pool,
    kernel: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
) -> None:
    """Geometry of a sliding window under stock's keys, each (rows, columns)."""
    for key, value in (
        ("kernelSize", kernel),
        ("stride", synapse.stride),
        ("padding", padding),
        ("dilation", dilation),
    ):
        _put(group, key, np.array(value, dtype=np.int64))


def _write_neuron(group: h5py.Group, neuron: Neuron, stock: bool) -> None:
    if not stock:
        _put_text(group, "type", neuron.kind.upper())
        for field in fields(neuron):
            value = getattr(neuron, field.name)
            if isinstance(value, np.ndarray):
                _put_array(group, field.name, value)
            elif isinstance(value, str):
                _put_text(group, field.name, value)
            else:
                _put(group, field.name, value)
    elif isinstance(neuron, Readout):
        _write_neuron(group, SILENT, True)
        _put(group, READOUT_SCALE, neuron.scale)
    elif isinstance(neuron, LIF):
        _put_text(group, "type", "CUBA")
        _put(group, "iDecay", neuron.du + 1)
        _put(group, "vDecay", neuron.dv)
        _put(group, "vThMant", neuron.vth)
        _put(group, "refDelay", 1)
        _put(group, "gradedSpike", False)
    else:
        _put_text(group, "type", "SDNN")
        _put_text(group, "activation", "relu")
        _put(group, "vThMant", getattr(neuron, "vth", 0))
        if isinstance(neuron, Sigma):
            _put(group, "sigma_output", True)


def _put(group: h5py.Group, key: str, value: Any) -> None:
    group.create_dataset(key, data=value)


def _put_text(group: h5py.Group, key: str, value: str) -> None:
    data = value.encode()
    group.create_dataset(key, (1,), f"S{max(len(data), 10)}", data=[data])


def _put_texts(group: h5py.Group, key: str, values: tuple[str, ...]) -> None:
    encoded = [value.encode() for value in values]
    group.create_dataset(key, data=np.array(encoded, dtype=f"S{max(1, *map(len, encoded))}"))


def _put_array(group: h5py.Group, key: str, value: IntArray) -> None:
    """Integers as stock stores them, in float32, where that is exact; else as int32."""
    as_float = value.astype(np.float32)
    data = as_float if np.array_equal(as_float.astype(np.int64), value) else value
    compression = {"compression": 4, "shuffle": True} if data.size >= _COMPRESS_FROM else {}
    group.create_dataset(key, data=data, **compression)
