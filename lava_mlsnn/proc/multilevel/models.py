"""CPU ProcessModels of the multi-level neuron."""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from numpy.typing import NDArray

from lava_mlsnn import netx
from lava_mlsnn.proc.multilevel.process import MultiLevel
from lava_mlsnn.proc.neuron import FixedModel, FloatModel, soft_reset


@implements(proc=MultiLevel, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyMultiLevelModelFixed(FixedModel):
    """Multi-level neuron in integers."""

    v: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    threshold: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    bias: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    levels: int = LavaPyType(int, np.int32, precision=16)

    def parameters(self) -> netx.MultiLevel:
        """The neuron with the parameters that the Vars hold now."""
        return netx.MultiLevel(self.levels, self.threshold if self.threshold.size > 1 else self.threshold[0])


@implements(proc=MultiLevel, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class PyMultiLevelModelFloat(FloatModel):
    """Multi-level neuron in floats."""

    v: NDArray[np.float64] = LavaPyType(np.ndarray, float)
    threshold: NDArray[np.float64] = LavaPyType(np.ndarray, float)
    bias: NDArray[np.float64] = LavaPyType(np.ndarray, float)
    levels: int = LavaPyType(int, np.int32, precision=16)

    def respond(self, current: NDArray[Any]) -> NDArray[np.float64]:
        """The equation of the Process."""
        return soft_reset(self.v, current + self.bias, self.threshold, self.levels)
