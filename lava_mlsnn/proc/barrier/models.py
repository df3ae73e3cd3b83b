"""CPU ProcessModels of the barrier neuron."""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from numpy.typing import NDArray

from lava_mlsnn import netx
from lava_mlsnn.proc.barrier.process import Barrier
from lava_mlsnn.proc.neuron import FixedModel, FloatModel, soft_reset


@implements(proc=Barrier, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyBarrierModelFixed(FixedModel):
    """Barrier neuron in integers."""

    v: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    levels: int = LavaPyType(int, np.int32, precision=16)

    def parameters(self) -> netx.Barrier:
        """The neuron with the parameters that the Vars hold now."""
        return netx.Barrier(self.levels)


@implements(proc=Barrier, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class PyBarrierModelFloat(FloatModel):
    """Barrier neuron in floats."""

    v: NDArray[np.float64] = LavaPyType(np.ndarray, float)
    levels: int = LavaPyType(int, np.int32, precision=16)

    def respond(self, current: NDArray[Any]) -> NDArray[np.float64]:
        """The equation of the Process."""
        return soft_reset(self.v, current, 1.0, self.levels)
