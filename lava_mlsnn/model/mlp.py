"""Fully connected network."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod

from ..block import Dense, Flatten, Readout
from .setting import Network, Setting


class MLP(Network):
    """Hidden layers of neurons with batch norm, and a readout.

    Args:
        hidden: numbers of neurons.
    """

    def __init__(self, setting: Setting, hidden: Sequence[int] = (256, 128)) -> None:
        super().__init__(setting)
        sizes = (prod(setting.in_shape), *hidden)
        self.append("flatten", Flatten())
        for i, (inputs, outputs) in enumerate(pairwise(sizes)):
            self.append(f"hidden{i + 1}", Dense(inputs, outputs, neuron=setting.make_neuron()))
        self.append("readout", Readout(sizes[-1], setting.num_classes))
