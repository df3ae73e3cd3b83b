"""CPU ProcessModels of the multi-level neuron."""

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
from lava_mlsnn.proc.multilevel.process import MultiLevel
from lava_mlsnn.proc.neuron import NeuronModel, soft_reset
from lava_mlsnn.sim import reference


@implements(proc=MultiLevel, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyMultiLevelModelFixed(NeuronModel):
    """Multi-level neuron in integers."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    v: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    threshold: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    bias: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    levels: int = LavaPyType(int, np.int32, precision=16)
    neuron: netx.MultiLevel | None = None

    def reset(self) -> None:
        """Zero the membranes."""
        self.v[...] = 0

    def on_var_update(self) -> None:
        """Somebody set a Var: read the parameters again."""
        self.neuron = None

    def respond(self, current: NDArray[Any]) -> NDArray[np.int32]:
        """One step of the reference engine."""
        if self.neuron is None:
            threshold = self.threshold if self.threshold.size > 1 else self.threshold[0]
            self.neuron = netx.MultiLevel(self.levels, threshold)
        spikes, state = reference.step(self.neuron, {"v": self.v}, current, self.bias, channel_axis=-1)
        self.v[...] = state["v"]
        return spikes


@implements(proc=MultiLevel, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class PyMultiLevelModelFloat(NeuronModel):
    """Multi-level neuron in floats."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, float)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, float)
    v: NDArray[np.float64] = LavaPyType(np.ndarray, float)
    threshold: NDArray[np.float64] = LavaPyType(np.ndarray, float)
    bias: NDArray[np.float64] = LavaPyType(np.ndarray, float)
    levels: int = LavaPyType(int, np.int32, precision=16)

    def reset(self) -> None:
        """Zero the membranes."""
        self.v[...] = 0

    def respond(self, current: NDArray[Any]) -> NDArray[np.float64]:
        """The equation of the Process."""
        return soft_reset(self.v, current + self.bias, self.threshold, self.levels)
