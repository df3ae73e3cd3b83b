"""Loihi 2 ProcessModels of the multi-level and the barrier neuron: skeletons, **untested on silicon**.

They allocate as Lava's public examples do and take their microcode from the user
(:func:`lava_mlsnn.proc.loihi2.use_microcode`). Without Intel's private extension of Lava this module defines nothing.
"""

from __future__ import annotations

from math import prod
from typing import Any, ClassVar

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.resources import Loihi2NeuroCore
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from lava_mlsnn.proc.loihi2 import extension
from lava_mlsnn.proc.neurons.process import Barrier, MultiLevel

if extension.NC_MODELS:
    LavaNcType, NcInPort, NcOutPort = extension.LavaNcType, extension.NcInPort, extension.NcOutPort

    class NcPopulationModel(extension.AbstractNcProcessModel):
        """A population in microcode; untested on silicon.

        The microcode finds ``per_neuron`` in each neuron's own state; N, the reset interval (0 for none), its offset
        and the first step in the configuration that all neurons share.
        """

        ucode: ClassVar[str]
        per_neuron: ClassVar[tuple[str, ...]]

        def allocate(self, net: Any) -> None:
            """Reserve neurons and axons in a neurocore's net, and connect them to the ports."""
            params = self.proc_params
            flat = (prod(params["shape"]),)
            interval = params["reset_interval"] or 0
            config = net.neurons_cfg.allocate_ucode(
                shape=(1,),
                ucode=extension.microcode(self.ucode),
                levels=self.levels,
                reset_interval=interval,
                reset_offset=params["reset_offset"] % max(interval, 1),
                start=params["start"],
            )
            neurons = net.neurons.allocate_ucode(shape=flat, **{name: getattr(self, name) for name in self.per_neuron})
            axons = net.ax_out.allocate(shape=flat, num_message_bits=16)
            self.a_in.connect(neurons)
            neurons.connect(config)
            neurons.connect(axons)
            axons.connect(self.s_out)

    @implements(proc=MultiLevel, protocol=LoihiProtocol)
    @requires(Loihi2NeuroCore)
    @tag("ucoded")
    class NcMultiLevelModel(NcPopulationModel):
        """Multi-level neuron in microcode; untested on silicon."""

        ucode = "multilevel"
        per_neuron = ("v", "threshold", "bias")
        a_in: Any = LavaNcType(NcInPort, np.int32, precision=24)
        s_out: Any = LavaNcType(NcOutPort, np.int32, precision=24)
        v: Any = LavaNcType(extension.NcVar, np.int32, precision=24)
        threshold: Any = LavaNcType(extension.NcVar, np.int32, precision=24)
        bias: Any = LavaNcType(extension.NcVar, np.int32, precision=24)
        levels: Any = LavaNcType(extension.NcVar, np.int32, precision=16)

    @implements(proc=Barrier, protocol=LoihiProtocol)
    @requires(Loihi2NeuroCore)
    @tag("ucoded")
    class NcBarrierModel(NcPopulationModel):
        """Barrier neuron in microcode; untested on silicon."""

        ucode = "barrier"
        per_neuron = ("v",)
        a_in: Any = LavaNcType(NcInPort, np.int32, precision=24)
        s_out: Any = LavaNcType(NcOutPort, np.int32, precision=24)
        v: Any = LavaNcType(extension.NcVar, np.int32, precision=24)
        levels: Any = LavaNcType(extension.NcVar, np.int32, precision=16)
