"""CPU ProcessModels of dense synapses with any 32-bit weights."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from numpy.typing import NDArray

from lava_mlsnn.proc.dense.process import ResetDelayDense, WideDense


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


@implements(proc=ResetDelayDense, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyResetDelayDenseModel(PyLoihiProcessModel):
    """One product per delay that occurs, with the spikes of that many steps ago."""

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    a_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    weights: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.delays: NDArray[Any] = proc_params["delays"]
        self.interval: int | None = proc_params["reset_interval"]
        self.offset: int = proc_params["reset_offset"]
        outputs, _ = self.delays.shape
        self.current: NDArray[np.int32] = np.zeros(outputs, np.int32)
        self.past: deque[NDArray[np.int32]] = deque(maxlen=int(self.delays.max()) + 1)
        self.parts: list[tuple[int, NDArray[np.int32]]] = []

    def run_spk(self) -> None:
        """One timestep: send the current of the step before, then receive."""
        self.a_out.send(self.current)
        if self.interval is not None and (self.time_step + 1 - self.offset) % self.interval == 0:
            self.past.clear()
        self.past.appendleft(self.s_in.recv())
        if not self.parts:
            self.parts = [(int(d), np.where(self.delays == d, self.weights, 0)) for d in np.unique(self.delays)]
        arrived = (weights.dot(self.past[d]) for d, weights in self.parts if d < len(self.past))
        self.current = sum(arrived, np.zeros_like(self.current)).astype(np.int32)

    def on_var_update(self) -> None:
        """Somebody set a Var: read the weights again."""
        self.parts = []
