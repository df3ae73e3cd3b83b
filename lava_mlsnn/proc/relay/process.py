"""Lava Process of the relay: a population without dynamics."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from lava_mlsnn.proc.layout import PortShape
from lava_mlsnn.proc.neuron import NeuronProcess


class Relay(NeuronProcess):
    """Sends what it receives: z = a + b. It carries the result of a synapse that no neuron follows.

    Args:
        shape: (W, H, C), or (C,) behind a dense synapse.
        bias: a scalar, one per channel, or one per neuron.
        reset_interval, reset_offset, start, name: see :class:`~lava_mlsnn.proc.neuron.NeuronProcess`.

    Vars: ``bias``. Ports: ``a_in``, ``s_out``. Models: ``fixed_pt``, ``floating_pt``.
    """

    def __init__(self, *, shape: PortShape, bias: ArrayLike = 0, **timing: Any) -> None:
        super().__init__(shape=shape, **timing)
        self.bias = self._per_channel(bias, "bias", whole=True)
