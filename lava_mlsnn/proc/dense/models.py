"""CPU ProcessModel of the dense synapse with any 32-bit weights."""

from __future__ import annotations

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from numpy.typing import NDArray

from lava_mlsnn.proc.dense.process import WideDense


@implements(proc=WideDense, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyWideDenseModel(PyLoihiProcessModel):
    """Matrix times vector in 32 bits."""

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    a_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    a_buff: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    weights: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    num_message_bits: NDArray[np.int64] = LavaPyType(np.ndarray, int, precision=5)

    def run_spk(self) -> None:
        """One timestep: send the current of the step before, then receive."""
        self.a_out.send(self.a_buff)
        spikes = self.s_in.recv()
        if not self.num_message_bits.item():
            spikes = spikes.astype(bool)
        self.a_buff = self.weights.dot(spikes).astype(np.int32)
