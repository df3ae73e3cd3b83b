"""Lava Processes of the neurons whose quantisation is not uniform (paper 003)."""

from __future__ import annotations

from typing import Any

from lava.magma.core.process.variable import Var
from numpy.typing import ArrayLike

from lava_mlsnn import netx
from lava_mlsnn.proc.layout import PortShape
from lava_mlsnn.proc.neuron import NeuronProcess


class _Thresholds(NeuronProcess):
    """Several thresholds per neuron, (C, columns) or (1, columns)."""

    def __init__(self, *, shape: PortShape, neuron: Any, bias: ArrayLike = 0, **timing: Any) -> None:
        super().__init__(shape=shape, neuron=neuron, **timing)
        neuron.check_population(self.shape[-1])
        self.thresholds = Var(shape=neuron.thresholds.shape, init=neuron.thresholds)
        self.bias = self._per_channel(bias, "bias", whole=True)


class Scheduled(_Thresholds):
    r"""Multi-level integrate-and-fire whose threshold changes from step to step (ATIF-nu, paper 003, section 3.4).

    .. math::
        H = V + a + b, \quad z = \mathrm{clip}(\lfloor H / \theta_t \rfloor, 0, N), \quad V \leftarrow H - \theta_t z

    Args:
        shape: (W, H, C), or (C,) behind a dense synapse.
        neuron: theta, (C, T) or (1, T), and N, see :class:`lava_mlsnn.netx.Scheduled`; after T steps, and with every
            reset, the steps t begin again.
        bias: b, a scalar, one per channel, or one per neuron.
        v: initial membrane potential, a scalar or one per neuron.
        reset_interval, reset_offset, start, name: see :class:`~lava_mlsnn.proc.neuron.NeuronProcess`.

    Vars: ``v``, ``thresholds``, ``levels``, ``bias``. Ports: ``a_in``, ``s_out``. Model: ``fixed_pt``.

    Example:
        >>> neuron = Scheduled(shape=(8, 8, 16), neuron=netx.Scheduled(levels=1, thresholds=[[64, 48, 40, 32]]))
        >>> neuron.v.shape, neuron.thresholds.shape
        ((8, 8, 16), (1, 4))
    """

    def __init__(
        self, *, shape: PortShape, neuron: netx.Scheduled, bias: ArrayLike = 0, v: ArrayLike = 0, **timing: Any
    ) -> None:
        super().__init__(shape=shape, neuron=neuron, bias=bias, **timing)
        self.levels = Var(shape=(1,), init=neuron.levels)
        self.v = self._state(v)


class Staircase(_Thresholds):
    r"""Any quantisation in one step, without memory: :math:`z = \sum_n [a + b \ge c_n]`.

    Args:
        shape: (W, H, C), or (C,) behind a dense synapse.
        neuron: c, (C, N) or (1, N), see :class:`lava_mlsnn.netx.Staircase`.
        bias: b, a scalar, one per channel, or one per neuron.
        reset_interval, reset_offset, start, name: see :class:`~lava_mlsnn.proc.neuron.NeuronProcess`.

    Vars: ``thresholds``, ``bias``. Ports: ``a_in``, ``s_out``. Model: ``fixed_pt``.

    Example:
        >>> Staircase(shape=(10,), neuron=netx.Staircase([[3, 8, 20]])).thresholds.shape
        (1, 3)
    """

    def __init__(self, *, shape: PortShape, neuron: netx.Staircase, bias: ArrayLike = 0, **timing: Any) -> None:
        super().__init__(shape=shape, neuron=neuron, bias=bias, **timing)
