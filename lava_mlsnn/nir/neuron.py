"""Neuron nodes of NIR in discrete time: their parameters per step, and their equations in floats."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from ..helpers.check import Shape
from .dialects import Dialect
from .map import Floats

NEAR = 1e-6
"""Relative error of float32 parameters: what is as near to an integer or to one counts as it."""


@dataclass(frozen=True, eq=False)
class Point:
    r"""Point neurons stepped by dt, current first, as the libraries that write NIR do.

    .. math::
        i \leftarrow (1 - d_{syn})\,i + I, \quad v \leftarrow (1 - d_{mem})\,v + i + drive, \quad z = [v > \theta]

    and then a reset, to v_reset where z (``hard``) or by theta z. Voltages are relative to that at the start of a
    sample, and in units of the current: what one of these adds to NIR's voltage (for an IF R dt) divides them.

    Args:
        threshold: theta, float64 (C, H, W).
        membrane, synapse: d_mem and d_syn in 0 .. 1, float64 () or (C, H, W); d_syn = 1 is no filter.
        hard: the reset is to v_reset; soft resets subtract the threshold.
        strict: fires at v > theta, not at v >= theta.
        levels: most spikes in a step; None for as many as v holds thresholds.
        reset: "same", "next" or "owed", see :class:`~lava_mlsnn.graph.neurons.CubaLIF`.
        v_reset, drive, floor: float64 () or (C, H, W).
        leaks_input: the current leaks when its input is in: i <- (1 - d_syn) (i + I).
        stock: whether Lava's LIF is wanted where it comes near.
    """

    threshold: Floats
    membrane: Floats
    synapse: Floats
    hard: bool = True
    strict: bool = True
    levels: int | None = 1
    reset: str = "same"
    v_reset: Floats = field(default_factory=partial(np.zeros, ()))
    drive: Floats = field(default_factory=partial(np.zeros, ()))
    floor: Floats = field(default_factory=partial(np.full, (), -np.inf))
    leaks_input: bool = False
    stock: bool = False

    @property
    def plain(self) -> bool:
        """Whether nothing but leaks, a threshold and a reset to zero or by the threshold is there."""
        moved = np.any(self.v_reset) or np.any(self.drive) or np.any(np.isfinite(self.floor))
        return self.reset == "same" and not self.leaks_input and not bool(moved)

    @property
    def memoryless(self) -> bool:
        """Whether a step does not depend on those before it."""
        return self.plain and bool(np.all(self.membrane == 1) and np.all(self.synapse == 1))

    @property
    def leaky(self) -> bool:
        """Whether the state decays but does not vanish, which integers can only approximate."""
        return bool(np.any((self.membrane != 0) & (self.membrane != 1)) or np.any(self.synapse != 1))

    def fired(self, v: Floats) -> Floats:
        """z for v; what float64 keeps from being whole thresholds counts as that."""
        if self.levels == 1:
            near = np.abs(v - self.threshold) <= NEAR * 1e-3 * np.abs(self.threshold)
            return np.where(near, not self.strict, v > self.threshold).astype(np.float64)
        ratio = snap(v / self.threshold, NEAR * 1e-3)
        count = np.ceil(ratio) - 1 if self.strict else np.floor(ratio)
        return np.clip(count, 0, self.levels)

    def run(self, current: Floats, recurrent: Callable[[Floats], Floats] | None = None) -> Run:
        """Spikes and largest states for currents (T, N, C, H, W), from zero state.

        Args:
            current: of all synapses that do not come from the neurons themselves.
            recurrent: the current that spikes cause in the next step.
        """
        i = v = z = np.zeros(current.shape[1:])
        spikes = np.zeros(current.shape)
        most = np.zeros(2)
        for t, incoming in enumerate(current):
            if recurrent is not None:
                incoming = incoming + recurrent(z)
            i = (1 - self.synapse) * (i + incoming) if self.leaks_input else (1 - self.synapse) * i + incoming
            h = (1 - self.membrane) * v + i + self.drive
            if self.reset == "next":
                owed = self.fired(v)
                h = np.where(owed > 0, self.v_reset, h) if self.hard else h - owed * self.threshold
            z = self.fired(h - (v > self.threshold) * self.threshold if self.reset == "owed" else h)
            if self.reset == "next":
                v = h
            else:
                v = np.where(z > 0, self.v_reset, h) if self.hard else h - z * self.threshold
            v = np.maximum(v, self.floor)
            spikes[t] = z
            most = np.maximum(most, (np.abs(i).max(initial=0.0), np.abs(h).max(initial=0.0)))
        return Run(spikes, float(most[0]), float(most[1]))


@dataclass(frozen=True, eq=False)
class Run:
    """What neurons did: spikes (T, N, C, H, W), and the largest size of their currents and voltages."""

    spikes: Floats
    current: float
    voltage: float


def point(name: str, node: Any, shape: Shape, dialect: Dialect, steps: int, recurrent: bool = False) -> Point:
    """The neurons of an IF, LIF, CubaLIF or Threshold node.

    Raises:
        ValueError: a parameter that no neuron of a NetGraph has; names node and value.
    """
    kind = type(node).__name__

    def of(key: str, wide: bool = False) -> Floats:
        return spread(f"NIR node {name!r}: {key}", getattr(node, key), shape, wide)

    strict, hard = dialect.fires == ">", dialect.reset == "hard"
    if kind == "Threshold":
        return Point(of("threshold"), np.ones(shape), np.ones(shape), strict=strict)
    zero = np.zeros(shape)
    membrane, synapse, leak, keeps = zero, np.ones(shape), zero, False
    if kind == "IF":
        gain = dialect.integrator_gain(of("r"))
    else:
        membrane = decay(name, "tau" if kind == "LIF" else "tau_mem", node, shape, dialect)
        gain, leak = dialect.gain_of("gain", of("r", wide=True), membrane), of("v_leak")
        if kind == "CubaLIF":
            synapse = decay(name, "tau_syn", node, shape, dialect)
            keeps = dialect.synapse_gain == "keep" and not np.any(synapse == 1)
            if not keeps:
                gain = gain * dialect.gain_of("synapse_gain", of("w_in", wide=True), synapse)
    if not np.all(gain > 0):
        raise ValueError(f"NIR node {name!r}: expected a positive gain of the current, got {gain.min():g}")
    gain = np.where(np.abs(gain - 1) < NEAR, 1.0, gain)
    start = {"zero": zero, "leak": leak, "reset": of("v_reset")}[dialect.start]
    threshold = of("v_threshold")
    if not hard and steps > 1 and np.any(start):
        raise ValueError(
            f"NIR node {name!r}: neurons with a soft reset that begin at v = {start.flat[np.abs(start).argmax()]:g} "
            "have no integer counterpart: expected 0"
        )
    floor = np.full((), -np.inf) if dialect.min_v_mem is None else (dialect.min_v_mem - start) / gain
    if np.any(floor > 0):
        raise ValueError(f"NIR node {name!r}: min_v_mem = {dialect.min_v_mem:g} is above where v begins")
    return Point(
        threshold=(threshold - start) / gain,
        membrane=np.where(membrane < NEAR * 1e-3, 0.0, membrane),
        synapse=synapse,
        hard=hard,
        strict=strict,
        levels=dialect.max_spikes,
        reset=dialect.takes_effect(recurrent, kind == "CubaLIF"),
        v_reset=(of("v_reset") - start) / gain if hard else np.zeros(()),
        drive=membrane * (leak - start) / gain,
        floor=floor,
        leaks_input=keeps,
        stock=dialect.name == "nir",
    )


def filtered(found: Point, synapse: Floats, gain: Floats) -> Point:
    """The same neurons behind a leaky integrator, which filters their current."""
    if np.array_equal(gain, 1 - synapse):
        return replace(found, synapse=synapse, leaks_input=True)
    scale = 1 / gain
    scaled = {key: getattr(found, key) * scale for key in ("threshold", "v_reset", "drive", "floor")}
    return replace(found, synapse=synapse, **scaled)


def decay(name: str, key: str, node: Any, shape: Shape, dialect: Dialect) -> Floats:
    """The part that leaks per step, (C, H, W), for the time constants ``key`` of a node."""
    tau = spread(f"NIR node {name!r}: {key}", getattr(node, key), shape, wide=True)
    if not np.all(tau > 0):
        raise ValueError(f"NIR node {name!r}: {key} = {tau.min():g}, expected time constants > 0")
    found = dialect.decay(tau)
    found = np.where(np.abs(found - 1) < NEAR, 1.0, found)
    if found.max() > 1:
        unit = "" if dialect.tau_unit == 1 else f" x {dialect.tau_unit:g}"
        raise ValueError(
            f"NIR node {name!r}: {key} = {tau.min():g}{unit} s is shorter than a step, dt = {dialect.dt:g}: "
            "give another dt"
        )
    return found


def common(values: Floats) -> float | None:
    """The one value of an array; None if there are several."""
    value = float(values.flat[0])
    return value if np.abs(values - value).max() <= NEAR * max(abs(value), NEAR) else None


def spread(what: str, value: Any, shape: Shape, wide: bool = False) -> Floats:
    """A parameter given once, per channel or per neuron, as float64 (C, H, W); infinity is allowed if ``wide``.

    Example:
        >>> spread("r", np.array([1.0, 2.0]), (2, 1, 1)).ravel().tolist()
        [1.0, 2.0]
    """
    array = to_float(what, value, wide)
    if array.size == 1:
        return np.full(shape, array.reshape(()))
    if array.size == np.prod(shape):
        return array.reshape(shape)
    if array.size == shape[0]:
        return np.broadcast_to(array.reshape(-1, 1, 1), shape).copy()
    raise ValueError(f"{what} of shape {array.shape} does not fit neurons of shape {shape}")


def to_float(what: str, value: Any, wide: bool = False) -> Floats:
    """A float64 array without NaN and, unless ``wide``, infinity."""
    array = np.asarray(value)
    if array.dtype.kind not in "iufb" or np.isnan(array).any() or not (wide or np.all(np.isfinite(array))):
        raise ValueError(f"{what}: expected finite numbers, got {array.dtype} {array.ravel()[:3]}")
    return array.astype(np.float64)


def snap(values: Any, near: float = NEAR) -> Floats:
    """``values`` as an array, with those that rounding kept from being integers made so."""
    whole = np.rint(values)
    return np.where(np.abs(values - whole) <= near * np.maximum(np.abs(whole), 1), whole, values)


def uniform(found: Point) -> tuple[Point, Floats]:
    """The same neurons with one threshold, and the factor (C,) that their channels' currents need for it.

    Raises:
        ValueError: thresholds differ within a channel.
    """
    first = found.threshold[:, :1, :1]
    if np.any(np.abs(found.threshold - first) > NEAR * np.abs(first)):
        raise ValueError("thresholds differ within a channel: Lava's neurons have one per layer")
    reference = float(first.flat[0])
    if np.any(first != reference) and not np.all(first > 0):
        raise ValueError(f"thresholds {first.min():g} .. {first.max():g} differ and are not all > 0")
    factor = reference / first.reshape(-1) if reference else np.ones(len(first))
    factor = np.where(np.abs(factor - 1) < NEAR, 1.0, factor)
    return replace(found, threshold=np.full(found.threshold.shape, reference)), factor
