"""Lava Processes of dense synapses that stock ones cannot be: any 32-bit weights, delays that end with a sample."""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.variable import Var
from lava.proc.dense.process import Dense
from numpy.typing import NDArray

from lava_mlsnn.lava_compat.runtime import Process


class WideDense(Dense):
    """lava.proc.dense.Dense without its clipping to 9 and truncation to 8 bits, for weights that no chip can hold.

    Args:
        weights: integers (O, I), used as they are.
        num_message_bits: 0 for binary spikes, more for graded ones.
        name: of the Process.

    Ports: ``s_in``, ``a_out``, one timestep later. Model: ``fixed_pt``.
    """


class ResetDelayDense(Process):
    """Dense synapse with a delay per weight, whose spikes under way are dropped at a reset.

    lava.proc.dense.DelayDense has 8-bit weights and no reset; it also builds a matrix of all delays in every step.

    Args:
        weights: integers (O, I), used as they are.
        delays: timesteps beyond the synapse's own one, of a shape that broadcasts to that of the weights.
        reset_interval, reset_offset: spikes of before a step where time_step % reset_interval == reset_offset %
            reset_interval at the output do not arrive at it or later.
        name: of the Process.

    Vars: ``weights``. Ports: ``s_in``, ``a_out``, one timestep later plus the delay. Model: ``fixed_pt``.
    """

    def __init__(
        self,
        *,
        weights: NDArray[Any],
        delays: NDArray[Any],
        reset_interval: int | None = None,
        reset_offset: int = 0,
        name: str | None = None,
    ) -> None:
        delays = np.broadcast_to(delays, weights.shape)
        super().__init__(delays=delays, reset_interval=reset_interval, reset_offset=reset_offset, name=name)
        self.s_in = InPort(shape=weights.shape[1:])
        self.a_out = OutPort(shape=weights.shape[:1])
        self.weights = Var(shape=weights.shape, init=weights)
