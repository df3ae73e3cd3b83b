"""Loihi 2 ProcessModel of the multi-level neuron: a skeleton, **untested on silicon**.

It allocates as Lava's public examples do and takes its microcode from the user
(:func:`lava_mlsnn.proc.hardware.use_microcode`). Without Intel's private extension of Lava this module defines nothing.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.resources import Loihi2NeuroCore
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from lava_mlsnn.proc.hardware import extension
from lava_mlsnn.proc.multilevel.process import MultiLevel

if extension.NC_MODELS:
    LavaNcType, NcInPort, NcOutPort = extension.LavaNcType, extension.NcInPort, extension.NcOutPort

    @implements(proc=MultiLevel, protocol=LoihiProtocol)
    @requires(Loihi2NeuroCore)
    @tag("ucoded")
    class NcMultiLevelModel(extension.AbstractNcProcessModel):
        """Multi-level neuron in microcode; untested on silicon.

        The microcode finds membrane, threshold and bias per neuron; N, the reset interval (0 for none), its offset and
        the first step in the configuration that all neurons share.
        """

        a_in: Any = LavaNcType(NcInPort, np.int32, precision=24)
        s_out: Any = LavaNcType(NcOutPort, np.int32, precision=24)
        v: Any = LavaNcType(extension.NcVar, np.int32, precision=24)
        threshold: Any = LavaNcType(extension.NcVar, np.int32, precision=24)
        bias: Any = LavaNcType(extension.NcVar, np.int32, precision=24)
        levels: Any = LavaNcType(extension.NcVar, np.int32, precision=16)

        def allocate(self, net: Any) -> None:
            """Reserve neurons and axons in a neurocore's net, and connect them to the ports."""
            params = self.proc_params
            flat = (prod(params["shape"]),)
            interval = params["reset_interval"] or 0
            config = net.neurons_cfg.allocate_ucode(
                shape=(1,),
                ucode=extension.microcode("multilevel"),
                levels=self.levels,
                reset_interval=interval,
                reset_offset=params["reset_offset"] % max(interval, 1),
                start=params["start"],
            )
            neurons = net.neurons.allocate_ucode(shape=flat, v=self.v, threshold=self.threshold, bias=self.bias)
            axons = net.ax_out.allocate(shape=flat, num_message_bits=16)
            self.a_in.connect(neurons)
            neurons.connect(config)
            neurons.connect(axons)
            axons.connect(self.s_out)
