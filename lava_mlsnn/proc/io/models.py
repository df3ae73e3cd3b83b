"""CPU ProcessModels of sources, sinks, delay lines, adapters and taps."""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from numpy.typing import NDArray

from lava_mlsnn.lava_compat.declare import DynamicMembers, cpu_model
from lava_mlsnn.proc.io.process import Delay, InputAdapter, OutputAdapter, Sink, Source, Tap
from lava_mlsnn.proc.observe import Observer
from lava_mlsnn.proc.ports import from_port, port_shapes
from lava_mlsnn.proc.timing import Resets


class SourceModel(PyLoihiProcessModel):
    """Sends frame after frame from memory that is shared with the parent."""

    s_out: Any = None

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.frames: NDArray[Any] = proc_params["frames"]
        self.repeat: int = proc_params["repeat"]
        self.silence: NDArray[Any] = np.zeros(self.frames.shape[1:], self.frames.dtype)

    def run_spk(self) -> None:
        """One timestep."""
        index = (self.time_step - 1) // self.repeat
        self.s_out.send(self.frames[index] if index < len(self.frames) else self.silence)


@cpu_model(Source)
class PySourceModelFixed(SourceModel):
    """Source of integers."""

    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)


@cpu_model(Source, "floating_pt")
class PySourceModelFloat(SourceModel):
    """Source of floats."""

    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, float)


class SinkModel(PyLoihiProcessModel):
    """Writes each step to its row of the shared recording."""

    a_in: Any = None

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.data: NDArray[Any] = proc_params["data"]

    def run_spk(self) -> None:
        """One timestep."""
        received = self.a_in.recv()
        if self.time_step <= len(self.data):
            self.data[self.time_step - 1] = received


@cpu_model(Sink)
class PySinkModelFixed(SinkModel):
    """Sink of integers."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)


@cpu_model(Sink, "floating_pt")
class PySinkModelFloat(SinkModel):
    """Sink of floats."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, float)


@cpu_model(Delay)
class PyDelayModel(PyLoihiProcessModel):
    """A ring of the last spikes."""

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    buffer: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.steps: int = proc_params["steps"]
        self.resets = Resets.of_process(proc_params)

    def run_spk(self) -> None:
        """One timestep: send the oldest spikes first, so that a loop of processes does not wait for itself."""
        slot = (self.time_step - 1) % max(self.steps, 1)
        if self.steps:
            self.s_out.send(self._current(self.buffer[slot]))
            self.buffer[slot] = self.s_in.recv()
        else:
            self.s_out.send(self._current(self.s_in.recv()))

    def _current(self, spikes: NDArray[np.int32]) -> NDArray[np.int32]:
        """The spikes, or zeros where the next step begins another sample."""
        return np.zeros_like(spikes) if self.resets.at(self.time_step + 1) else spikes


class AdapterModel(PyLoihiProcessModel):
    """A wire: what comes in goes out in the same timestep."""

    inp: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)

    def run_spk(self) -> None:
        """One timestep."""
        self.out.send(self.inp.recv())


@cpu_model(InputAdapter)
class PyInputAdapterModel(AdapterModel):
    """Input in integers."""


@cpu_model(OutputAdapter)
class PyOutputAdapterModel(AdapterModel):
    """Output in integers."""


@cpu_model(Tap)
class PyTapModel(PyLoihiProcessModel, metaclass=DynamicMembers):
    """Receives from all ports, then calls the observer."""

    @staticmethod
    def member(name: str) -> LavaPyType | None:
        """The type of ``tap_0``, ``tap_1`` and so on."""
        is_port = name.startswith("tap_") and name[4:].isdigit()
        return LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24) if is_port else None

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
