"""The neurons of a layer: the simplest kind that computes what the library does."""

from __future__ import annotations

import numpy as np

from ..graph.graph import Layer
from ..graph.neurons import LIF, MultiLevel
from ..graph.spec import INT24_MAX
from ..helpers.check import IntArray, int_array
from .cuba import cuba, most_spikes
from .fit import Drive, Fit, layer_of, too_large
from .map import Floats
from .neuron import Point, Run, common, snap, uniform

LIF_MAX = 2**17 - 1
"""Largest current, threshold and bias of Lava's LIF, which shifts them left by 6 bits into 24."""

INT32_MAX = 2**31 - 1

LIF_BIAS = 2**12 - 1
"""Largest bias that Loihi 2 stores; no finer scale is chosen beyond it."""


def spiking(drive: Drive, point: Point, bits: int, steps: int, run: Run, registers: int | None) -> tuple[Layer, float]:
    """A layer of spiking neurons, and how far off they can be: see :func:`~lava_mlsnn.nir.cuba.cuba`.

    Raises:
        ValueError: no scale keeps its currents within the registers.
    """
    if steps == 1 and point.levels == 1:
        return _single_step(Fit(drive, bits), point), 0.0
    if point.memoryless and point.levels == 1:
        return _memoryless(Fit(drive, bits), point), 0.0
    if point.stock and point.plain and point.levels == 1 and not (point.leaky and not _is_lava_lif(point)):
        point, factor = uniform(point)
        fit = Fit(drive, bits, factor)
        return (_hard if point.hard else _soft)(fit, point, steps), 0.0
    fit = Fit(drive, bits)
    if point.plain and not point.leaky and not np.any(point.membrane):
        layer = _lif(fit, point, steps) if point.hard else _multilevel(fit, point, steps, run)
        if layer is not None:
            return layer, 0.0
    return cuba(fit, point, steps, run, registers)


def _is_lava_lif(point: Point) -> bool:
    return point.hard and point.strict and common(point.membrane) is not None and common(point.synapse) is not None


def _least(point: Point, value: Floats) -> Floats:
    """The smallest integer that fires, if ``value`` is the threshold in units of integers."""
    exact = snap(value)
    return np.floor(exact) + 1 if point.strict else np.ceil(exact)


def _single_step(fit: Fit, point: Point) -> Layer:
    """[a > x] with x = (theta - b) S is [a + b' >= theta'] for theta' - b' = floor(x) + 1: only weights are rounded."""
    threshold = point.threshold - point.drive
    for fitted in fit.candidates(exact=True):
        least = np.clip(_least(point, (threshold - fit.drive.bias) * fitted.scale), -fitted.bound, fitted.bound + 1)
        theta = np.clip(_least(point, threshold[:, 0, 0] * fitted.scale), 1, fitted.bound + 1)
        bias = theta[:, None, None] - least
        if fitted.bound + np.abs(bias).max() <= INT24_MAX and theta.max() <= INT24_MAX:
            neuron = MultiLevel(1, _threshold(theta))
            return layer_of(fit.drive, fitted, neuron, bias)
    raise too_large(fit.drive)


def _memoryless(fit: Fit, point: Point) -> Layer:
    for fitted in fit.candidates(exact=True):
        most = _least(point, (point.threshold - fit.drive.bias) * fitted.scale) - 1
        vth = int(np.clip(_least(point, point.threshold[0, 0, 0] * fitted.scale) - 1, 0, LIF_MAX))
        bias = vth - most
        if fitted.bound + np.abs(bias).max() <= LIF_MAX:
            return layer_of(fit.drive, fitted, LIF(vth, du=4095, dv=4096), bias)
    raise too_large(fit.drive)


def _lif(fit: Fit, point: Point, steps: int) -> Layer | None:
    """Lava's LIF without leak, if it computes the same."""
    fitted, threshold = fit.at(0), common(point.threshold)
    if threshold is None or point.levels != 1 or not fit.has_whole_bias:
        return None
    bias, vth = fit.bias(fitted), float(_least(point, np.asarray(threshold * fitted.scale))) - 1
    reach = steps * (fitted.bound + np.abs(bias).max())
    if not 0 <= vth <= LIF_MAX or reach > LIF_MAX or np.abs(bias).max() > LIF_BIAS:
        return None
    return layer_of(fit.drive, fitted, LIF(int(vth), du=4095, dv=0), bias)


def _multilevel(fit: Fit, point: Point, steps: int, run: Run) -> Layer | None:
    """Multi-level neurons, if they compute the same: with thresholds that are integers."""
    fitted = fit.at(0)
    theta = snap(point.threshold * fitted.scale)
    same = np.all(theta == theta[:, :1, :1]) and np.array_equal(theta, np.rint(theta)) and theta.min() >= 1
    if point.strict or not same or not fit.has_whole_bias or fitted.bound > INT24_MAX:
        return None
    first, most = theta[:, 0, 0], fitted.bound + np.abs(fit.bias(fitted)).max()
    if steps * most + theta.max() > INT32_MAX:
        return None
    levels = most_spikes(fit.drive, point, most / first.min() + 1, run)
    neuron = MultiLevel(levels, _threshold(first))
    return layer_of(fit.drive, fitted, neuron, fit.bias(fitted))


def _soft(fit: Fit, point: Point, steps: int) -> Layer:
    for fitted in fit.candidates(fit.has_whole_bias):
        bias = np.rint(fit.bias(fitted))
        threshold = max(1.0, float(np.rint(point.threshold[0, 0, 0] * fitted.scale)))
        if steps * (fitted.bound + np.abs(bias).max()) <= INT24_MAX and threshold <= INT24_MAX:
            return layer_of(fit.drive, fitted, MultiLevel(1, np.array(threshold, np.int32)), bias)
    raise too_large(fit.drive)


def _hard(fit: Fit, point: Point, steps: int) -> Layer:
    exact = not point.leaky and fit.has_whole_bias
    synapse, membrane = float(point.synapse.flat[0]), float(point.membrane.flat[0])
    keep = 1 - synapse
    growth = steps if keep == 1 else (1 - keep**steps) / (1 - keep)
    du, dv = round(4096 * synapse) - 1, round(4096 * membrane)
    for fitted in fit.candidates(exact):
        bias = np.rint(fit.bias(fitted))
        raw = float(snap(point.threshold[0, 0, 0] * fitted.scale))
        vth = int(np.rint(raw) if point.leaky else _least(point, np.asarray(raw)) - 1)
        limit = LIF_BIAS if fitted.shift > 0 else LIF_MAX
        if vth < 0:
            raise ValueError(f"NIR node {fit.drive.name!r}: threshold {raw / fitted.scale:g}: expected 0 or more")
        if fitted.bound * growth <= LIF_MAX and vth <= LIF_MAX and np.abs(bias).max() <= limit:
            return layer_of(fit.drive, fitted, LIF(vth, du=du, dv=dv), bias)
    raise too_large(fit.drive)


def _threshold(values: Floats) -> IntArray:
    """Thresholds (C,) in their shortest form."""
    return int_array(values[0] if np.all(values == values[0]) else values, "threshold")
