"""CPU ProcessModels of populations: one in integers for all of them, and models in floats where there are any."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from numpy.typing import NDArray

from lava_mlsnn.graph.neurons import Neuron
from lava_mlsnn.lava_compat.declare import DynamicMembers, cpu_model
from lava_mlsnn.proc.neurons import process as processes
from lava_mlsnn.proc.parameters import current_parameters, float_var, integer_var
from lava_mlsnn.proc.timing import Resets


class PopulationModel(PyLoihiProcessModel):
    """Receives the dendrite's sum, and sends what :meth:`respond` makes of it, once the population has started."""

    a_in: Any
    s_out: Any

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self._resets = Resets.of_process(proc_params)
        self._state: tuple[str, ...] = proc_params["state"]
        self._silence: NDArray[Any] = np.zeros(proc_params["shape"], np.int32)

    def run_spk(self) -> None:
        """One timestep."""
        current = self.a_in.recv()
        if self.time_step < self._resets.start:
            self.s_out.send(self._silence)
            return
        if self._resets.at(self.time_step):
            for name in self._state:
                getattr(self, name)[...] = 0
        self.s_out.send(self.respond(current))

    def respond(self, current: NDArray[Any]) -> NDArray[Any]:
        """Integrate ``current`` and return the spikes."""
        raise NotImplementedError


class FixedModel(PopulationModel, metaclass=DynamicMembers):
    """A population in integers: the reference step of its neuron, with the parameters that the Vars hold."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    member = staticmethod(integer_var)
    _neuron: Neuron | None = None

    def on_var_update(self) -> None:
        """A Var was set: read the parameters again."""
        self._neuron = None

    def respond(self, current: NDArray[Any]) -> NDArray[np.int32]:
        """One step of the reference."""
        if self._neuron is None:
            self._neuron = self.proc_params["kind"](**current_parameters(self))
        t = self._resets.since(self.time_step) % (self.proc_params["period"] or sys.maxsize)
        before = {name: getattr(self, name) for name in self._state}
        spikes, after = self._neuron.step(before, current, getattr(self, "bias", None), channel_axis=-1, t=t)
        for name in self._state:
            getattr(self, name)[...] = after[name]
        return spikes


def _fixed(process: type[processes.Population]) -> Any:
    """The model in integers of a Process class: Lava takes no model of a base class."""
    name = f"Py{process.__name__}ModelFixed"
    members = {"__module__": __name__, "__doc__": f"{process.__name__} in integers."}
    return cpu_model(process)(DynamicMembers(name, (FixedModel,), members))


for _process in (processes.Population, *processes.NAMED):
    _model = _fixed(_process)
    globals()[_model.__name__] = _model
del _process, _model


class FloatModel(PopulationModel, metaclass=DynamicMembers):
    """A population in floats."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, float)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, float)
    member = staticmethod(float_var)
    v: Any
    bias: Any
    threshold: Any
    levels: Any


@cpu_model(processes.MultiLevel, "floating_pt")
class PyMultiLevelModelFloat(FloatModel):
    """Multi-level neuron in floats."""

    def respond(self, current: NDArray[Any]) -> NDArray[np.float64]:
        """The equation of the neuron."""
        return soft_reset(self.v, current + self.bias, self.threshold, self.levels)


@cpu_model(processes.Barrier, "floating_pt")
class PyBarrierModelFloat(FloatModel):
    """Barrier neuron in floats."""

    def respond(self, current: NDArray[Any]) -> NDArray[np.float64]:
        """The equation of the neuron."""
        return soft_reset(self.v, current, 1.0, self.levels)


@cpu_model(processes.Readout, "floating_pt")
class PyReadoutModelFloat(FloatModel):
    """Readout in floats."""

    def respond(self, current: NDArray[Any]) -> NDArray[np.float64]:
        """The equation of the neuron."""
        self.v += current + self.bias
        return np.asarray(self.v)


@cpu_model(processes.Relay, "floating_pt")
class PyRelayModelFloat(FloatModel):
    """Relay in floats."""

    def respond(self, current: NDArray[Any]) -> NDArray[np.float64]:
        """The equation of the neuron."""
        return np.asarray(current + self.bias)


def soft_reset(v: NDArray[np.float64], current: Any, threshold: Any, levels: Any) -> NDArray[np.float64]:
    r"""Spikes in floats, :math:`z = \mathrm{clip}(\lfloor (V + a) / \theta \rfloor, 0, N)`; ``v`` keeps the rest.

    Example:
        >>> v = np.array([0.5, 0.0])
        >>> soft_reset(v, np.array([2.0, 9.5]), 1.0, 4).tolist(), v.tolist()
        ([2.0, 4.0], [0.5, 5.5])
    """
    v += current
    spikes = np.clip(np.floor(v / threshold), 0, levels)
    v -= threshold * spikes
    return spikes
