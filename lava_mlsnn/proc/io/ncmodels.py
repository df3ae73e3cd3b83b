"""Loihi 2 ProcessModels of the adapters, **untested on silicon**: embedded I/O of Intel's private extension of Lava.

Without the extension this module defines nothing.
"""

from __future__ import annotations

from typing import Any

from lava.magma.core.decorator import implements, requires
from lava.magma.core.model.sub.model import AbstractSubProcessModel
from lava.magma.core.resources import Loihi2NeuroCore
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from lava_mlsnn.proc.io.process import InputAdapter, OutputAdapter

try:
    from lava.proc.embedded_io import spike as embedded
except ImportError:
    embedded = None

if embedded is not None:

    @implements(proc=InputAdapter, protocol=LoihiProtocol)
    @requires(Loihi2NeuroCore)
    class NxInputAdapterModel(AbstractSubProcessModel):
        """From the host to the chip; untested on silicon."""

        def __init__(self, proc: InputAdapter) -> None:
            kind: Any = embedded.PyToN3ConvAdapter if len(proc.shape) == 3 else embedded.PyToNxAdapter
            self.adapter = kind(shape=proc.shape, num_message_bits=proc.num_message_bits)
            proc.inp.connect(self.adapter.inp)
            self.adapter.out.connect(proc.out)

    @implements(proc=OutputAdapter, protocol=LoihiProtocol)
    @requires(Loihi2NeuroCore)
    class NxOutputAdapterModel(AbstractSubProcessModel):
        """From the chip to the host; untested on silicon."""

        def __init__(self, proc: OutputAdapter) -> None:
            self.adapter: Any = embedded.NxToPyAdapter(shape=proc.shape, num_message_bits=proc.num_message_bits)
            proc.inp.connect(self.adapter.inp)
            self.adapter.out.connect(proc.out)
