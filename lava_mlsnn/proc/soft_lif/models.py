"""CPU ProcessModels of the neurons with a batch norm per timestep."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from numpy.typing import NDArray

from lava_mlsnn import netx
from lava_mlsnn.proc.neuron import FixedModel
from lava_mlsnn.proc.soft_lif.process import Rescale, SoftLIF


class _Model(FixedModel):
    @property
    def turn(self) -> int:
        """Index of the timestep."""
        return self.since % int(self.proc_params["period"])


@implements(proc=SoftLIF, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PySoftLIFModelFixed(_Model):
    """Leaky neuron with soft reset in integers."""

    v: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    threshold: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    dv: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=12)

    def parameters(self) -> netx.SoftLIF:
        """The neuron with the parameters that the Vars hold now."""
        threshold = self.threshold if self.threshold.size > 1 else self.threshold[0]
        return replace(self.proc_params["neuron"], threshold=threshold, dv=int(self.dv[0]))


@implements(proc=Rescale, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyRescaleModelFixed(_Model):
    """Rescaled currents in integers."""

    def parameters(self) -> netx.Rescale:
        """The neuron with the parameters that the Vars hold now."""
        neuron: netx.Rescale = self.proc_params["neuron"]
        return neuron
