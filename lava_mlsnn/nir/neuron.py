"""Neuron nodes of NIR in discrete time: their parameters per step, and their equations in floats."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..helpers.check import Shape
from .map import Floats

NEAR = 1e-6
"""Relative error of float32 parameters: what is as near to an integer or to one counts as it."""


@dataclass(frozen=True, eq=False)
class Point:
    r"""Point neurons stepped by dt, current first, as snnTorch, SpikingJelly and Lava do.

    .. math::
        i \leftarrow (1 - d_{syn})\,i + I, \quad v \leftarrow (1 - d_{mem})\,v + i, \quad z = [v > \theta], \quad
        v \leftarrow 0 \text{ where } z

    The membrane is counted in units of the current: what one of them adds to NIR's voltage (R dt / tau, for an IF
    R dt) divides the threshold instead.

    Args:
        threshold: theta, float64 (C, H, W).
        membrane, synapse: d_mem and d_syn in 0 .. 1; d_syn = 1 is no filter.
        hard: the reset is to zero; soft resets subtract the threshold.
    """

    threshold: Floats
    membrane: float
    synapse: float = 1.0
    hard: bool = True

    @property
    def memoryless(self) -> bool:
        """Whether a step does not depend on those before it."""
        return self.membrane == 1 and self.synapse == 1

    @property
    def leaky(self) -> bool:
        """Whether the state decays but does not vanish, which integers can only approximate."""
        return self.membrane not in (0, 1) or self.synapse != 1

    def run(self, current: Floats) -> Floats:
        """Spikes for currents (T, N, C, H, W), from zero state."""
        i = v = np.zeros(current.shape[1:])
        spikes = np.zeros(current.shape)
        for t, incoming in enumerate(current):
            i = (1 - self.synapse) * i + incoming
            v = (1 - self.membrane) * v + i
            spikes[t] = v > self.threshold
            v = np.where(spikes[t] > 0, 0.0 if self.hard else v - self.threshold, v)
        return spikes


def point(name: str, node: Any, shape: Shape, dt: float, steps: int, reset: str) -> Point:
    """The neurons of an IF, LIF, CubaLIF or Threshold node.

    Raises:
        ValueError: a parameter that no neuron of a NetGraph has; names node and value.
    """
    kind = type(node).__name__

    def field(key: str) -> Floats:
        return spread(f"NIR node {name!r}: {key}", getattr(node, key), shape)

    if kind == "Threshold":
        return Point(field("threshold"), 1.0)
    gain, membrane, synapse = field("r"), np.zeros(shape), np.ones(shape)
    if kind == "IF":
        gain = gain * dt
    else:
        _expect_zero(name, "v_leak", field("v_leak"))
        membrane = _decay(name, "tau" if kind == "LIF" else "tau_mem", node, field, dt)
        gain = gain * membrane
        if kind == "CubaLIF":
            synapse = _decay(name, "tau_syn", node, field, dt)
            gain = gain * synapse * field("w_in")
    if not np.all(gain > 0):
        raise ValueError(f"NIR node {name!r}: expected a positive gain of the current, got {gain.min():g}")
    if steps > 1 and reset == "hard":
        _expect_zero(name, "v_reset", field("v_reset"))
    found = Point(
        field("v_threshold") / gain, _common(name, "tau", membrane), _common(name, "tau_syn", synapse), reset == "hard"
    )
    if reset == "soft" and steps > 1 and found.leaky:
        raise ValueError(
            f"NIR node {name!r}: a leaky neuron with soft reset has no integer counterpart, expected an IF"
        )
    return found


def _decay(name: str, key: str, node: Any, field: Any, dt: float) -> Floats:
    tau = field(key)
    if not np.all(tau > 0):
        raise ValueError(f"NIR node {name!r}: {key} = {tau.min():g}, expected time constants > 0")
    decay: Floats = dt / tau
    decay = np.where(np.abs(decay - 1) < NEAR, 1.0, decay)
    if decay.max() > 1:
        raise ValueError(
            f"NIR node {name!r}: {key} = {tau.min():g} s is shorter than a step, dt = {dt:g}: give another dt"
        )
    return decay


def _common(name: str, what: str, values: Floats) -> float:
    value = float(values.flat[0])
    if np.abs(values - value).max() > NEAR * max(value, NEAR):
        raise ValueError(
            f"NIR node {name!r}: {what} differs between neurons (decays {values.min():g} .. {values.max():g}): "
            "Lava's neurons have one per layer"
        )
    return value


def _expect_zero(name: str, key: str, values: Floats) -> None:
    if np.any(values != 0):
        raise ValueError(f"NIR node {name!r}: {key} = {values.flat[np.abs(values).argmax()]:g}, expected 0")


def spread(what: str, value: Any, shape: Shape) -> Floats:
    """A parameter given once, per channel or per neuron, as float64 (C, H, W).

    Example:
        >>> spread("r", np.array([1.0, 2.0]), (2, 1, 1)).ravel().tolist()
        [1.0, 2.0]
    """
    array = to_float(what, value)
    if array.size == 1:
        return np.full(shape, array.reshape(()))
    if array.size == np.prod(shape):
        return array.reshape(shape)
    if array.size == shape[0]:
        return np.broadcast_to(array.reshape(-1, 1, 1), shape).copy()
    raise ValueError(f"{what} of shape {array.shape} does not fit neurons of shape {shape}")


def to_float(what: str, value: Any) -> Floats:
    """A finite float64 array."""
    array = np.asarray(value)
    if array.dtype.kind not in "iufb" or not np.all(np.isfinite(array)):
        raise ValueError(f"{what}: expected finite numbers, got {array.dtype} {array.ravel()[:3]}")
    return array.astype(np.float64)


def snap(values: Any) -> Floats:
    """``values`` as an array, with those that float32 rounding kept from being integers made so."""
    whole = np.rint(values)
    return np.where(np.abs(values - whole) <= NEAR * np.maximum(np.abs(whole), 1), whole, values)


def uniform(point: Point) -> tuple[Point, Floats]:
    """The same neurons with one threshold, and the factor (C,) that their channels' currents need for it.

    Raises:
        ValueError: thresholds differ within a channel.
    """
    first = point.threshold[:, :1, :1]
    if np.any(np.abs(point.threshold - first) > NEAR * np.abs(first)):
        raise ValueError("thresholds differ within a channel: Lava's neurons have one per layer")
    reference = float(first.flat[0])
    if np.any(first != reference) and not np.all(first > 0):
        raise ValueError(f"thresholds {first.min():g} .. {first.max():g} differ and are not all > 0")
    factor = reference / first.reshape(-1) if reference else np.ones(len(first))
    factor = np.where(np.abs(factor - 1) < NEAR, 1.0, factor)
    return replace(point, threshold=np.full(point.threshold.shape, reference)), factor
