"""lava_compat can be used alone: stock Processes run under guard, and nothing of networks is loaded."""

from __future__ import annotations

import subprocess
import sys

import pytest

from lava_mlsnn import lava_compat

PRELUDE = """
import sys
from lava_mlsnn import lava_compat
assert not [name for name in sys.modules if name == "lava" or name.startswith("lava.")]
lava_compat.apply()
import numpy as np
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort
from lava.magma.core.process.process import AbstractProcess, ProcessServer
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.dense.process import Dense
from lava.proc.io.sink import RingBuffer as Sink
from lava.proc.io.source import RingBuffer as Source
from lava.proc.lif.process import LIF

class Bomb(AbstractProcess):
    def __init__(self, shape):
        super().__init__()
        self.inp = InPort(shape=shape)

@lava_compat.cpu_model(Bomb)
class PyBomb(PyLoihiProcessModel):
    inp: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    def run_spk(self):
        self.inp.recv()
        if self.time_step == 3:
            raise ArithmeticError("boom")

FIXED = Loihi2SimCfg(select_tag="fixed_pt")
"""

STOCK = """
source, dense = Source(data=np.ones((2, 5), int)), Dense(weights=np.array([[2, 4]]), num_message_bits=4)
lif, sink = LIF(shape=(1,), vth=5, du=4095, dv=0), Sink(shape=(1,), buffer=5)
source.s_out.connect(dense.s_in)
dense.a_out.connect(lif.a_in)
lif.s_out.connect(sink.a_in)
"""

RUN = """
before = len(ProcessServer().processes)
with lava_compat.tidy():
    {stock}
    lava_compat.run(lif, 5, FIXED, timeout=60)
    print(sink.data.get().astype(int).tolist())
    lif.stop()
assert len(ProcessServer().processes) == before
"""

BREAK = """
bomb = Bomb((1,))
lif.s_out.connect(bomb.inp)
try:
    lava_compat.run(bomb, 5, FIXED)
except lava_compat.ProcessError as error:
    assert "ArithmeticError: boom" in str(error) and "PyBomb" in str(error)
    print("ended")
"""

LOADED = """
ours = {name.split(".")[1] for name in sys.modules if name.startswith("lava_mlsnn.")}
print("others:", sorted(ours - {"lava_compat", "helpers"}))
"""


def python(*parts: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", "".join(parts)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.splitlines()


def test_stock_processes_run_and_nothing_of_networks_is_loaded() -> None:
    run = RUN.format(stock=STOCK.strip().replace("\n", "\n    "))
    assert python(PRELUDE, run, LOADED) == ["[[0, 1, 1, 1, 1]]", "others: []"]


def test_a_stock_run_ends_with_the_reason() -> None:
    assert python(PRELUDE, STOCK, BREAK, LOADED) == ["ended", "others: []"]


def test_every_name_is_there_and_others_are_not() -> None:
    assert all(getattr(lava_compat, name).__doc__ for name in lava_compat.__all__)
    with pytest.raises(AttributeError, match="no attribute 'networks'"):
        _ = lava_compat.networks  # type: ignore[attr-defined]


def test_members_that_a_model_does_not_know() -> None:
    class Model(metaclass=lava_compat.DynamicMembers):
        @staticmethod
        def member(name: str) -> object:
            return name.upper() if name == "known" else None

    assert Model.known == "KNOWN"
    for name in ("other", "_known"):
        with pytest.raises(AttributeError, match=f"'Model' has no attribute '{name}'"):
            getattr(Model, name)
