"""Lava Process of the leaky integrate-and-fire neuron with soft reset and a batch norm per timestep."""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.magma.core.process.variable import Var
from numpy.typing import ArrayLike

from lava_mlsnn import netx
from lava_mlsnn.helpers.check import positive_ints
from lava_mlsnn.proc.layout import PortShape
from lava_mlsnn.proc.neuron import NeuronProcess


class _Stepwise(NeuronProcess):
    """Scale, shift and offset per channel and step, as :class:`lava_mlsnn.graph.neurons.Stepwise` defines them."""

    def __init__(self, *, shape: PortShape, neuron: netx.Neuron, period: int, **timing: Any) -> None:
        (period,) = positive_ints(period, "period", 1)
        super().__init__(shape=shape, period=period, neuron=neuron, **timing)
        neuron.check_population(self.shape[-1])
        neuron.check_steps(period)


class SoftLIF(_Stepwise):
    r"""Leaky integrate-and-fire with soft reset behind a batch norm per timestep (paper 002, Eq 3 and 4, BNTT).

    .. math::
        x = \big((a\,m_t + \lfloor 2^s / 2 \rfloor) >> s\big) + o_t, \quad H = D(V, dv) + x, \quad
        z = A\,[H > \theta], \quad V \leftarrow H - \theta\,[H > \theta]

    Args:
        shape: (W, H, C), or (C,) behind a dense synapse.
        neuron: m, s, o, theta, dv and A, see :class:`lava_mlsnn.netx.SoftLIF`.
        period: T, after which the steps t begin again; they also do with every reset.
        v: initial membrane potential, a scalar or one per neuron.
        reset_interval, reset_offset, start, name: see :class:`~lava_mlsnn.proc.neuron.NeuronProcess`.

    Vars: ``v``, ``threshold``, ``dv``. Ports: ``a_in``, ``s_out``. Model: ``fixed_pt``.

    Example:
        >>> neuron = netx.SoftLIF(scale=[[3, 5]], shift=[2], offset=[[0, 1]], threshold=64, dv=516)
        >>> SoftLIF(shape=(8, 8, 1), neuron=neuron, period=2).v.shape
        (8, 8, 1)
    """

    def __init__(
        self, *, shape: PortShape, neuron: netx.SoftLIF, period: int = 1, v: ArrayLike = 0, **timing: Any
    ) -> None:
        super().__init__(shape=shape, neuron=neuron, period=period, **timing)
        self.threshold = self._per_channel(neuron.threshold, "threshold")
        self.dv = Var(shape=(1,), init=np.array([neuron.dv]))
        self.v = self._state(v)


class Rescale(_Stepwise):
    r"""No dynamics: :math:`z = \mathrm{clip}(x, -L, L)`, x as in :class:`SoftLIF`.

    Args:
        shape: (W, H, C), or (C,) behind a dense synapse.
        neuron: m, s, o and L, see :class:`lava_mlsnn.netx.Rescale`.
        period, reset_interval, reset_offset, start, name: see :class:`SoftLIF`.

    Ports: ``a_in``, ``s_out``. Model: ``fixed_pt``.
    """

    def __init__(self, *, shape: PortShape, neuron: netx.Rescale, period: int = 1, **timing: Any) -> None:
        super().__init__(shape=shape, neuron=neuron, period=period, **timing)
