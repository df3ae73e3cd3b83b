"""CPU ProcessModels of the source of images."""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from numpy.typing import NDArray

from lava_mlsnn.proc.source.process import Source


class AbstractSourceModel(PyLoihiProcessModel):
    """Sends frame after frame from memory that is shared with the parent."""

    s_out: Any = None

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.frames: NDArray[Any] = proc_params["frames"]
        self.repeat: int = proc_params["repeat"]
        self.silence: NDArray[Any] = np.zeros(self.frames.shape[1:], self.frames.dtype)

    def run_spk(self) -> None:
        """One timestep."""
        index = (self.time_step - 1) // self.repeat
        self.s_out.send(self.frames[index] if index < len(self.frames) else self.silence)


@implements(proc=Source, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PySourceModelFixed(AbstractSourceModel):
    """Source of integers."""

    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)


@implements(proc=Source, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class PySourceModelFloat(AbstractSourceModel):
    """Source of floats."""

    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, float)
