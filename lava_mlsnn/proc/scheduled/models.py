"""CPU ProcessModels of the neurons whose quantisation is not uniform."""

from __future__ import annotations

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from numpy.typing import NDArray

from lava_mlsnn import netx
from lava_mlsnn.proc.neuron import FixedModel
from lava_mlsnn.proc.scheduled.process import Scheduled, Staircase


@implements(proc=Scheduled, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyScheduledModelFixed(FixedModel):
    """Neuron with a schedule of thresholds in integers."""

    v: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    thresholds: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    bias: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    levels: int = LavaPyType(int, np.int32, precision=16)

    def parameters(self) -> netx.Scheduled:
        """The neuron with the parameters that the Vars hold now."""
        return netx.Scheduled(self.levels, self.thresholds)

    @property
    def turn(self) -> int:
        """Index of the step in the schedule."""
        return self.since % int(self.thresholds.shape[1])


@implements(proc=Staircase, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyStaircaseModelFixed(FixedModel):
    """Quantiser of one step in integers."""

    thresholds: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    bias: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)

    def parameters(self) -> netx.Staircase:
        """The neuron with the parameters that the Vars hold now."""
        return netx.Staircase(self.thresholds)
