"""Lava Process of a delay line."""

from __future__ import annotations

from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.variable import Var

from lava_mlsnn.helpers.check import positive_ints
from lava_mlsnn.lava_compat.runtime import Process
from lava_mlsnn.proc.layout import PortShape


class Delay(Process):
    """Holds spikes back for some timesteps, so that a skip connection meets the path it bypasses.

    Args:
        shape: of the spikes.
        steps: s_out at time_step t is s_in at t - steps, zero before; 0 passes them on at once.
        reset_interval, reset_offset: with an interval, spikes that would arrive at the next synapse's output in a step
            where time_step % reset_interval == reset_offset % reset_interval are dropped: they belong to the sample
            before. Recurrent connections need it.
        name: of the Process.

    Vars: ``buffer`` (steps, \\*shape). Ports: ``s_in``, ``s_out``. Model: ``fixed_pt``.
    """

    def __init__(
        self,
        *,
        shape: PortShape,
        steps: int,
        reset_interval: int | None = None,
        reset_offset: int = 0,
        name: str | None = None,
    ) -> None:
        (steps,) = positive_ints(steps, "steps of a delay", 1, 0)
        super().__init__(shape=shape, steps=steps, reset_interval=reset_interval, reset_offset=reset_offset, name=name)
        self.s_in = InPort(shape=shape)
        self.s_out = OutPort(shape=shape)
        self.buffer = Var(shape=(max(steps, 1), *shape), init=0)
