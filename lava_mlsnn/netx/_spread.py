"""Biases of stock LIF layers in the 13 bits of the chip: what is too much comes from neurons that always spike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..graph.graph import Connection, Layer
from ..graph.hardware import WEIGHT_LIMITS
from ..graph.neurons import LIF
from ..graph.neurons.lif import BIAS_LIMITS as LIF_BIAS_LIMITS
from ..graph.synapses import Conv, Dense, weight_exponent
from ..helpers.check import Shape


def spread_biases(chain: Sequence[Layer], max_current: int) -> tuple[Layer, ...]:
    r"""A chain of stock LIF layers with the same spikes, its biases in 13 bits where that is possible.

    .. math:: b = b' + \sum_j w_j z_j, \quad z_j = 1

    The layer before gets channels j, behind all others, that spike in every step; their weights :math:`w_j` carry what
    13 bits cannot. Left as they are: the first layer, since the input has no spikes to spare; a layer behind one whose
    threshold is so high that no bias makes a neuron spike; currents beyond ``max_current``; a convolution of which some
    output sees the constant channels through its padding only.
    """
    layers = list(chain)
    for i in range(1, len(layers)):
        before, layer = layers[i - 1], layers[i]
        source, synapse = before.synapse, layer.synapse
        if layer.bias is None or not isinstance(layer.neuron, LIF) or not isinstance(before.neuron, LIF):
            continue
        if not isinstance(source, Conv | Dense) or not isinstance(synapse, Conv | Dense):
            continue
        weights = _weights(synapse, layer.bias.astype(np.int64))
        magnitude = np.abs(synapse.weight.astype(np.int64)).reshape(len(synapse.weight), -1).sum(axis=1)
        if (
            len(weights)
            and isinstance(vth := before.neuron.vth, int)
            and before.neuron.uniform
            and vth < LIF_BIAS_LIMITS[1]
            and (magnitude + np.abs(weights).sum(axis=0)).max() <= max_current
            and _sees_every_site(synapse, before.shape, layer.shape)
        ):
            layers[i - 1] = _with_constants(before, source, vth, len(weights))
            wide = _with_inputs(synapse, weights, before.shape[1] * before.shape[2])
            layers[i] = replace(
                layer, connections=(Connection(layer.inputs, wide),), bias=layer.bias - weights.sum(axis=0)
            )
    return tuple(layers)


def _weights(synapse: Conv | Dense, bias: NDArray[np.int64]) -> NDArray[np.int64]:
    """(constant channels, C) for as few channels as do: 8 bits times the power of two that all weights share."""
    unit = 1 << weight_exponent(synapse.weight)
    excess = bias - np.clip(bias, *LIF_BIAS_LIMITS)
    rest = np.sign(excess) * -(-np.abs(excess) // unit)
    rows = []
    while rest.any():
        rows.append(np.clip(rest, *WEIGHT_LIMITS))
        rest = rest - rows[-1]
    return unit * np.array(rows, np.int64).reshape(len(rows), len(bias))


def _sees_every_site(synapse: Conv | Dense, before: Shape, after: Shape) -> bool:
    """Whether one tap of the kernel, the one at its padding, lies within the map for every output."""
    return isinstance(synapse, Dense) or all(
        synapse.padding[axis] < synapse.weight.shape[2 + axis]
        and (after[1 + axis] - 1) * synapse.stride[axis] < before[1 + axis]
        for axis in (0, 1)
    )


def _with_constants(layer: Layer, synapse: Conv | Dense, vth: int, count: int) -> Layer:
    """The layer and ``count`` more channels that read nothing and spike by their bias."""
    wide = np.concatenate([synapse.weight, np.zeros((count, *synapse.weight.shape[1:]), np.int32)])
    bias = np.zeros(layer.shape[0], np.int32) if layer.bias is None else layer.bias
    return replace(
        layer,
        connections=(Connection(layer.inputs, replace(synapse, weight=wide)),),
        shape=(layer.shape[0] + count, *layer.shape[1:]),
        bias=np.concatenate([bias, np.full(count, vth + 1)]),
    )


def _with_inputs(synapse: Conv | Dense, weights: NDArray[np.int64], sites: int) -> Conv | Dense:
    """The synapse reading the constant channels, too, each at one site."""
    count, channels = weights.shape
    if isinstance(synapse, Dense):
        more = np.zeros((channels, count, sites), np.int64)
        more[:, :, 0] = weights.T
        return Dense(np.concatenate([synapse.weight, more.reshape(channels, -1)], axis=1))
    more = np.zeros((channels, count, *synapse.weight.shape[2:]), np.int64)
    more[:, :, synapse.padding[0], synapse.padding[1]] = weights.T
    return replace(synapse, weight=np.concatenate([synapse.weight, more], axis=1))
