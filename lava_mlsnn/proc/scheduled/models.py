"""CPU ProcessModels of the neurons whose quantisation is not uniform."""

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
from lava_mlsnn.proc.scheduled.process import Scheduled, Staircase
from lava_mlsnn.sim import reference


@implements(proc=Scheduled, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyScheduledModelFixed(NeuronModel):
    """Neuron with a schedule of thresholds in integers."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    v: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    thresholds: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    bias: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    levels: int = LavaPyType(int, np.int32, precision=16)
    neuron: netx.Scheduled | None = None

    def reset(self) -> None:
        """Zero the membranes."""
        self.v[...] = 0

    def on_var_update(self) -> None:
        """Somebody set a Var: read the parameters again."""
        self.neuron = None

    def respond(self, current: NDArray[Any]) -> NDArray[np.int32]:
        """One step of the reference engine."""
        if self.neuron is None:
            self.neuron = netx.Scheduled(self.levels, self.thresholds)
        turn = self.since % self.thresholds.shape[1]
        spikes, state = reference.step(self.neuron, {"v": self.v}, current, self.bias, channel_axis=-1, t=turn)
        self.v[...] = state["v"]
        return spikes


@implements(proc=Staircase, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyStaircaseModelFixed(NeuronModel):
    """Quantiser of one step in integers."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    thresholds: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    bias: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    neuron: netx.Staircase | None = None

    def reset(self) -> None:
        """There is no state."""

    def on_var_update(self) -> None:
        """Somebody set a Var: read the parameters again."""
        self.neuron = None

    def respond(self, current: NDArray[Any]) -> NDArray[np.int32]:
        """One step of the reference engine."""
        if self.neuron is None:
            self.neuron = netx.Staircase(self.thresholds)
        return reference.step(self.neuron, {}, current, self.bias, channel_axis=-1)[0]
