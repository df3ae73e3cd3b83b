"""Quantization noise of a neuron: what its spikes say about a constant input, and what is lost ([Castagnetti2025] and
[Castagnetti2023])."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from ..helpers.check import finite, integer
from ..neuron.base import GradedNeuron
from .quantizer import decibels, lloyd_max

Floats = NDArray[np.float64]

SIGNALS: dict[str, Callable[[Floats], Floats]] = {"relu": lambda x: np.maximum(x, 0.0), "input": lambda x: x}
"""What the spikes are meant to encode: the ReLU of the input, or the input itself."""

DECODINGS = ("rate_vth", "rate")
"""``"rate_vth"``: mean spike over T times Vth. ``"rate"``: the mean spike alone. A spike of full value is 1."""


@dataclass(frozen=True, eq=False)
class Sqnr:
    """The quantization noise of a neuron, and the least of any quantizer with as many output values.

    Args:
        decibels: 10 log10 of mean squared signal over mean squared error.
        values: output values that a neuron of N levels over T steps can have, N T + 1.
        signal, decoded: the samples.
        decode: the convention: "rate_vth", "rate" or "custom".
        threshold: the Vth that "rate_vth" multiplied by, else None.
    """

    decibels: float
    values: int
    signal: Floats
    decoded: Floats
    decode: str
    threshold: float | None

    @cached_property
    def limit(self) -> float:
        """The same for the best quantizer of ``values`` values on the same samples (Lloyd-Max)."""
        return lloyd_max(self.signal, self.values).sqnr


def sqnr(
    neuron: Callable[[torch.Tensor], Any],
    inputs: ArrayLike,
    *,
    steps: int = 4,
    levels: int | None = None,
    threshold: float | None = None,
    signal: str | Callable[[Floats], Floats] = "relu",
    decode: str | Callable[[Floats], Floats] = "rate_vth",
    full_scale: float | None = None,
) -> Sqnr:
    r"""Signal to quantization noise ratio of a neuron that receives each input, constant, for T steps.

    The convention decides: [Castagnetti2023]'s claims hold for the signal ReLU(i), decoded as rate times Vth
    (``signal="relu"``, ``decode="rate_vth"``, the default):

    .. math:: \hat x = \frac{V_{th}}{T} \sum_t s(t), \qquad s = z / N

    Args:
        neuron: a module of this library or of SLAYER, a functional, or any callable: currents (samples, 1, T) in,
            spikes of that shape out, or a tuple that begins with them. It starts at rest.
        inputs: samples i of the input distribution, of any shape; :func:`lava_mlsnn.analysis.noise.gaussian` draws
            reproducible ones.
        steps: T.
        levels: N; None: the neuron's attribute ``levels``, else 1.
        threshold: Vth, in the unit of the inputs; None: the neuron's attribute ``threshold``.
        signal: "relu", "input", or a function of the inputs: what a perfect neuron would send.
        decode: "rate_vth", "rate", or a function of the spikes (samples, T) / ``full_scale``.
        full_scale: what the neuron emits at its largest spike; None: 1 for a module, which sends z/N. A functional
            that sends whole numbers has N, one that sends z Vth has Vth.

    Raises:
        ValueError: an unknown convention, a threshold that is missing or not above 0, outputs of another shape,
            a signal of nothing but zeros.

    Example:
        >>> from lava_mlsnn.neuron import MultiLevel, functional
        >>> i = gaussian(0.1, 4000)  # [Castagnetti2023], Fig. 3: N(0, 0.1^2), T = 4
        >>> [round(sqnr(MultiLevel(levels=1, threshold=v), i).decibels, 1) for v in (1.0, 0.173)]
        [0.4, 11.1]
        >>> by_hand = sqnr(lambda x: functional.multilevel(x, None, 0.173, 2), i, levels=2, threshold=0.173,
        ...     full_scale=2, steps=2)
        >>> round(by_hand.decibels, 1), by_hand.decibels < by_hand.limit
        (11.1, True)
    """
    x = np.asarray(inputs, np.float64).ravel()
    steps = integer(steps, "steps", 1)
    count = levels if levels is not None else getattr(neuron, "levels", 1)
    count = integer(count, "levels", 1)
    target = _signal(signal)(x)
    spikes = transfer(neuron, x, steps=steps, full_scale=full_scale)
    vth = _threshold(neuron, threshold) if decode == "rate_vth" else None
    if callable(decode):
        decoded = np.asarray(decode(spikes), np.float64)
        if decoded.shape != x.shape:
            raise ValueError(f"decode: expected one number for each of {len(x)} inputs, got shape {decoded.shape}")
    elif decode in DECODINGS:
        decoded = spikes.mean(1) * (1.0 if vth is None else vth)
    else:
        raise ValueError(f"decode: expected one of {', '.join(DECODINGS)} or a function, got {decode!r}")
    values = count * steps + 1
    return Sqnr(
        decibels(target, decoded),
        values,
        target,
        decoded,
        decode if isinstance(decode, str) else "custom",
        vth,
    )


@torch.no_grad()
def transfer(
    neuron: Callable[[torch.Tensor], Any], inputs: ArrayLike, *, steps: int, full_scale: float | None = None
) -> Floats:
    """Spikes of a neuron for constant inputs, each divided by ``full_scale``: the measured transfer function.

    Args:
        neuron, full_scale: see :func:`sqnr`.
        inputs: x, of any shape.
        steps: T.

    **Shape:** inputs with M elements -> (M, T), float64.

    Raises:
        ValueError: inputs that are not finite, outputs of another shape.

    Example:
        >>> from lava_mlsnn.neuron import MultiLevel
        >>> transfer(MultiLevel(levels=4), [0.3, 1.0], steps=3)
        array([[0.25, 0.25, 0.25],
               [1.  , 1.  , 1.  ]])
    """
    x = np.asarray(inputs, np.float64).ravel()
    if not x.size or not np.isfinite(x).all():
        raise ValueError(f"inputs: expected finite numbers, got {x.size} of them, {int(np.isfinite(x).sum())} finite")
    steps = integer(steps, "steps", 1)
    scale = 1.0 if full_scale is None else finite(full_scale, "full_scale", positive=True)
    current = torch.from_numpy(x).reshape(-1, 1, 1).repeat(1, 1, steps)
    found = neuron(current)
    spikes = found[0] if isinstance(found, tuple | list) else found
    if tuple(spikes.shape) != tuple(current.shape):
        raise ValueError(f"neuron: expected spikes of shape {tuple(current.shape)}, got {tuple(spikes.shape)}")
    return np.asarray(spikes.detach().cpu(), np.float64)[:, 0] / scale


def gaussian(sigma: float, count: int, mean: float = 0.0) -> Floats:
    """Samples of a normal distribution without chance: its quantiles at (k + 1/2) / count.

    >>> gaussian(1.0, 3).round(2)
    array([-0.97,  0.  ,  0.97])
    """
    count = integer(count, "count", 1)
    sigma = finite(sigma, "sigma", positive=True)
    from scipy.special import ndtri

    quantiles: Floats = ndtri((np.arange(count) + 0.5) / count)
    return mean + sigma * quantiles


def _signal(signal: str | Callable[[Floats], Floats]) -> Callable[[Floats], Floats]:
    if callable(signal):
        return signal
    if signal not in SIGNALS:
        raise ValueError(f"signal: expected one of {', '.join(SIGNALS)} or a function, got {signal!r}")
    return SIGNALS[signal]


def _threshold(neuron: Any, threshold: float | None) -> float:
    if threshold is None:
        threshold = getattr(neuron, "threshold", None)
        if threshold is None:
            raise ValueError(
                f"threshold: {type(neuron).__name__} has no attribute threshold: expected a number, or decode='rate'"
            )
        if isinstance(threshold, torch.Tensor):
            if threshold.numel() != 1:
                raise ValueError(f"threshold: expected one number, got {threshold.numel()}: use a decode function")
            threshold = float(threshold.detach())
        elif not isinstance(neuron, GradedNeuron):
            threshold = float(threshold)
    return finite(threshold, "threshold", positive=True)
