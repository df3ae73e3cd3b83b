"""Lava Processes between the host and a network: nothing on a CPU, embedded I/O on Loihi 2."""

from __future__ import annotations

from lava.magma.core.process.ports.ports import InPort, OutPort

from lava_mlsnn.helpers.check import positive_ints
from lava_mlsnn.lava_compat.runtime import Process
from lava_mlsnn.proc.layout import PortShape

MESSAGE_BITS = 24


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
