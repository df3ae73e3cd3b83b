"""CPU ProcessModels of the relay."""

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
from lava_mlsnn.proc.relay.process import Relay


@implements(proc=Relay, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyRelayModelFixed(FixedModel):
    """Relay in integers."""

    bias: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)

    def parameters(self) -> netx.Relay:
        """The neuron with the parameters that the Vars hold now."""
        return netx.Relay()


@implements(proc=Relay, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class PyRelayModelFloat(FloatModel):
    """Relay in floats."""

    bias: NDArray[np.float64] = LavaPyType(np.ndarray, float)

    def respond(self, current: NDArray[Any]) -> NDArray[np.float64]:
        """The equation of the Process."""
        spikes: NDArray[np.float64] = current + self.bias
        return spikes
