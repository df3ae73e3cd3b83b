"""CPU ProcessModels of the neurons with a batch norm per timestep."""

from __future__ import annotations

from dataclasses import replace
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
from lava_mlsnn.proc.soft_lif.process import Rescale, SoftLIF
from lava_mlsnn.sim import reference


class _Model(NeuronModel):
    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.period: int = proc_params["period"]


@implements(proc=SoftLIF, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PySoftLIFModelFixed(_Model):
    """Leaky neuron with soft reset in integers."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    v: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    threshold: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    dv: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=12)
    neuron: netx.SoftLIF | None = None

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
            self.neuron = replace(self.proc_params["neuron"], threshold=threshold, dv=int(self.dv[0]))
        turn = self.since % self.period
        spikes, state = reference.step(self.neuron, {"v": self.v}, current, channel_axis=-1, t=turn)
        self.v[...] = state["v"]
        return spikes


@implements(proc=Rescale, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyRescaleModelFixed(_Model):
    """Rescaled currents in integers."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)

    def reset(self) -> None:
        """There is no state."""

    def respond(self, current: NDArray[Any]) -> NDArray[np.int32]:
        """One step of the reference engine."""
        turn = self.since % self.period
        return reference.step(self.proc_params["neuron"], {}, current, channel_axis=-1, t=turn)[0]
