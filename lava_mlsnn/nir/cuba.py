"""Leaky neurons in integers: their scale, as fine as registers allow, and by how much they can be off."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..graph.graph import Layer
from ..graph.neurons import MAX_LEVELS, CubaLIF, Readout
from ..graph.neurons.cuba_lif import NO_FLOOR
from ..graph.neurons.leak import rounded_leak
from ..graph.ranges import geometric
from ..graph.spec import INT24_MAX
from ..helpers.check import IntArray
from .fit import Drive, Fit, Fitted, layer_of, too_large
from .map import Floats
from .neuron import Point, Run, snap

OFF = 1e-4
"""Distance of a membrane from the library's, in thresholds, beyond which registers of more than 24 bits are taken."""

WIDEST = 32
"""Bits of the engine's registers."""

MOST_GAIN = 2**20

MOST_PARTS = 2**11
"""Parts of an integer of current of which a threshold can be a whole number."""


def most_spikes(drive: Drive, point: Point, worst: float, run: Run) -> int:
    """N of neurons that reach ``worst`` thresholds at most.

    Raises:
        ValueError: on the calibration data, they send more than a message holds.
    """
    wanted = int(max(1, np.floor(min(worst, np.inf if point.levels is None else point.levels, MAX_LEVELS + 1))))
    if wanted > MAX_LEVELS and not any(term.late for term in drive.terms) and run.spikes.max(initial=0) > MAX_LEVELS:
        raise ValueError(
            f"NIR node {drive.name!r}: {run.spikes.max():.0f} spikes in one step on the calibration data: a message "
            f"holds {MAX_LEVELS}"
        )
    return min(wanted, MAX_LEVELS)


def cuba(fit: Fit, point: Point, steps: int, run: Run, registers: int | None) -> tuple[Layer, float]:
    """A layer of :class:`~lava_mlsnn.graph.neurons.CubaLIF`.

    Args:
        registers: bits that the worst case may need; None: 24 or, where membranes would be off by more than OFF, more,
            up to 32.

    Returns:
        The layer, and the largest distance, in thresholds, of a membrane from the library's as long as all spikes were
        the same; zero if the integers are exact.
    """
    fitted = _fitted(fit)
    neuron, off = None, np.inf
    for bits in range(24, WIDEST + 1) if registers is None else (registers,):
        most, reach = _resolution(fit, fitted, point, steps, bits)
        if most >= 1 and off > OFF:
            neuron, off = _neuron(fit, fitted, point, steps, run, most, reach)
    if neuron is None:
        raise too_large(fit.drive)
    return layer_of(fit.drive, fitted, neuron, np.rint(fit.bias(fitted) * neuron.gain)), off


def _neuron(
    fit: Fit, fitted: Fitted, point: Point, steps: int, run: Run, most: float, reach: float
) -> tuple[CubaLIF, float]:
    drive = fit.drive
    scale = of_channels(drive, "thresholds", point.threshold) * fitted.scale
    gain = _gain(fit, fitted, point, scale, most)
    theta, unit = scale * gain, fitted.scale * gain
    compares_only = point.hard and point.levels == 1
    whole = (np.floor(snap(theta)) + 1 if point.strict else np.ceil(snap(theta))) if compares_only else np.rint(theta)
    if whole.min() < 1:
        raise ValueError(f"NIR node {drive.name!r}: threshold {theta.min() / unit:g}: expected more than v begins with")
    du, du_bits = rounded_leak(of_channels(drive, "time constants", point.synapse))
    dv, dv_bits = rounded_leak(of_channels(drive, "time constants", point.membrane))
    neuron = CubaLIF(
        _ints(whole),
        du,
        dv,
        du_bits,
        dv_bits,
        gain,
        most_spikes(drive, point, reach * unit / whole.min() + 1, run),
        strict=point.strict and not compares_only,
        hard=point.hard,
        reset=point.reset,
        leaks_input=point.leaks_input,
        v_reset=_ints(of_channels(drive, "v_reset", point.v_reset) * unit),
        drive=_ints(of_channels(drive, "v_leak", point.drive) * unit),
        floor=_ints(np.maximum(of_channels(drive, "lower bounds", point.floor) * unit, NO_FLOOR)),
    )
    return neuron, _distance(neuron, point, unit, steps, run)


def leaky_readout(fit: Fit, leak: Floats, gain: float, steps: int, registers: int | None) -> Layer:
    """A layer whose scaled voltage is that of a leaky integrator."""
    fitted = _fitted(fit)
    still = Point(np.full(leak.shape, np.inf), leak, np.ones(()))
    most, _ = _resolution(fit, fitted, still, steps, registers or 24)
    if most < 1:
        raise too_large(fit.drive)
    shift = int(np.log2(most))
    dv, bits = rounded_leak(of_channels(fit.drive, "time constants", leak))
    neuron = Readout(gain * steps / (fitted.scale * 2.0**shift), dv, bits, shift)
    return layer_of(fit.drive, fitted, neuron, np.rint(fit.bias(fitted) * 2.0**shift))


def _resolution(fit: Fit, fitted: Fitted, point: Point, steps: int, bits: int) -> tuple[float, float]:
    """Most units of a register of ``bits`` per integer of current, and the largest voltage that can fire, as a real."""
    bias = np.abs(fit.drive.bias * np.reshape(fit.factor, (-1, 1, 1))).max(initial=0.0)
    current = (fitted.bound / fitted.scale + bias) * geometric(float(1 - point.synapse.min()), steps)
    theta = np.abs(point.threshold[np.isfinite(point.threshold)]).max(initial=0.0)
    extra = max(theta * (2 if point.reset == "owed" else 1), np.abs(point.v_reset).max())
    incoming = float(current + np.abs(point.drive).max())
    worst = incoming * geometric(float(1 - point.membrane.min()), steps) + extra
    all_spent = incoming + theta  # what is left of spikes without a limit is less than one threshold
    limited = (
        point.hard or point.reset != "same" or all_spent > (point.levels or np.inf) * np.abs(point.threshold).min()
    )
    most = (2 ** (bits - 1) - 1) / (worst * fitted.scale)
    return min(most, float(MOST_GAIN)), worst if limited else all_spent


def _gain(fit: Fit, fitted: Fitted, point: Point, threshold: Floats, most: float) -> int:
    """Units per integer of current.

    As few as make all numbers whole; where some leak, as many as there can be of those that make thresholds whole.
    """
    candidates = np.arange(1, min(int(most), MOST_PARTS) + 1)

    def whole(values: Floats) -> NDArray[np.bool_]:
        multiples = np.multiply.outer(candidates, np.unique(values[np.isfinite(values)]))
        found: NDArray[np.bool_] = (snap(multiples) == np.rint(multiples)).all(axis=1)
        return found

    fires = whole(threshold)
    if not point.leaky and point.membrane.max() < 1:
        others = [fit.bias(fitted), *(v * fitted.scale for v in (point.v_reset, point.drive, point.floor))]
        exact = np.logical_and.reduce([fires, *map(whole, others)])
        if exact.any():
            return int(candidates[exact.argmax()])
    first = int(candidates[fires.argmax()]) if fires.any() else 1
    return first << int(np.log2(most / first))


def _distance(neuron: CubaLIF, point: Point, unit: float, steps: int, run: Run) -> float:
    """See :func:`cuba`: what leaks and rounding add up to over the steps."""
    off, exact = [], True
    for mantissa, bits, leak, largest in (
        (neuron.du, neuron.du_bits, point.synapse, run.current),
        (neuron.dv, neuron.dv_bits, point.membrane, run.voltage),
    ):
        rounded = np.abs(mantissa / 2.0**bits - (leak[:, 0, 0] if leak.ndim else leak)).max()
        partial = np.any((leak != 0) & (leak != 1))
        exact &= rounded == 0 and (not partial or neuron.gain % 2 ** (bits * (steps - 1)) == 0)
        off.append((rounded * largest + partial / unit) * geometric(float(1 - leak.min()), steps))
    if not point.leaky and _is_whole(point.threshold * unit):
        return 0.0
    total = off[0] * geometric(float(1 - point.membrane.min()), steps) + off[1]
    return 0.0 if exact else float(total / np.abs(point.threshold).min())


def _is_whole(values: Floats) -> bool:
    exact = snap(values)
    return bool(np.array_equal(exact, np.rint(exact)))


def _fitted(fit: Fit) -> Fitted:
    for fitted in fit.candidates(exact=True):
        if fitted.bound <= INT24_MAX:
            return fitted
    raise too_large(fit.drive)


def of_channels(drive: Drive, what: str, values: Floats) -> Floats:
    """Values () or (C, H, W) as () or (C,)."""
    if values.ndim == 0:
        return values
    first = values[:, :1, :1]
    if not np.array_equal(np.broadcast_to(first, values.shape), values):
        raise ValueError(f"NIR node {drive.name!r}: {what} differ within a channel, expected one per channel")
    column = first[:, 0, 0]
    return column[0].reshape(()) if np.all(column == column[0]) else column


def _ints(values: Floats) -> IntArray:
    return np.rint(values).astype(np.int32)
