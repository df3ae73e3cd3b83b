"""CPU ProcessModels of sigma-delta neurons with a reset."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from numpy.typing import NDArray

from lava_mlsnn.graph.neurons import Neuron
from lava_mlsnn.proc.neuron import NeuronModel
from lava_mlsnn.proc.sdn.process import ResetDelta, ResetSigma, ResetSigmaDelta
from lava_mlsnn.sim import reference


class ReferenceModel(NeuronModel):
    """Steps the reference engine on the Vars that hold the state."""

    states: ClassVar[tuple[str, ...]]
    bias: Any = None

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.neuron: Neuron = proc_params["neuron"]

    def reset(self) -> None:
        """Zero the state."""
        for name in self.states:
            getattr(self, name)[...] = 0

    def respond(self, current: NDArray[Any]) -> NDArray[np.int32]:
        """One step of the reference engine."""
        before = {name: getattr(self, name) for name in self.states}
        spikes, after = reference.step(self.neuron, before, current, self.bias, channel_axis=-1)
        for name in self.states:
            getattr(self, name)[...] = after[name]
        return spikes


@implements(proc=ResetDelta, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyResetDeltaModel(ReferenceModel):
    """Delta encoder in integers."""

    states = ("act", "residue")
    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    act: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    residue: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)


@implements(proc=ResetSigmaDelta, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyResetSigmaDeltaModel(ReferenceModel):
    """Sigma-delta neuron in integers."""

    states = ("sigma", "act", "residue")
    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    sigma: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    act: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    residue: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    bias: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=16)


@implements(proc=ResetSigma, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyResetSigmaModel(ReferenceModel):
    """Sigma decoder in integers."""

    states = ("sigma",)
    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    sigma: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
