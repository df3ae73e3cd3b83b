"""Lava Process of the readout: an integrator that shows its voltage."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from lava_mlsnn.proc.layout import PortShape
from lava_mlsnn.proc.neuron import NeuronProcess


class Readout(NeuronProcess):
    """Integrator without spike: V <- V + a + b; ``s_out`` carries V after each step.

    The output of a sample is V after the last of its T steps.

    Args:
        shape: (W, H, C), or (C,) behind a dense synapse.
        bias: a scalar, one per channel, or one per neuron.
        v: initial membrane potential, a scalar or one per neuron.
        reset_interval, reset_offset, start, name: see :class:`~lava_mlsnn.proc.neuron.NeuronProcess`.

    Vars: ``v``, ``bias``. Ports: ``a_in``, ``s_out``. Models: ``fixed_pt``, ``floating_pt``.
    """

    def __init__(self, *, shape: PortShape, bias: ArrayLike = 0, v: ArrayLike = 0, **timing: Any) -> None:
        super().__init__(shape=shape, **timing)
        self.bias = self._per_channel(bias, "bias", whole=True)
        self.v = self._state(v)
