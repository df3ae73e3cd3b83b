"""Processes that break in every way, for the tests of the guarded runtime."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.process.variable import Var
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol


class UnpicklableError(Exception):
    """An exception that cannot travel between processes."""

    def __init__(self, handle: object) -> None:
        super().__init__("cannot be pickled")
        self.handle = handle


def explode() -> None:
    raise ArithmeticError("the sky falls")


def explode_strangely() -> None:
    raise UnpicklableError(lambda: None)


WAYS = {
    "raise": explode,
    "raise unpicklable": explode_strangely,
    "exit": lambda: os._exit(3),
    "exit quietly": lambda: os._exit(0),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "hang": lambda: time.sleep(1000),
    "fine": lambda: None,
    "tell": lambda: Path(os.environ["BROKEN_TELLS"]).touch(),
}


class Broken(AbstractProcess):
    """Passes its input on and breaks in a given timestep, while it is built (step 0), or when its Var is set (-1)
    or read (-2)."""

    def __init__(self, shape: tuple[int, ...], way: str, step: int = 3) -> None:
        super().__init__(way=way, step=step, name="broken")
        self.inp = InPort(shape=shape)
        self.out = OutPort(shape=shape)
        self.value = Var(shape=(3,), init=np.zeros(3))


@implements(proc=Broken, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyBrokenModel(PyLoihiProcessModel):
    inp: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32)
    value: np.ndarray = LavaPyType(np.ndarray, float)

    def __init__(self, proc_params) -> None:
        super().__init__(proc_params)
        self.way, self.step = WAYS[proc_params["way"]], proc_params["step"]
        if self.step == 0:
            self.way()

    def _set_var(self) -> None:
        if self.step == -1:
            self.way()
        super()._set_var()

    def _get_var(self) -> None:
        if self.step == -2:
            self.way()
        super()._get_var()

    def run_spk(self) -> None:
        data = self.inp.recv()
        if self.time_step == self.step:
            self.way()
        self.out.send(data)
