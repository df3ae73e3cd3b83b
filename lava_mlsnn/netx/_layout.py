"""Names and numbers of the file format, and the question which layers stock NetX computes as we do."""

from __future__ import annotations

import numpy as np

from ..graph.bounds import bounds
from ..graph.graph import INPUT, Connection, Layer, NetGraph
from ..graph.neurons import LIF, NEURONS, Neuron, Readout
from ..graph.synapses import SYNAPSES, DelayDense, Dense, Injection, Synapse
from ._stock_weights import WeightsLostError, stock_recurrent_weights, stock_weights

FORMAT = "lava-mlsnn"
VERSION = 1

FLATTEN = "flatten"
GATHER = "concat"
"""Type of a layer that lists its connections. Stock NetX refuses ``concat``; types it does not know it drops."""

OWN_NEURONS: dict[str, type[Neuron]] = {kind.upper(): neuron for kind, neuron in NEURONS.items()}
"""Neuron types that stock NetX does not know, and so refuses: LIF is ours, CUBA is stock's."""

SYNAPSE_TYPES: dict[str, type[Synapse]] = {kind: cls for kind, cls in SYNAPSES.items() if cls.file_type == kind}
"""Synapses by their names in the file."""

PLAIN_TYPES = ("conv", "dense", "pool")
"""Synapses of which stock NetX makes a layer."""

STOCK_LIF = ("CUBA", "LOIHI")
STOCK_SDNN = "SDNN"
STOCK_RF = "RF"
"""What the types of all resonators contain."""
STOCK_RESONATORS = ("RF_PHASE", "RF_IZHIKEVICH")

STOCK_BIAS = (-(2**15), 2**15 - 1)
"""What stock's LIF, which keeps a bias in 16 bits, does not wrap."""

SILENT = LIF(vth=2**17 - 1, du=4095, dv=4096)
"""Stock's stand-in for a readout at T = 1: never fires, and its v is 64 (a + b) after each step."""

READOUT_SCALE = "readoutScale"
"""Key beside a CUBA neuron's own that makes it a readout again; stock does not look at it."""


def is_input_block(layer: Layer) -> bool:
    """Whether a first layer is what stock calls an input block: the input put straight into neurons."""
    return len(layer.connections) == 1 and isinstance(layer.connections[0].synapse, Injection) and layer.bias is None


def layer_type(layer: Layer, previous: str) -> str:
    """The layer's ``type`` in the file: a stock name where the layer just reads the one before it."""
    first, *others = layer.connections
    if first.sources != (previous,):
        return GATHER
    if not others and first.synapse.file_type in PLAIN_TYPES:
        return first.synapse.file_type
    if isinstance(first.synapse, Dense) and len(others) == 1 and _is_recurrent(layer, others[0]):
        return "dense_rec"
    return GATHER


def _is_recurrent(layer: Layer, connection: Connection) -> bool:
    return connection.sources == (layer.name,) and isinstance(connection.synapse, Dense)


def is_stock(layer: Layer, kind: str) -> bool:
    """Whether stock NetX, reading this layer under stock names, computes what the graph says."""
    if kind not in (INPUT, "conv", "dense", "dense_rec"):
        return False
    return (
        kind in layer.neuron.stock_blocks
        and layer.neuron.stock_keys() is not None
        and _keeps_weights(layer, kind)
        and _keeps_bias(layer)
    )


def ends_in_stock_readout(graph: NetGraph, kind: str) -> bool:
    """Whether stock NetX can run the readout of ``graph``, written as a layer of type ``kind``, as SILENT neurons.

    At T = 1 a readout integrates nothing, and stock has a silent LIF for it as long as the current fits 17 bits.
    """
    last = graph.output
    if not isinstance(last.neuron, Readout) or graph.timesteps != 1 or kind != "dense":
        return False
    if last.neuron != Readout(last.neuron.scale) or not (_keeps_weights(last, kind) and _keeps_bias(last)):
        return False
    limits = bounds(graph)[last.name]
    return max(limits.current.magnitude.max(), limits.accumulators[0].magnitude.max()) <= SILENT.vth


def _keeps_bias(layer: Layer) -> bool:
    if layer.bias is None or not isinstance(layer.neuron, LIF | Readout):
        return True
    return bool(layer.bias.min() >= STOCK_BIAS[0] and layer.bias.max() <= STOCK_BIAS[1])


def _keeps_weights(layer: Layer, kind: str) -> bool:
    """Whether stock computes with the very weights of a dense layer, which it fits to 8 bits in its own way."""
    synapses = [connection.synapse for connection in layer.connections]
    weights = [synapse.weight.astype(np.int64) for synapse in synapses if isinstance(synapse, Dense | DelayDense)]
    try:
        if kind == "dense_rec":
            kept = [*stock_recurrent_weights(weights[0], weights[1])]
        else:
            weights = [part for weight in weights for part in np.split(weight, layer.neuron.currents)]
            kept = [stock_weights(weight) for weight in weights]
    except WeightsLostError:
        return False
    return all(np.array_equal(a, b) for a, b in zip(weights, kept, strict=True))
