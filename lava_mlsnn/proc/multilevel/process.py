"""Lava Process of the multi-level integrate-and-fire neuron."""

from __future__ import annotations

from typing import Any

from lava.magma.core.process.variable import Var
from numpy.typing import ArrayLike

from lava_mlsnn.helpers.check import positive_ints
from lava_mlsnn.proc.layout import PortShape
from lava_mlsnn.proc.neuron import NeuronProcess


class MultiLevel(NeuronProcess):
    r"""Multi-level integrate-and-fire neuron with soft reset and graded spikes 0 .. N (paper 000, section 4.1, Eq 6).

    .. math:: H = V + a + b, \quad z = \mathrm{clip}(\lfloor H / \theta \rfloor, 0, N), \quad V \leftarrow H - \theta z

    Models: ``fixed_pt`` in integers, as every engine of this package computes it, and ``floating_pt``.

    Args:
        shape: (W, H, C), or (C,) behind a dense synapse.
        threshold: theta > 0, a scalar or one per channel.
        levels: N >= 1.
        bias: b, a scalar, one per channel, or one per neuron.
        v: initial membrane potential, a scalar or one per neuron.
        reset_interval, reset_offset, start, name: see :class:`~lava_mlsnn.proc.neuron.NeuronProcess`.

    Vars: ``v``, ``threshold``, ``levels``, ``bias``. Ports: ``a_in``, ``s_out``.

    Example:
        >>> neuron = MultiLevel(shape=(8, 8, 16), threshold=64, levels=4)
        >>> neuron.v.shape, neuron.threshold.shape, neuron.s_out.shape
        ((8, 8, 16), (1,), (8, 8, 16))
    """

    def __init__(
        self,
        *,
        shape: PortShape,
        threshold: ArrayLike,
        levels: int,
        bias: ArrayLike = 0,
        v: ArrayLike = 0,
        **timing: Any,
    ) -> None:
        super().__init__(shape=shape, **timing)
        self.threshold = self._per_channel(threshold, "threshold")
        if not (self.threshold.init > 0).all():
            raise ValueError(f"threshold: expected values > 0, got {self.threshold.init.tolist()}")
        self.levels = Var(shape=(1,), init=positive_ints(levels, "levels", 1)[0])
        self.bias = self._per_channel(bias, "bias", whole=True)
        self.v = self._state(v)
