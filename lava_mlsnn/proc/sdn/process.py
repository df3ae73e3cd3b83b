"""Lava Processes of sigma-delta neurons that can be reset, and of upstream's corrected model."""

from __future__ import annotations

from typing import Any

from lava.magma.core.process.variable import Var
from numpy.typing import ArrayLike

from lava_mlsnn import netx
from lava_mlsnn.proc.layout import PortShape
from lava_mlsnn.proc.neuron import NeuronProcess


class ResetDelta(NeuronProcess):
    """lava.proc.sdn.Delta with a reset and a choice of model (see :class:`lava_mlsnn.netx.Delta`).

    Args:
        shape: (W, H, C), or (C,) behind a dense synapse.
        vth, spike_exp, state_exp: as Lava's.
        model: "released" or "corrected".
        reset_interval, reset_offset, start, name: see :class:`~lava_mlsnn.proc.neuron.NeuronProcess`.

    Vars: ``act``, ``residue``. Ports: ``a_in``, ``s_out``. Model: ``fixed_pt``.
    """

    def __init__(
        self,
        *,
        shape: PortShape,
        vth: int,
        spike_exp: int = 0,
        state_exp: int = 0,
        model: str = "released",
        **timing: Any,
    ) -> None:
        super().__init__(shape=shape, neuron=netx.Delta(vth, spike_exp, state_exp, model), **timing)
        self.act = self._state(0)
        self.residue = self._state(0)


class ResetSigmaDelta(NeuronProcess):
    """lava.proc.sdn.SigmaDelta (ReLU) with a reset and a choice of model (see :class:`lava_mlsnn.netx.SigmaDelta`).

    Args:
        shape: (W, H, C), or (C,) behind a dense synapse.
        vth, spike_exp, state_exp: as Lava's.
        bias: a scalar, one per channel, or one per neuron, before its shift by spike_exp + state_exp.
        model: "released" or "corrected".
        reset_interval, reset_offset, start, name: see :class:`~lava_mlsnn.proc.neuron.NeuronProcess`.

    Vars: ``sigma``, ``act``, ``residue``, ``bias``. Ports: ``a_in``, ``s_out``. Model: ``fixed_pt``.
    """

    def __init__(
        self,
        *,
        shape: PortShape,
        vth: int,
        bias: ArrayLike = 0,
        spike_exp: int = 0,
        state_exp: int = 0,
        model: str = "released",
        **timing: Any,
    ) -> None:
        super().__init__(shape=shape, neuron=netx.SigmaDelta(vth, spike_exp, state_exp, model), **timing)
        self.sigma = self._state(0)
        self.act = self._state(0)
        self.residue = self._state(0)
        self.bias: Var = self._per_channel(bias, "bias", whole=True)


class ResetSigma(NeuronProcess):
    """lava.proc.sdn.Sigma with a reset.

    Args:
        shape: (W, H, C), or (C,) behind a dense synapse.
        reset_interval, reset_offset, start, name: see :class:`~lava_mlsnn.proc.neuron.NeuronProcess`.

    Vars: ``sigma``. Ports: ``a_in``, ``s_out``. Model: ``fixed_pt``.
    """

    def __init__(self, *, shape: PortShape, **timing: Any) -> None:
        super().__init__(shape=shape, neuron=netx.Sigma(), **timing)
        self.sigma = self._state(0)
