"""Lava Process of a dense synapse with any 32-bit weights."""

from __future__ import annotations

from lava.proc.dense.process import Dense


class WideDense(Dense):
    """lava.proc.dense.Dense without its clipping to 9 and truncation to 8 bits, for weights that no chip can hold.

    Args:
        weights: integers (O, I), used as they are.
        num_message_bits: 0 for binary spikes, more for graded ones.
        name: of the Process.

    Ports: ``s_in``, ``a_out``, one timestep later. Model: ``fixed_pt``.
    """
