"""CPU ProcessModel of the tap that probes of hierarchical networks use."""

from __future__ import annotations

from abc import ABCMeta
from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from lava_mlsnn.proc.layout import from_port, port_shapes
from lava_mlsnn.proc.observe import Observer
from lava_mlsnn.proc.probe.process import Tap


class TapPorts(ABCMeta):
    """Gives a model class any number of ports: Lava looks each one up on the class by name."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("tap_") and name[4:].isdigit():
            return LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
        raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")


@implements(proc=Tap, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyTapModel(PyLoihiProcessModel, metaclass=TapPorts):
    """Receives from all ports, then calls the observer."""

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.observer: Observer = proc_params["observer"]
        graph, shapes = proc_params["graph"], port_shapes(proc_params["graph"])
        self.layouts = [(name, graph.shape(name), len(shapes[name]) == 1) for name in self.observer.names]

    def run_spk(self) -> None:
        """One timestep."""
        spikes = {}
        for index, (name, shape, flat) in enumerate(self.layouts):
            spikes[name] = from_port(getattr(self, f"tap_{index}").recv(), shape, flat)
        self.observer.observe(self.time_step, spikes)
