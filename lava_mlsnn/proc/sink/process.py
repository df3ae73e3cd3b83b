"""Lava Process that records a port."""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.magma.core.process.ports.ports import InPort
from numpy.typing import DTypeLike, NDArray

from lava_mlsnn.helpers.check import positive_ints
from lava_mlsnn.lava_compat.runtime import Process
from lava_mlsnn.lava_compat.shared import shared_array
from lava_mlsnn.proc.layout import PortShape


class Sink(Process):
    """Records what arrives, in memory that the parent sees: no message per element, also after the run has stopped.

    Args:
        shape: of the port that is recorded.
        steps: timesteps to record, from the first one on; a run that lasts longer goes on unrecorded.
        dtype: of the recording.
        name: of the Process.

    Attributes:
        data: the recording, (steps, \\*shape).

    Ports: ``a_in``. Models: ``fixed_pt``, ``floating_pt``.
    """

    def __init__(self, *, shape: PortShape, steps: int, dtype: DTypeLike = np.int32, name: str | None = None) -> None:
        (steps,) = positive_ints(steps, "steps of a sink", 1)
        self.data: NDArray[Any] = shared_array((steps, *shape), dtype)
        super().__init__(data=self.data, name=name)
        self.a_in = InPort(shape=shape)
