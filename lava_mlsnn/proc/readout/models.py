"""CPU ProcessModels of the readout."""

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
from lava_mlsnn.proc.neuron import NeuronModel
from lava_mlsnn.proc.readout.process import Readout
from lava_mlsnn.sim import reference


@implements(proc=Readout, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyReadoutModelFixed(NeuronModel):
    """Readout in integers."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    v: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    bias: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)

    def reset(self) -> None:
        """Zero the voltages."""
        self.v[...] = 0

    def respond(self, current: NDArray[Any]) -> NDArray[np.int32]:
        """One step of the reference engine."""
        voltage, state = reference.step(netx.Readout(), {"v": self.v}, current, self.bias, channel_axis=-1)
        self.v[...] = state["v"]
        return voltage


@implements(proc=Readout, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class PyReadoutModelFloat(NeuronModel):
    """Readout in floats."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, float)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, float)
    v: NDArray[np.float64] = LavaPyType(np.ndarray, float)
    bias: NDArray[np.float64] = LavaPyType(np.ndarray, float)

    def reset(self) -> None:
        """Zero the voltages."""
        self.v[...] = 0

    def respond(self, current: NDArray[Any]) -> NDArray[np.float64]:
        """The equation of the Process."""
        self.v += current + self.bias
        return self.v
