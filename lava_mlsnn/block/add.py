"""Residual sums of spikes: plain (SEW) or followed by a barrier neuron (Sparse)."""

from __future__ import annotations

from functools import reduce
from operator import add

import torch
from torch import Tensor, nn

from ..neuron import Barrier, functional
from .integer import Quantization
from .signal import Signal


class Add(nn.Module):
    """Sum of the spikes of two or more layers.

    Args:
        neuron: None sums in the dendrite of the next layer (SEW-ResNet); :class:`lava_mlsnn.neuron.Barrier` limits the
            sum to N levels again (Sparse-ResNet, [Castagnetti2025], section 4.4); torch.nn.ReLU makes the ANN twin.

    Shape:
        inputs of one shape (N, C, H, W, T) -> the same.

    Example:
        >>> Add(Barrier(levels=4))(torch.full((1, 1, 1), 0.75), torch.full((1, 1, 1), 0.5))
        tensor([[[1.]]])
    """

    def __init__(self, neuron: nn.Module | None = None) -> None:
        super().__init__()
        self.neuron = neuron
        self.quantization: Quantization | None = None

    def forward(self, *inputs: Tensor) -> Tensor:
        if len(inputs) < 2:
            raise ValueError(f"a sum of {len(inputs)} input: expected two or more")
        total = reduce(add, inputs)
        if self.neuron is None:
            return total
        if self.quantization is None:
            return self.neuron(total)
        neuron = self.barrier
        with torch.autocast(total.device.type, enabled=False):
            return functional.barrier(total / neuron.levels, None, neuron.levels, neuron.grad, neuron.alpha)[0]

    @property
    def barrier(self) -> Barrier:
        """The neuron, if an integer layer has it; ValueError otherwise."""
        if isinstance(self.neuron, Barrier):
            return self.neuron
        raise ValueError(f"a sum with neuron {type(self.neuron).__name__}: expected neuron.Barrier or none")

    def signal(self, *inputs: Signal) -> Signal:
        """The sum, or what the barrier sends."""
        total = reduce(add, inputs)
        if self.neuron is None:
            return total
        levels = self.barrier.levels
        if levels != total.levels:
            raise ValueError(f"a barrier of {levels} levels after spikes of {total.levels:g} levels: expected equal")
        return Signal(total.shape, levels, levels)
