"""CPU ProcessModels of the recording sink."""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from numpy.typing import NDArray

from lava_mlsnn.proc.sink.process import Sink


class AbstractSinkModel(PyLoihiProcessModel):
    """Writes each step to its row of the shared recording."""

    a_in: Any = None

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.data: NDArray[Any] = proc_params["data"]

    def run_spk(self) -> None:
        """One timestep."""
        received = self.a_in.recv()
        if self.time_step <= len(self.data):
            self.data[self.time_step - 1] = received


@implements(proc=Sink, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PySinkModelFixed(AbstractSinkModel):
    """Sink of integers."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)


@implements(proc=Sink, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class PySinkModelFloat(AbstractSinkModel):
    """Sink of floats."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, float)
