"""What this room asks of a kind of neuron or synapse, in one place."""

from __future__ import annotations

from dataclasses import fields
from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lava_mlsnn.graph.neurons import Barrier, Delta, Neuron, Sigma, Stepwise
from lava_mlsnn.graph.synapses import Conv, DelayDense, Dense, Identity, Injection, Pool, Synapse
from lava_mlsnn.helpers.check import Shape
from lava_mlsnn.sim import reference


def parameters_of(spec: Neuron | Synapse) -> dict[str, Any]:
    """The parameters of a neuron or synapse by name."""
    return {field.name: getattr(spec, field.name) for field in fields(spec)}


def parameter_names(kind: type[Neuron]) -> tuple[str, ...]:
    """Names of the parameters of a kind of neuron."""
    return tuple(field.name for field in fields(kind))


def has_bias(neuron: Neuron) -> bool:
    """Whether the neuron adds a bias to its current."""
    return not isinstance(neuron, Barrier | Delta | Sigma | Stepwise)


def state_names(neuron: Neuron) -> tuple[str, ...]:
    """Names of the arrays that hold the neuron's state."""
    return tuple(reference.initial_state(neuron, ()))


def step(
    neuron: Neuron, state: dict[str, Any], current: Any, bias: Any, t: int
) -> tuple[NDArray[np.int32], dict[str, Any]]:
    """One step of a population whose channels come last: (spikes, state)."""
    return reference.step(neuron, state, current, bias, channel_axis=-1, t=t)


def ages(synapse: Synapse) -> tuple[int, ...]:
    """The different delays of a synapse beyond its own step, in timesteps; (0,) where it has none."""
    return tuple(np.unique(synapse.delays).tolist()) if isinstance(synapse, DelayDense) else (0,)


def without_delays(synapse: Synapse) -> list[tuple[int, Synapse]]:
    """Synapses without delays, each with the age of the spikes that it reads, whose currents add up to ``synapse``'s.

    Example:
        >>> parts = without_delays(DelayDense(np.array([[1, 10]]), np.array([[0, 2]])))
        >>> [(age, part.weight.tolist()) for age, part in parts]
        [(0, [[1, 0]]), (2, [[0, 10]])]
    """
    if not isinstance(synapse, DelayDense):
        return [(0, synapse)]
    return [(age, Dense(np.where(synapse.delays == age, synapse.weight, 0))) for age in ages(synapse)]


def current(parts: list[tuple[int, Synapse]], past: Any, out_shape: Shape, bits: int) -> NDArray[np.int32]:
    """The current that :func:`without_delays` gives for ``past``, spikes (C, H, W), the latest first."""
    total = np.zeros(out_shape, np.int64)
    for age, part in parts:
        if age < len(past):
            total += reference.accumulate(part, past[age])
    return reference.wrap(total, bits)


def current_bits(synapse: Synapse) -> int:
    """Bits that the current of a synapse wraps to."""
    return reference.current_bits(synapse)


@singledispatch
def fan_out(synapse: Synapse, in_shape: Shape) -> NDArray[np.int64]:
    """Synapses that leave each site of the input, int64 (C, H, W). Weights of zero count, what falls off a border not.

    Raises:
        ValueError: the kind of synapse is unknown.

    Example:
        >>> fan_out(Conv(np.ones((4, 1, 3, 3)), padding=1), (1, 3, 3))[0].tolist()
        [[16, 24, 16], [24, 36, 24], [16, 24, 16]]
    """
    raise ValueError(f"fan-out of a synapse of kind {synapse.kind!r}: not known")


@fan_out.register(Dense)
@fan_out.register(DelayDense)
def _dense(synapse: Dense | DelayDense, in_shape: Shape) -> NDArray[np.int64]:
    return np.full(in_shape, len(synapse.weight), np.int64)


@fan_out.register
def _conv(synapse: Conv, in_shape: Shape) -> NDArray[np.int64]:
    channels = len(synapse.weight) // synapse.groups
    kernel = (synapse.weight.shape[2], synapse.weight.shape[3])
    return channels * _windows(in_shape, kernel, synapse.stride, synapse.padding, synapse.dilation)


@fan_out.register
def _pool(synapse: Pool, in_shape: Shape) -> NDArray[np.int64]:
    return _windows(in_shape, synapse.kernel, synapse.stride, (0, 0), (1, 1))


@fan_out.register(Identity)
@fan_out.register(Injection)
def _one_to_one(synapse: Identity | Injection, in_shape: Shape) -> NDArray[np.int64]:
    return np.ones(in_shape, np.int64)


def _windows(
    in_shape: Shape,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
) -> NDArray[np.int64]:
    """Windows that hold each site: rows times columns."""
    axes = []
    for n, k, s, p, d in zip(in_shape[1:], kernel, stride, padding, dilation, strict=True):
        first = np.arange((n + 2 * p - d * (k - 1) - 1) // s + 1)[:, None] * s - p
        places = (first + d * np.arange(k)).ravel()
        axes.append(np.bincount(places[(places >= 0) & (places < n)], minlength=n))
    return np.broadcast_to(axes[0][:, None] * axes[1], in_shape).astype(np.int64)
