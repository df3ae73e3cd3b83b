"""Synapses of stock NetX files, with the weights that stock computes with."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from ..graph.errors import WeightWarning
from ..graph.synapses import Conv, DelayDense, Dense, Pool, Synapse, fits_8_bits
from ..graph.synapses.delay_dense import MAX_DELAY, stock_delays
from ..helpers.check import IntArray, Shape, int_array
from ._node import Node
from ._parts import build
from ._stock_weights import WeightsLostError, stock_delayed_weights, stock_recurrent_weights, stock_weights

MAX_POOL_CHANNELS = 2**16
"""What a pool's kernel may be repeated for."""


def _conv(node: Node, in_shape: Shape | None, shape: Shape) -> list[Synapse]:
    weight = _kernel(node)
    if node.has("delay") and np.any(node.array("delay")):
        node.departs("'delay': stock NetX ignores the delays of a convolution, and the graph has none")
    conv: Conv = build(node, Conv, weight, **_geometry(node), groups=node.integer("groups", 1))
    for key, value in (
        ("kernelSize", conv.weight.shape[2:]),
        ("inChannels", (conv.weight.shape[1] * conv.groups,)),
        ("outChannels", conv.weight.shape[:1]),
    ):
        _repeated(node, key, *value)
    _warn_unfit(node, conv.weight)
    return [conv]


def _pool(node: Node, in_shape: Shape | None, shape: Shape) -> list[Synapse]:
    """SLAYER's pool: one kernel (1, 1, Kh, Kw) for every channel. Odd sizes, which it pads, end in a shape error."""
    weight, geometry = _kernel(node), _geometry(node)
    if weight.shape[:2] != (1, 1) or node.has("delay"):
        raise node.error(f"a pool with weight {weight.shape}: expected (1, 1, Kh, Kw) and no delay")
    _repeated(node, "kernelSize", *weight.shape[2:])
    plain = geometry["padding"] == (0, 0) and geometry["dilation"] == (1, 1)
    if plain and np.all(weight == 1):
        return [build(node, Pool, weight.shape[2:], geometry["stride"])]
    channels = (in_shape or shape)[0]
    if channels > MAX_POOL_CHANNELS:
        raise node.error(f"a pool over {channels} channels: expected at most {MAX_POOL_CHANNELS}")
    _warn_unfit(node, weight)
    return [build(node, Conv, np.repeat(weight, channels, axis=0), groups=channels, **geometry)]


def _kernel(node: Node) -> IntArray:
    """Weights (O, I, Kh, Kw), which SLAYER may have given a last axis of one step in time."""
    if node.has("weight") and not node.is_dataset("weight"):
        raise node.error("complex weights of a convolution, on which stock NetX fails: expected a dense layer")
    weight = node.cut("weight")
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


def _dense(node: Node, in_shape: Shape | None, shape: Shape) -> list[Synapse]:
    if node.has("weight") and not node.is_dataset("weight"):
        return [_complex(node, shape)]
    weight = _matrix(node, "weight", shape)
    computed = _computed(node, weight)
    if node.has("delay"):
        delays = build(node, stock_delays, _clipped(node, node.cut("delay")), weight.shape)
        return [_late(node, computed, delays)]
    return [build(node, Dense, computed)]


def _computed(node: Node, weight: IntArray) -> NDArray[np.int64]:
    try:
        computed = stock_weights(weight.astype(np.int64))
    except WeightsLostError as error:
        raise node.error(str(error)) from None
    _warn_changed(node, weight, computed)
    return computed


def _complex(node: Node, shape: Shape) -> Synapse:
    """Real and imaginary weights, which stock fits to 8 bits each on its own, one below the other."""
    parts = node.node("weight")
    weights = [_matrix(parts, key, shape) for key in ("real", "imag")]
    parts.done()
    if weights[0].shape != weights[1].shape:
        raise node.error(f"'weight/real' of shape {weights[0].shape}, 'weight/imag' of shape {weights[1].shape}")
    _check_features(node, weights[0])
    for key in ("bias", "delay", "weight_rec"):
        if node.has(key):
            node.departs(f"{key!r}: stock NetX ignores it beside complex weights, and the graph has none")
            node.ignore(key)
    return Dense(int_array(np.concatenate([_computed(node, weight) for weight in weights]), "weight"))


def _dense_rec(node: Node, in_shape: Shape | None, shape: Shape) -> list[Synapse]:
    if node.has("weight") and not node.is_dataset("weight"):
        return [_complex(node, shape)]
    forward, recurrent = _matrix(node, "weight", shape), _matrix(node, "weight_rec", shape)
    if recurrent.shape[1] != len(recurrent):
        raise node.error(f"'weight_rec' of shape {recurrent.shape}: expected {(len(recurrent), len(recurrent))}")
    wide = forward.astype(np.int64), recurrent.astype(np.int64)
    try:
        if node.has("delay"):
            return _late_rec(node, *wide)
        computed = stock_recurrent_weights(*wide)
    except WeightsLostError as error:
        raise node.error(str(error)) from None
    for weight, result in zip((forward, recurrent), computed, strict=True):
        _warn_changed(node, weight, result)
    return [build(node, Dense, w) for w in computed]


def _late_rec(node: Node, forward: NDArray[np.int64], recurrent: NDArray[np.int64]) -> list[Synapse]:
    if forward.shape != recurrent.shape:
        raise node.error(
            f"'delay': stock NetX takes the delays of 'weight' for 'weight_rec', too, and fails if the shapes "
            f"{forward.shape} and {recurrent.shape} differ"
        )
    delays = build(node, stock_delays, _clipped(node, node.cut("delay")), forward.shape)
    *computed, shift = stock_delayed_weights(forward, recurrent)
    if shift:
        node.departs(f"'delay': stock NetX loses the exponent of recurrent weights: all are {1 << shift} times as big")
    return [_late(node, weight, delays) for weight in computed]


def _late(node: Node, weight: NDArray[np.int64], delays: IntArray) -> Synapse:
    synapse: Synapse = build(node, DelayDense, weight, delays) if delays.any() else build(node, Dense, weight)
    return synapse


def _matrix(node: Node, key: str, shape: Shape) -> IntArray:
    weight = node.cut(key)
    features = shape[0] * shape[1] * shape[2]
    if weight.ndim == 1 and weight.size % features == 0:
        weight = weight.reshape(features, -1)
    if weight.ndim != 2 or weight.shape[0] != features or weight.size == 0:
        raise node.error(f"{key!r} of shape {weight.shape}: expected ({features}, inputs)")
    if key == "weight":
        _check_features(node, weight)
    return weight


def _check_features(node: Node, weight: IntArray) -> None:
    for name, value in (("inFeatures", weight.shape[1]), ("outFeatures", weight.shape[0])):
        _repeated(node, name, value)


def _repeated(node: Node, key: str, *wanted: int) -> None:
    """A key that repeats what the weights say; stock does not look at it."""
    if node.has(key) and (found := node.integers(key, tuple(range(1, len(wanted) + 1)))) != wanted:
        node.departs(f"{key!r} is {found}, the weight says {wanted}, and stock NetX takes the weight's")


def _clipped(node: Node, delays: IntArray) -> IntArray:
    if delays.size and delays.min() >= 0 and delays.max() > MAX_DELAY:
        late = int((delays > MAX_DELAY).sum())
        node.departs(f"'delay': {late} above {MAX_DELAY}, up to {delays.max()}: stock NetX clips them to {MAX_DELAY}")
        return int_array(np.minimum(delays, MAX_DELAY), "delay")
    return delays


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


READERS = {"conv": _conv, "dense": _dense, "dense_rec": _dense_rec, "pool": _pool}
"""Layer type: reads the synapses from (group, shape read or None, shape of the layer)."""
