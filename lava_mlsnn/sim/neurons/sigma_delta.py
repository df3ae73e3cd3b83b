"""Lava's sigma-delta neurons: encoder, decoder, and both with a ReLU between them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...graph.neurons import Delta, Sigma, SigmaDelta
from ..simd import Lanes
from .kernel import Arranged, Kernel, compiles


def _encode(
    x: Lanes, act: Lanes, residue: Lanes, shift: Lanes, threshold: Lanes, corrected: Lanes
) -> tuple[Lanes, ...]:
    """(spikes, act, residue); ``corrected`` is -1 for the corrected model, else 0."""
    delta = x - act + residue
    sent = (abs(delta) >= threshold).where(delta, 0)
    spikes = sent >> shift
    return spikes, x, delta - sent + ((sent - (spikes << shift)) & corrected)


def _delta_step(
    current: Lanes, act: Lanes, residue: Lanes, *, scale: Lanes, shift: Lanes, threshold: Lanes, corrected: Lanes
) -> tuple[Lanes, ...]:
    return _encode(current << scale, act, residue, shift, threshold, corrected)


def _sigma_delta_step(
    current: Lanes,
    sigma: Lanes,
    act: Lanes,
    residue: Lanes,
    bias: Lanes,
    *,
    shift: Lanes,
    threshold: Lanes,
    corrected: Lanes,
) -> tuple[Lanes, ...]:
    sigma = sigma + current
    x = sigma + bias
    spikes, *state = _encode((x < 0).where(0, x), act, residue, shift, threshold, corrected)
    return spikes, sigma, *state


def _sigma_step(current: Lanes, sigma: Lanes) -> tuple[Lanes, ...]:
    sigma = sigma + current
    return sigma, sigma


_delta = Kernel(_delta_step, "act", "residue")
_sigma_delta = Kernel(_sigma_delta_step, "sigma", "act", "residue")
_sigma = Kernel(_sigma_step, "sigma")


def _encoding(neuron: Delta | SigmaDelta) -> dict[str, int]:
    scale = neuron.spike_exp + neuron.state_exp
    corrected = -1 if neuron.model == "corrected" else 0
    return {"shift": neuron.state_exp, "threshold": neuron.vth << scale, "corrected": corrected}


@compiles(Delta)
def _(neuron: Delta, bias: NDArray[np.int64]) -> Arranged:
    return _delta(scale=neuron.spike_exp + neuron.state_exp, **_encoding(neuron))


@compiles(SigmaDelta)
def _(neuron: SigmaDelta, bias: NDArray[np.int64]) -> Arranged:
    return _sigma_delta(bias=bias << (neuron.spike_exp + neuron.state_exp), **_encoding(neuron))


@compiles(Sigma)
def _(neuron: Sigma, bias: NDArray[np.int64]) -> Arranged:
    return _sigma()
