"""CPU ProcessModels of the barrier neuron."""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from numpy.typing import NDArray

from lava_mlsnn import netx
from lava_mlsnn.proc.barrier.process import Barrier
from lava_mlsnn.proc.neuron import NeuronModel, soft_reset
from lava_mlsnn.sim import reference


@implements(proc=Barrier, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyBarrierModelFixed(NeuronModel):
    """Barrier neuron in integers."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    v: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    levels: int = LavaPyType(int, np.int32, precision=16)

    def reset(self) -> None:
        """Zero the membranes."""
        self.v[...] = 0

    def respond(self, current: NDArray[Any]) -> NDArray[np.int32]:
        """One step of the reference engine."""
        spikes, state = reference.step(netx.Barrier(self.levels), {"v": self.v}, current)
        self.v[...] = state["v"]
        return spikes


@implements(proc=Barrier, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class PyBarrierModelFloat(NeuronModel):
    """Barrier neuron in floats."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, float)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, float)
    v: NDArray[np.float64] = LavaPyType(np.ndarray, float)
    levels: int = LavaPyType(int, np.int32, precision=16)

    def reset(self) -> None:
        """Zero the membranes."""
        self.v[...] = 0

    def respond(self, current: NDArray[Any]) -> NDArray[np.float64]:
        """The equation of the Process."""
        return soft_reset(self.v, current, 1.0, self.levels)
