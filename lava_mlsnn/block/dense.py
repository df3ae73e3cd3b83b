"""Fully connected blocks: one with neurons, and the readout without."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ..helpers.check import Shape, integer
from .core import Block, Connection
from .integer import Dyadic, Quantization, power_of_two, quantize
from .signal import Signal


class Dense(Block):
    """Linear map of all sites, batch norm, neuron.

    Args:
        in_features, out_features: numbers of sites and of neurons.
        neuron: module of (N, features, T); None returns the current.
        norm: batch norm before the neuron; the map has a bias only without it.

    Shape:
        (N, features, T), or (N, C, H, W, T) read in (C, H, W) order -> (N, features', T).

    Example:
        >>> from lava_mlsnn.neuron import MultiLevel
        >>> Dense(48, 10, neuron=MultiLevel(levels=4))(torch.rand(2, 3, 4, 4, 1)).shape
        torch.Size([2, 10, 1])
    """

    def __init__(
        self, in_features: int, out_features: int, *, neuron: nn.Module | None = None, norm: bool = True
    ) -> None:
        super().__init__([_linear(in_features, out_features, norm)], neuron)


class Readout(Block):
    """Linear map without neuron; its current, averaged over the T steps, is the network's output.

    In quantized mode it is an integrator of integers: logits = scale V / T, with V the membrane after T steps.

    Args:
        in_features, out_features: sites and classes.
        bias: whether the map has one.
        votes: neurons per class whose average is its logit (boosting: [VicenteSola2022], sec. 3.2.3). As the average is
            linear, the integer network has one neuron with their mean weights.
        matched: whether the average is multiplied by the square root of ``votes``: as large as one of the neurons where
            their weights are independent, and changed by a step of gradient descent as one neuron would be.

    Shape:
        (N, features, T) or (N, C, H, W, T) -> (N, classes).
    """

    def __init__(
        self, in_features: int, out_features: int, *, bias: bool = True, votes: int = 1, matched: bool = False
    ) -> None:
        self.votes = integer(votes, "votes", 1)
        self.gain = math.sqrt(self.votes) if matched else 1.0
        classes = integer(out_features, "out_features", 1)
        connection = _linear(in_features, classes * self.votes, False)
        if not bias:
            connection.synapse.register_parameter("bias", None)
        super().__init__([connection], None)

    def forward(self, *inputs: Tensor) -> Tensor:
        current = super().forward(*inputs)
        if self.quantization is None:
            return (current if self.votes == 1 else self.elected(current)).mean(-1)
        return current.sum(-1) / (self.quantization.inputs[0].levels * current.shape[-1])

    def elected(self, each: Tensor) -> Tensor:
        """What the neurons of a class come to together: (N, classes * votes, ...) -> (N, classes, ...) on axis 1."""
        return each.unflatten(1, (-1, self.votes)).mean(2) * self.gain

    def integer_forward(self, inputs: tuple[Tensor, ...], q: Quantization) -> Tensor:
        """Currents in units of spikes, multiples of 2^-exponent."""
        with torch.autocast(inputs[0].device.type, enabled=False):
            return self.charge(inputs, self.dyadic(q))

    def membrane(self, x: Tensor) -> Tensor:
        """Integer voltage after each step, in quantized mode.

        Shape:
            (N, features, T) or (N, C, H, W, T) -> (N, classes, T).
        """
        if self.quantization is None:
            raise ValueError("a readout has an integer membrane in quantized mode only: call block.quantized(net)")
        unit = power_of_two(self.dyadic(self.quantization).exponent, x.dtype)
        return self.integer_forward((x,), self.quantization).cumsum(-1) * unit

    def dyadic(self, q: Quantization) -> Dyadic:
        """Quantized weights and bias, with one power of two for all classes, whose voltages are compared."""
        per_layer = Quantization(q.weight_bits, False, q.steps, q.inputs)
        weight, bias = (self.elected(t[None])[0] for t in next(iter(self.connections)).folded())
        return quantize([weight], bias * q.inputs[0].levels, per_layer)

    def out_shape(self, inputs: tuple[Signal, ...]) -> Shape:
        """(classes, 1, 1); ValueError if the inputs do not fit."""
        return super().out_shape(inputs)[0] // self.votes, 1, 1

    def signal(self, *inputs: Signal) -> Signal:
        """Voltages, which no layer can read."""
        return Signal(self.out_shape(inputs), float("nan"), 0)


def _linear(in_features: int, out_features: int, norm: bool) -> Connection:
    inputs, outputs = integer(in_features, "in_features", 1), integer(out_features, "out_features", 1)
    return Connection(nn.Linear(inputs, outputs, bias=not norm), nn.BatchNorm1d(outputs) if norm else None)
