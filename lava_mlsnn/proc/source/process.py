"""Lava Process that feeds images."""

from __future__ import annotations

from typing import Any

from lava.magma.core.process.ports.ports import OutPort
from numpy.typing import NDArray

from lava_mlsnn.helpers.check import positive_ints
from lava_mlsnn.lava_compat.runtime import Process


class Source(Process):
    """Sends each frame for a number of timesteps, then zeros.

    lava.proc.io.source.RingBuffer keeps time on the last axis, repeats its data for ever and copies them all.

    Args:
        frames: integers (frames, \\*shape), in the order of the port that is fed.
        repeat: timesteps that each frame is sent.
        name: of the Process.

    Ports: ``s_out``. Models: ``fixed_pt``, ``floating_pt``.
    """

    def __init__(self, *, frames: NDArray[Any], repeat: int = 1, name: str | None = None) -> None:
        if frames.dtype.kind not in "iu":
            raise ValueError(f"frames of a source: expected integers, got dtype {frames.dtype}")
        super().__init__(frames=frames, repeat=positive_ints(repeat, "repeat of a source", 1)[0], name=name)
        self.s_out = OutPort(shape=frames.shape[1:])
