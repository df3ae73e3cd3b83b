"""Lava Process of the barrier neuron."""

from __future__ import annotations

from typing import Any

from lava.magma.core.process.variable import Var
from numpy.typing import ArrayLike

from lava_mlsnn.helpers.check import positive_ints
from lava_mlsnn.proc.layout import PortShape
from lava_mlsnn.proc.neuron import NeuronProcess


class Barrier(NeuronProcess):
    r"""Barrier neuron behind a residual sum: clips it to 0 .. N and carries the rest over (paper 000, section 4.4).

    .. math:: H = V + a, \quad z = \mathrm{clip}(\lfloor H \rfloor, 0, N), \quad V \leftarrow H - z

    Models: ``fixed_pt`` in integers and ``floating_pt``.

    Args:
        shape: (W, H, C), or (C,) behind a dense synapse.
        levels: N >= 1.
        v: initial membrane potential, a scalar or one per neuron.
        reset_interval, reset_offset, start, name: see :class:`~lava_mlsnn.proc.neuron.NeuronProcess`.

    Vars: ``v``, ``levels``. Ports: ``a_in``, ``s_out``.

    Example:
        >>> Barrier(shape=(10,), levels=4).levels.init
        4
    """

    def __init__(self, *, shape: PortShape, levels: int, v: ArrayLike = 0, **timing: Any) -> None:
        super().__init__(shape=shape, **timing)
        self.levels = Var(shape=(1,), init=positive_ints(levels, "levels", 1)[0])
        self.v = self._state(v)
