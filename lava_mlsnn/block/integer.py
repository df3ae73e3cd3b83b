r"""From real weights to integers: the only place where weights, biases and thresholds are quantized.

A neuron with N levels, threshold Vth and inputs z_in / N_in computes, per step ([Castagnetti2025], section 4.1)

.. math::
    H = V + N \Big( \sum_i w_i \frac{z_i}{N_{in}} + b \Big), \qquad z = \mathrm{clip}(\lfloor H / V_{th} \rfloor, 0, N)

Divided by Vth this is a neuron of threshold one on integers z_i, with :math:`w' = w N / (N_{in} V_{th})` and
:math:`b' = b N / V_{th}`. With one power of two per output channel, :math:`w_{int} = \mathrm{round}(w' 2^e)`,
:math:`b_{int} = \mathrm{round}(b' 2^e)`, the threshold becomes :math:`\theta = 2^e` exactly. The forward in training
uses :math:`w_{int} 2^{-e}`: dyadic numbers, so float32 computes what the integers do as long as every partial sum stays
below 2^24 units; the exponent is chosen so that it stays below 2^23, the membrane of Loihi.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ..graph.spec import INT24_MAX
from ..helpers.check import integer
from ..neuron.straight import straight_through
from .signal import Signal

MAX_EXPONENT = 20
"""Largest e: keeps 2^e and the thresholds of channels whose weights are all (almost) zero well inside 24 bits."""


@dataclass(frozen=True)
class Quantization:
    """What a block needs to know to compute with integers.

    Args:
        weight_bits: B, weights are integers within +-(2^(B-1) - 1).
        per_channel: one power of two per output channel, else one per layer.
        steps: T, over which the membrane accumulates.
        inputs: the signal that each input of the block carries.
    """

    weight_bits: int
    per_channel: bool
    steps: int
    inputs: tuple[Signal, ...]

    def __post_init__(self) -> None:
        integer(self.weight_bits, "weight_bits", 2, 8)

    @property
    def weight_max(self) -> int:
        """Largest absolute value of an integer weight."""
        return 2 ** (self.weight_bits - 1) - 1


@dataclass(frozen=True)
class Dyadic:
    """Quantized weights and bias of one block in units of its threshold: integers times 2^-exponent.

    Args:
        weights: one tensor per connection, output channels first.
        bias: (C,).
        exponent: int32 (C,), or (1,) for one per layer.
        start: V before the first step, in thresholds.
    """

    weights: tuple[torch.Tensor, ...]
    bias: torch.Tensor
    exponent: torch.Tensor
    start: float = 0.0

    def checked(self, q: Quantization) -> tuple[list[torch.Tensor], torch.Tensor, torch.Tensor]:
        """(weights, bias, exponent) of the NetGraph, int64 on the CPU.

        Raises:
            ValueError: a membrane can exceed 2^23 (weights or bias many times the threshold); names channel and value.
        """
        if not all(bool(t.isfinite().all()) for t in (*self.weights, self.bias)):
            raise ValueError("its weights are not finite: expected a network whose training did not diverge")
        weights, bias, exponent = self.integers()
        start = self.start * 2.0**exponent
        bound = membrane_bound([w.double() for w in weights], bias.double(), q) + start
        if int(bound.max()) > INT24_MAX:
            channel = int(bound.argmax())
            raise ValueError(
                f"channel {channel}: its membrane can reach {int(bound[channel])} within {q.steps} steps (bias "
                f"{int(bias[channel])} at a threshold of {2 ** int(exponent[channel % len(exponent)])}), expected at "
                f"most {INT24_MAX}: fewer levels or steps, or a batch norm whose variance is not almost zero"
            )
        return weights, bias, exponent

    def integers(self) -> tuple[list[torch.Tensor], torch.Tensor, torch.Tensor]:
        """Like :meth:`checked`, without the check."""
        scale = power_of_two(self.exponent, self.bias.dtype)
        weights = [(w.detach() * _rows(scale, w)).round().long().cpu() for w in self.weights]
        return weights, (self.bias.detach() * scale).round().long().cpu(), self.exponent.long().cpu()


def power_of_two(exponent: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """2 ** exponent, exactly, from the bits of a float32: exp2 and pow may round on some devices.

    >>> power_of_two(torch.tensor([-3, 0, 7]), torch.float32)
    tensor([1.2500e-01, 1.0000e+00, 1.2800e+02])
    """
    return ((exponent.int() + 127) << 23).view(torch.float32).to(dtype)


def quantize(
    weights: Sequence[torch.Tensor], bias: torch.Tensor, q: Quantization, ceiling: float = 0, start: float = 0.0
) -> Dyadic:
    """Round weights and bias, given in units of the threshold and of integer inputs, to integers times powers of two.

    Gradients pass straight through the rounding.

    Args:
        weights: one per connection: (C, ...), or (C,) for an identity connection, whose weights may have a power of
            two of their own (hardware shifts a whole synapse at no cost).
        bias: (C,).
        q: bits, steps and input bounds.
        ceiling: the largest potential that one step's spike removes, N thresholds; 0 for a readout.
        start: V before the first step, in thresholds.

    Raises:
        ValueError: fan-in, inputs and steps so large that only zero weights would keep the membrane below 2^23.
    """
    exponent = _exponent([w.detach() for w in weights], bias.detach(), q, ceiling, start)
    up, down = power_of_two(exponent, bias.dtype), power_of_two(-exponent, bias.dtype)
    rounded = [_on_grid(w, up, down, q.weight_max) if w.ndim > 1 else _identity(w, exponent, q) for w in weights]
    # No limit for the bias: the exponent is small enough for the sum of all.
    return Dyadic(tuple(rounded), _on_grid(bias, up, down, None), exponent, start)


def membrane_bound(weights: Sequence[torch.Tensor], bias: torch.Tensor, q: Quantization) -> torch.Tensor:
    """Largest |H| that T steps can build up, per channel: T (sum over connections of |w| z_max + |b|)."""
    current = bias.abs()
    for weight, signal in zip(weights, q.inputs, strict=True):
        current = current + signal.bound * _row_norm(weight, 1)
    return q.steps * current


def _row_norm(weight: torch.Tensor, order: float) -> torch.Tensor:
    """Sum (1) or maximum (inf) of absolute values per output channel, in one pass."""
    return torch.linalg.vector_norm(weight.reshape(len(weight), -1), order, dim=1)


def _exponent(
    weights: list[torch.Tensor], bias: torch.Tensor, q: Quantization, ceiling: float, start: float
) -> torch.Tensor:
    """Largest exponents, per channel or layer, that keep weights within their bits and membranes below 2^23."""
    tiny = 2.0**-64  # below it the cap decides
    wide = [w for w in weights if w.ndim > 1]
    largest = torch.stack([_row_norm(w, math.inf) for w in wide or weights]).amax(0)
    slack = q.steps * (0.5 + sum(0.5 * s.bound * w[0].numel() for w, s in zip(weights, q.inputs, strict=True)))
    room = INT24_MAX * (1 if len(wide) == len(weights) else 0.98) - slack  # identities round by up to 1 / 64
    if room <= 0:
        fan_in = sum(w[0].numel() for w in weights)
        raise ValueError(
            f"a fan-in of {fan_in} inputs of up to {max(s.bound for s in q.inputs)} over {q.steps} steps can pass "
            "2^23 with weights of one: expected a smaller fan-in, fewer levels or fewer steps"
        )
    exponent = torch.minimum(
        floor_log2(q.weight_max / largest.clamp(min=tiny)),
        floor_log2(room / (membrane_bound(weights, bias, q) + start).clamp(min=tiny)),
    )
    cap = min(MAX_EXPONENT, int(INT24_MAX / (ceiling + 1)).bit_length() - 1)
    exponent = exponent.clamp(0, cap)
    if not q.per_channel:
        return exponent.min().reshape(1)
    for weight in weights:
        if weight.ndim == 1:
            exponent = torch.minimum(exponent, exponent.min() + _identity_span(weight, q))
    return exponent


def _identity_span(weight: torch.Tensor, q: Quantization) -> torch.Tensor:
    """How far exponents may differ beside an identity, whose integers w 2^e share the bits of one synapse.

    By all of its bits where w is a power of two, which needs one bit only; else by half of them, the rest is for w.
    """
    one_bit = (torch.frexp(weight.abs())[0] == 0.5).all()
    return torch.where(one_bit, q.weight_bits - 2, (q.weight_bits - 2) // 2)


def floor_log2(x: torch.Tensor) -> torch.Tensor:
    """The integer part of log2(x), exactly, for x > 0.

    >>> floor_log2(torch.tensor([0.75, 1.0, 8.5]))
    tensor([-1,  0,  3], dtype=torch.int32)
    """
    return torch.frexp(x)[1] - 1


def _rows(scale: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return scale.reshape(-1, *[1] * (weight.ndim - 1))


def _identity(weight: torch.Tensor, exponent: torch.Tensor, q: Quantization) -> torch.Tensor:
    """An identity's weights: 8-bit integers times one power of two for the whole synapse."""
    scaled = weight.detach() * power_of_two(exponent, weight.dtype)
    shift = (floor_log2(scaled.abs().amax()) - (q.weight_bits - 2)).clamp(min=0)
    up, down = power_of_two(exponent - shift, weight.dtype), power_of_two(shift - exponent, weight.dtype)
    return _on_grid(weight, up, down, q.weight_max)


def _on_grid(x: torch.Tensor, up: torch.Tensor, down: torch.Tensor, limit: int | None) -> torch.Tensor:
    """Rows rounded to integers times ``down`` = 1 / ``up``, clipped to +-limit of them."""

    def rounded(x: torch.Tensor) -> torch.Tensor:
        grid = (x * _rows(up, x)).round_()
        if limit is not None:
            grid.clamp_(-limit, limit)
        return grid.mul_(_rows(down, x))

    return straight_through(rounded, x)


def round_through(x: torch.Tensor) -> torch.Tensor:
    """Nearest integers with a straight-through gradient.

    >>> round_through(torch.tensor([0.4, 2.6]))
    tensor([0., 3.])
    """
    return straight_through(torch.round, x)
