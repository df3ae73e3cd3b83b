"""The guarded runtime: whatever breaks, the run ends soon, with the reason, and no process is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import psutil
import pytest
from lava.magma.core.run_conditions import RunContinuous, RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.io.sink import RingBuffer
from proc_broken import Broken

from lava_mlsnn import proc


def chain(way, step):
    """source -> broken -> relay -> sink."""
    source = proc.Source(frames=np.ones((10, 4), np.int32))
    broken, relay, sink = Broken((4,), way, step), proc.Relay(shape=(4,)), proc.Sink(shape=(4,), steps=20)
    source.s_out.connect(broken.inp)
    broken.out.connect(relay.a_in)
    relay.s_out.connect(sink.a_in)
    return sink, broken


WORDS = {
    "raise": "ArithmeticError: the sky falls",
    "raise unpicklable": "UnpicklableError: cannot be pickled",
    "exit": "exit code 3",
    "exit quietly": "broken",
    "kill": "SIGKILL",
}


@pytest.mark.parametrize("step", [3, 0], ids=["running", "building"])
@pytest.mark.parametrize("way", WORDS)
def test_a_process_that_breaks_ends_the_run_with_its_reason(way, step):
    sink, _ = chain(way, step)
    start = time.monotonic()
    with pytest.raises(proc.ProcessError, match=WORDS[way]) as caught:
        proc.run(sink, 10)
    assert time.monotonic() - start < 10
    assert "broken (PyBrokenModel)" in str(caught.value)
    if way.startswith("raise"):
        assert "proc_broken.py" in str(caught.value)  # the traceback
    if step:
        assert sink.data.sum() == 8  # what was recorded before is kept


@pytest.mark.parametrize("step", [3, 0], ids=["running", "building"])
def test_a_process_that_hangs_ends_with_the_timeout(step):
    sink, _ = chain("hang", step)
    with pytest.raises(TimeoutError, match="longer than 1"):
        proc.run(sink, 10, timeout=1)


@pytest.mark.parametrize("step", [-1, -2], ids=["set", "get"])
@pytest.mark.parametrize("way", ["raise", "kill", "hang", "fine"])
def test_reading_and_writing_vars_does_not_wait_for_the_dead(way, step):
    sink, broken = chain(way, step)
    proc.run(sink, 2, timeout=60)
    sink.runtime.timeout = 2
    start = time.monotonic()
    if way == "fine":
        broken.value.set(np.array([1.0, 2, 3]))
        assert broken.value.get().tolist() == [1, 2, 3]
        sink.stop()
        return
    words = "longer than 2" if way == "hang" else WORDS[way]
    with pytest.raises(TimeoutError if way == "hang" else proc.ProcessError, match=words):
        broken.value.set(np.ones(3)) if step == -1 else broken.value.get()
    assert time.monotonic() - start < 10


def test_a_run_that_is_fine_goes_on_and_stops():
    sink, broken = chain("fine", 3)
    proc.run(sink, 4, timeout=30)
    proc.run(sink, 6, timeout=30)
    assert sink.data.sum() == 40
    broken.stop()
    sink.stop()  # a second stop does nothing
    with pytest.raises(RuntimeError, match="build the network again"):
        proc.run(sink, 1)


def test_stock_calls_are_guarded_when_one_of_our_processes_takes_part():
    """A user's own run(...) on a stock Process, with Lava's run configuration."""
    source, broken = proc.Source(frames=np.ones((10, 4), np.int32)), Broken((4,), "raise", 2)
    sink = RingBuffer(shape=(4,), buffer=10)
    source.s_out.connect(broken.inp)
    broken.out.connect(sink.a_in)
    with pytest.raises(proc.ProcessError, match="the sky falls"):
        sink.run(RunSteps(num_steps=5), Loihi2SimCfg(select_tag="fixed_pt"))


def test_a_run_outlives_the_thread_that_started_it():
    sink, _ = chain("fine", 1)
    thread = threading.Thread(target=proc.run, args=(sink, 2))
    thread.start()
    thread.join()
    time.sleep(0.1)
    proc.run(sink, 3, timeout=30)
    sink.stop()
    assert sink.data.sum() == 20


def test_stop_ends_a_run_without_end(tmp_path, monkeypatch):
    told = tmp_path / "told"
    monkeypatch.setenv("BROKEN_TELLS", str(told))
    sink, _ = chain("tell", 5)
    sink.create_runtime(Loihi2SimCfg(select_tag="fixed_pt"))
    sink.run(RunContinuous())
    deadline = time.monotonic() + 60
    while not told.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    sink.stop()
    assert sink.data[0].sum() == 4


def test_stop_before_the_first_step_does_not_hang():
    sink, _ = chain("fine", 1)
    sink.create_runtime(Loihi2SimCfg(select_tag="fixed_pt"))
    sink.stop()


PARENT = """
import sys, numpy as np
sys.path.insert(0, {folder!r})
from lava_mlsnn import proc
from proc_broken import Broken
from lava.magma.core.run_conditions import RunContinuous
from lava.magma.core.run_configs import Loihi2SimCfg
source, relay = proc.Source(frames=np.ones((10, 4), np.int32)), proc.Relay(shape=(4,))
sink = proc.Sink(shape=(4,), steps=5)
source.s_out.connect(relay.a_in)
relay.s_out.connect(sink.a_in)
sink.create_runtime(Loihi2SimCfg(select_tag="fixed_pt"))
sink.run(RunContinuous())
print("running", flush=True)
{end}
"""


@pytest.mark.parametrize(
    "end", ["import time; time.sleep(100)", "", "raise SystemExit(0)"], ids=["kill", "end", "exit"]
)
def test_no_process_outlives_the_parent(end):
    script = PARENT.format(folder=os.path.dirname(__file__), end=end)
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    family = psutil.Process(parent.pid)
    assert parent.stdout is not None and parent.stdout.readline() == "running\n"
    children = [] if not end.startswith("import") else family.children(recursive=True)
    if end.startswith("import"):
        assert len(children) == 4  # three processes and the runtime service
        os.kill(parent.pid, signal.SIGKILL)
    parent.wait(timeout=20)
    parent.stdout.close()
    _, alive = psutil.wait_procs(children, timeout=5)
    assert not alive


FORK_HOOK = """
import os, signal, sys
import numpy as np
from lava_mlsnn import proc
from lava_mlsnn.netx import Connection, Dense, Input, Layer, NetGraph, Readout

forks = []

def press():
    forks.append(1)
    if len(forks) == int(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGINT)
        sum(range(100))  # gives Python the time to notice

os.register_at_fork(after_in_parent=press)
dense = Connection("input", Dense([[1, 2], [3, 4]]))
graph = NetGraph(Input((2, 1, 1)), (Layer("out", (dense,), (2, 1, 1), Readout()),))
try:
    proc.simulate(graph, np.ones((1, 2, 1, 1), int), fused=False)
except KeyboardInterrupt:
    import psutil
    print("interrupted", len(psutil.Process().children()), signal.getsignal(signal.SIGINT).__name__)
"""


@pytest.mark.parametrize("fork", [1, 3])
def test_ctrl_c_in_a_function_that_runs_at_each_fork_ends_the_run(fork):
    done = subprocess.run([sys.executable, "-c", FORK_HOOK, str(fork)], capture_output=True, text=True, timeout=120)
    assert done.stdout == "interrupted 0 default_int_handler\n", done.stderr
