"""CPU ProcessModels of the readout."""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from numpy.typing import NDArray

from lava_mlsnn import netx
from lava_mlsnn.proc.neuron import FixedModel, FloatModel
from lava_mlsnn.proc.readout.process import Readout


@implements(proc=Readout, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyReadoutModelFixed(FixedModel):
    """Readout in integers."""

    v: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    bias: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)

    def parameters(self) -> netx.Readout:
        """The neuron with the parameters that the Vars hold now."""
        return netx.Readout()


@implements(proc=Readout, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class PyReadoutModelFloat(FloatModel):
    """Readout in floats."""

    v: NDArray[np.float64] = LavaPyType(np.ndarray, float)
    bias: NDArray[np.float64] = LavaPyType(np.ndarray, float)

    def respond(self, current: NDArray[Any]) -> NDArray[np.float64]:
        """The equation of the Process."""
        self.v += current + self.bias
        return self.v
