"""Names and numbers of the file format, and the question which layers stock NetX computes as we do."""

from __future__ import annotations

from .graph import INPUT, Connection, Layer
from .neuron import LIF, NEURONS, Delta, Neuron, Sigma, SigmaDelta
from .synapse import Conv, Dense, Injection, Pool

FORMAT = "lava-mlsnn"
VERSION = 1

FLATTEN = "flatten"
GATHER = "concat"
"""Type of a layer that lists its connections. Stock NetX refuses ``concat``; types it does not know it drops."""

OWN_NEURONS: dict[str, type[Neuron]] = {kind.upper(): neuron for kind, neuron in NEURONS.items()}
"""Neuron types that stock NetX does not know, and so refuses: LIF is ours, CUBA is stock's."""

STOCK_LIF = ("CUBA", "LOIHI")
STOCK_SDNN = "SDNN"


def is_input_block(layer: Layer) -> bool:
    """Whether a first layer is what stock calls an input block: the input put straight into neurons."""
    return len(layer.connections) == 1 and isinstance(layer.connections[0].synapse, Injection) and layer.bias is None


def layer_type(layer: Layer, previous: str) -> str:
    """The layer's ``type`` in the file: a stock name where the layer just reads the one before it."""
    first, *others = layer.connections
    if first.sources != (previous,):
        return GATHER
    if not others and isinstance(first.synapse, (Conv, Dense, Pool)):
        return first.synapse.kind
    if isinstance(first.synapse, Dense) and len(others) == 1 and _is_recurrent(layer, others[0]):
        return "dense_rec"
    return GATHER


def _is_recurrent(layer: Layer, connection: Connection) -> bool:
    return connection.sources == (layer.name,) and isinstance(connection.synapse, Dense)


def is_stock(layer: Layer, kind: str) -> bool:
    """Whether stock NetX, reading this layer under stock names, computes what the graph says."""
    if kind not in ("input", "conv", "dense", "dense_rec"):
        return False
    return _is_stock_neuron(layer.neuron, kind)


def _is_stock_neuron(neuron: Neuron, kind: str) -> bool:
    """Stock fixes bias_exp, state_exp (6) and the model, and takes spike_exp from its caller (default 6)."""
    if isinstance(neuron, LIF):
        return neuron.bias_exp == 6
    if kind == "dense_rec":  # stock gives the recurrent synapse the message width of the forward one
        return False
    if isinstance(neuron, Delta if kind == INPUT else SigmaDelta):
        return (neuron.spike_exp, neuron.state_exp, neuron.model) == (6, 6, "released")
    return isinstance(neuron, Sigma) and kind != INPUT
