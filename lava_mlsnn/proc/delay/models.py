"""CPU ProcessModel of a delay line."""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from numpy.typing import NDArray

from lava_mlsnn.proc.delay.process import Delay


@implements(proc=Delay, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyDelayModel(PyLoihiProcessModel):
    """A ring of the last spikes."""

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    buffer: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.steps: int = proc_params["steps"]
        self.interval: int | None = proc_params["reset_interval"]
        self.offset: int = proc_params["reset_offset"]

    def run_spk(self) -> None:
        """One timestep: send the oldest spikes first, so that a loop of processes does not wait for itself."""
        slot = (self.time_step - 1) % max(self.steps, 1)
        if self.steps:
            self.s_out.send(self._current(self.buffer[slot]))
            self.buffer[slot] = self.s_in.recv()
        else:
            self.s_out.send(self._current(self.s_in.recv()))

    def _current(self, spikes: NDArray[np.int32]) -> NDArray[np.int32]:
        """The spikes, or zeros where the next step begins another sample."""
        if self.interval is not None and (self.time_step + 1 - self.offset) % self.interval == 0:
            return np.zeros_like(spikes)
        return spikes
