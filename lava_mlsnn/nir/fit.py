"""Real-valued synapses and biases to the integers of a layer, with calibration data as the judge."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ..graph.graph import Connection, Layer
from ..graph.neurons import Neuron, Readout, Relay
from ..graph.spec import INT24_MAX
from ..helpers.check import IntArray, Shape
from .map import Floats, Map, exponent
from .neuron import snap

FINER, COARSER = 6, -24
"""Powers of two by which the scale of a layer may depart from that of its weights."""


@dataclass(frozen=True, eq=False)
class Term:
    """One synapse of a layer, and what arrives at it.

    Args:
        map: in real numbers.
        sources: names of layers, whose spikes are summed.
        unit: real value of one integer unit of those spikes.
        low, high: range of the sum of spikes, in integers.
        values: what the calibration data send, real, (T, N, C, H, W).
        late: whether the spikes are those of the neurons themselves, one step back.
    """

    map: Map
    sources: tuple[str, ...]
    unit: float
    low: float
    high: float
    values: Floats
    late: bool = False


@dataclass(frozen=True, eq=False)
class Drive:
    """All that drives the neurons of a layer: the sum of ``terms``, and a bias (C, H, W), real.

    ``filter`` is (decay, gain) of a leaky integrator that the sum has passed.
    """

    name: str
    terms: tuple[Term, ...]
    bias: Floats
    flat: bool = False
    filter: tuple[Floats, Floats] | None = None

    @property
    def shape(self) -> Shape:
        """(C, H, W) of the current."""
        c, h, w = self.bias.shape
        return c, h, w

    @property
    def current(self) -> Floats:
        """Real current for the calibration data, (T, N, C, H, W), without what neurons send themselves."""
        total: Floats = self.bias + sum(term.map(term.values) for term in self.terms if not term.late)
        return total

    def recurrent(self, spikes: Floats) -> Floats:
        """The current that the neurons' spikes cause in themselves."""
        return np.asarray(sum(term.map(spikes[None])[0] for term in self.terms if term.late))


@dataclass(frozen=True, eq=False)
class Fitted:
    """Integer synapses. ``scale`` integers of current are one real unit; ``bound`` is the largest integer current.

    ``shift`` is the power of two by which the scale departs from that of the weights, ``lost`` the number of bits
    that weights gave up for it.
    """

    connections: tuple[Connection, ...]
    scale: float
    bound: float
    shift: int
    lost: int


class Fit:
    """Synapses of a drive in ``bits`` signed bits times a power of two.

    The power of two of a synapse is the largest that holds all its weights or, if that is nearer to the real currents
    of the calibration data, the next one, which clips.

    Args:
        drive: the layer.
        bits: of a weight.
        factor: for the currents of each channel, (C,).
    """

    def __init__(self, drive: Drive, bits: int, factor: Floats | float = 1.0) -> None:
        first = drive.terms[0]
        self.drive, self.half, self.factor = drive, 2 ** (bits - 1), np.asarray(factor, np.float64)
        self.unit = first.unit
        if len(drive.terms) == 1 and np.all(self.factor == 1) and _is_constant(first.map.weight):
            self.unit *= float(first.map.weight.flat[0])  # sums, means and wires are exact, whatever the scale
        self.maps = [term.map.times(self.factor * (term.unit / self.unit)) for term in drive.terms]
        self.exponents = [_exponent(m, term.values, bits) for m, term in zip(self.maps, drive.terms, strict=True)]

    def at(self, shift: int) -> Fitted:
        """The synapses in a current that is finer than the weights by ``shift`` powers of two."""
        target = max(0, *self.exponents) + shift
        connections, bound = [], 0.0
        for term, m, e in zip(self.drive.terms, self.maps, self.exponents, strict=True):
            own = min(e, target)
            weight = np.clip(np.rint(np.ldexp(m.weight, own)), -self.half, self.half - 1) * 2.0 ** (target - own)
            connections.append(Connection(term.sources, m.synapse(weight)))
            bound += replace(m, weight=weight).largest(term.low, term.high)
        lost = max(0, max(self.exponents) - target)
        return Fitted(tuple(connections), 2.0**target / self.unit, bound, shift, lost)

    def candidates(self, exact: bool) -> Iterator[Fitted]:
        """Finest first; where a scale finer than that of the weights would gain nothing, that of the weights first."""
        return (self.at(shift) for shift in range(0 if exact else FINER, COARSER, -1))

    def bias(self, fitted: Fitted) -> Floats:
        """The bias in integers of current, not rounded, (C, H, W)."""
        return snap(self.drive.bias * self.factor.reshape(-1, 1, 1) * fitted.scale)

    @property
    def has_whole_bias(self) -> bool:
        """Whether the bias is integer in the scale of the weights."""
        bias = self.bias(self.at(0))
        return bool(np.array_equal(bias, np.rint(bias)))


def _is_constant(weight: Floats) -> bool:
    return bool(weight.flat[0] > 0 and np.all(weight == weight.flat[0]))


def _exponent(m: Map, values: Floats, bits: int) -> int:
    e, half = exponent(m.weight, bits), 2 ** (bits - 1)
    if np.array_equal(np.ldexp(m.weight, e), np.rint(np.ldexp(m.weight, e))):
        return e

    def error(candidate: int) -> float:
        kept = np.ldexp(np.clip(np.rint(np.ldexp(m.weight, candidate)), -half, half - 1), -candidate)
        return float((replace(m, weight=kept - m.weight)(values) ** 2).sum())

    return e + 1 if error(e + 1) < error(e) else e


def relay(drive: Drive, bits: int) -> tuple[Layer, float, float]:
    """A layer that passes the current on as an integer, its value of one unit, and its largest value."""
    fit = Fit(drive, bits)
    for fitted in fit.candidates(exact=True):
        bias = np.rint(fit.bias(fitted))
        bound = fitted.bound + float(np.abs(bias).max())
        if bound <= INT24_MAX:
            return layer_of(drive, fitted, Relay(), bias), 1 / fitted.scale, bound
    raise too_large(drive)


def readout(drive: Drive, bits: int, steps: int, gain: float | None) -> Layer:
    """A layer whose scaled voltage is the mean of the current or, with ``gain``, that gain times its sum."""
    fit = Fit(drive, bits)
    for fitted in fit.candidates(fit.has_whole_bias):
        bias = np.rint(fit.bias(fitted))
        if steps * (fitted.bound + np.abs(bias).max()) <= INT24_MAX:
            scale = (1 if gain is None else gain * steps) / fitted.scale
            return layer_of(drive, fitted, Readout(scale), bias)
    raise too_large(drive)


def layer_of(drive: Drive, fitted: Fitted, neuron: Neuron, bias: Floats) -> Layer:
    """A layer of these synapses; a warning if weights lost bits."""
    if fitted.lost:
        warnings.warn(
            f"NIR node {drive.name!r}: weights lost {fitted.lost} of their bits, as the largest possible current must "
            f"fit the registers of a {neuron.kind} neuron: fewer input_bits leave more to the weights",
            stacklevel=2,
        )
    return Layer(drive.name, fitted.connections, drive.shape, neuron, _bias(bias))


def _bias(bias: Floats) -> IntArray | None:
    if not bias.any():
        return None
    first = bias[:, :1, :1]
    return (first[:, 0, 0] if np.all(bias == first) else bias).astype(np.int32)


def too_large(drive: Drive) -> ValueError:
    """The error for a layer that no scale fits."""
    return ValueError(f"NIR node {drive.name!r}: no scale keeps current, bias and threshold within the registers")
