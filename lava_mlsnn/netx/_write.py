"""NetGraph to HDF5, in the layout of ``docs/format.md``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import h5py
import numpy as np

from ..graph.digest import digest
from ..graph.graph import INPUT, Layer, NetGraph
from ..graph.neurons import Neuron, Readout, Resonator
from ..graph.synapses import Dense, Synapse
from ..helpers.check import IntArray, Shape
from ._layout import (
    FLATTEN,
    FORMAT,
    GATHER,
    READOUT_SCALE,
    SILENT,
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
            _put_text(entry, "type", connection.synapse.file_type)
            _put_texts(entry, "sources", connection.sources)
            _write_synapse(entry, connection.synapse)
        return
    first = layer.connections[0].synapse
    if isinstance(layer.neuron, Resonator) and is_stock(layer, kind):
        assert isinstance(first, Dense)
        for key, weight in zip(("weight/real", "weight/imag"), np.split(first.weight, 2), strict=True):
            _put_array(group, key, weight)
        return
    _write_synapse(group, first)
    if kind == "dense_rec":
        recurrent = layer.connections[1].synapse
        assert isinstance(recurrent, Dense)
        _put_array(group, "weight_rec", recurrent.weight)


def _write_synapse(group: h5py.Group, synapse: Synapse) -> None:
    for key, value in synapse.to_keys().items():
        _put_value(group, key, value)


def _write_neuron(group: h5py.Group, neuron: Neuron, stock: bool) -> None:
    keys: Mapping[str, Any] | None
    if not stock:
        keys = {"type": neuron.kind.upper(), **{field.name: getattr(neuron, field.name) for field in fields(neuron)}}
    elif isinstance(neuron, Readout):
        keys = {**(SILENT.stock_keys() or {}), READOUT_SCALE: neuron.scale}
    else:
        keys = neuron.stock_keys()
    for key, value in (keys or {}).items():
        if stock and isinstance(value, np.ndarray):  # in which stock shifts bits: no floats
            _put(group, key, value.astype(np.int64))
        else:
            _put_value(group, key, value)


def _put_value(group: h5py.Group, key: str, value: Any) -> None:
    """One value in the form that its type has in the file; geometry is (rows, columns) in 64 bits."""
    if isinstance(value, np.ndarray):
        _put_array(group, key, value)
    elif isinstance(value, str):
        _put_text(group, key, value)
    elif isinstance(value, tuple):
        _put(group, key, np.array(value, dtype=np.int64))
    else:
        _put(group, key, value)


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
