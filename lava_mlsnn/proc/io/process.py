"""Lava Processes that feed a network, delay, adapt, watch and record its spikes."""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.variable import Var
from numpy.typing import DTypeLike, NDArray

from lava_mlsnn.graph.graph import NetGraph
from lava_mlsnn.helpers.check import positive_ints
from lava_mlsnn.lava_compat.guarded import Process
from lava_mlsnn.lava_compat.shared import shared_array
from lava_mlsnn.proc.observe import Observer
from lava_mlsnn.proc.ports import PortShape, port_shapes
from lava_mlsnn.proc.timing import Resets

MESSAGE_BITS = 24


class Source(Process):
    """Sends each frame for a number of timesteps, then zeros.

    lava.proc.io.source.RingBuffer keeps time on the last axis, repeats its data for ever and copies all of it.

    Args:
        frames: integers (frames, \\*shape), in the order of the port that is fed.
        repeat: timesteps that each frame is sent.
        name: of the Process.

    Ports: ``s_out``. Models: ``fixed_pt``, ``floating_pt``.
    """

    def __init__(self, *, frames: NDArray[Any], repeat: int = 1, name: str | None = None) -> None:
        frames = np.asarray(frames)
        if frames.dtype.kind not in "iu":
            raise ValueError(f"frames of a source: expected integers, got dtype {frames.dtype}")
        super().__init__(frames=frames, repeat=positive_ints(repeat, "repeat of a source", 1)[0], name=name)
        self.s_out = OutPort(shape=frames.shape[1:])


class Sink(Process):
    """Records what arrives, in memory that the parent sees: no message per element, and readable after the run's end.

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
        super().__init__(shape=shape, steps=steps, name=name, **Resets(reset_interval, reset_offset).arguments)
        self.s_in = InPort(shape=shape)
        self.s_out = OutPort(shape=shape)
        self.buffer = Var(shape=(max(steps, 1), *shape), init=0)


class _Adapter(Process):
    """One port in, one out, of one shape."""

    def __init__(self, *, shape: PortShape, num_message_bits: int = MESSAGE_BITS, name: str | None = None) -> None:
        shape = positive_ints(shape, "shape of an adapter", len(shape))
        (bits,) = positive_ints(num_message_bits, "num_message_bits of an adapter", 1)
        super().__init__(shape=shape, num_message_bits=bits, name=name)
        self.shape, self.num_message_bits = shape, bits
        self.inp = InPort(shape=shape)
        self.out = OutPort(shape=shape)


class InputAdapter(_Adapter):
    """Hands what a Process on the host sends to a network.

    On a CPU it passes everything on within the timestep. On Loihi 2 its model wraps the spike adapters of Intel's
    ``lava.proc.embedded_io`` (the one for convolutions where the shape is (W, H, C)); that is untested on silicon.

    Args:
        shape: of the network's ``inp``.
        num_message_bits: width of a graded spike.
        name: of the Process.

    Ports: ``inp``, ``out``.

    Example:
        >>> InputAdapter(shape=(8, 8, 1)).out.shape
        (8, 8, 1)
    """


class OutputAdapter(_Adapter):
    """Hands what a network sends to a Process on the host; see :class:`InputAdapter`.

    Example:
        >>> OutputAdapter(shape=(10,)).inp.shape
        (10,)
    """


class Tap(Process):
    """Receives the spikes of several layers of a hierarchical network and shows them to an observer.

    Ports: ``tap_0``, ``tap_1``, ... one per name of the observer. Model: ``fixed_pt``.
    """

    def __init__(self, graph: NetGraph, observer: Observer, name: str | None = None) -> None:
        super().__init__(graph=graph, observer=observer, name=name)
        shapes = port_shapes(graph)
        for index, layer in enumerate(observer.names):
            setattr(self, f"tap_{index}", InPort(shape=shapes[layer]))
