"""ProcessModels of a whole network."""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.model.sub.model import AbstractSubProcessModel
from numpy.typing import NDArray

from lava_mlsnn.graph.graph import INPUT, NetGraph
from lava_mlsnn.graph.neurons import LIF
from lava_mlsnn.lava_compat.declare import cpu_model
from lava_mlsnn.proc.network.process import FusedNetwork, HierarchicalNetwork
from lava_mlsnn.proc.neurons.stock import check_bias
from lava_mlsnn.proc.observe import Observer
from lava_mlsnn.proc.ports import from_port, port_shapes, to_port
from lava_mlsnn.sim import Stream


@cpu_model(FusedNetwork)
class PyFusedNetworkModel(PyLoihiProcessModel):
    """The integer engine around one input and one output port."""

    inp: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    input_bias: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    added: NDArray[np.int32] | None = None

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        graph: NetGraph = proc_params["graph"]
        shapes = port_shapes(graph)
        self.in_shape, self.flat = graph.input.shape, len(shapes[INPUT]) == 1
        self.out_shape = shapes[graph.output.name]
        self.stream: Stream = proc_params["stream"]
        self.own_bias: NDArray[np.int32] = proc_params["own_bias"]
        self.biased: str | None = proc_params["biased"]
        self.observers: list[Observer] = proc_params["observers"]

    def run_spk(self) -> None:
        """One timestep of all layers."""
        frame = self.inp.recv()
        if self.added is None:
            if self.biased is not None:
                check_bias(self.biased, self.input_bias)
            self.added = self.input_bias - self.own_bias
            self.adds = bool(self.added.any())
        if self.adds:
            frame = frame + self.added
        spikes = self.stream.step(from_port(frame, self.in_shape, self.flat))
        self.out.send(to_port(spikes, self.out_shape))
        for observer in self.observers:
            observer.observe(self.time_step, self.stream, self.stream.counts())

    def on_var_update(self) -> None:
        """The input's bias was set."""
        self.added = None


@cpu_model(HierarchicalNetwork)
class SubNetworkModel(AbstractSubProcessModel):
    """The Processes that the network made and connected when it was made."""

    def __init__(self, process: HierarchicalNetwork) -> None:
        """Everything is built; a bias that was set since then must fit, too."""
        for layer in process.layers:
            if isinstance(layer.spec.neuron, LIF):
                check_bias(layer.name, layer.neuron.bias_mant.init)
