"""What every test gets: one thread per library, a hypothesis profile, no network, and no process left behind."""

from __future__ import annotations

import os

# Read when numpy, numba, torch and matplotlib are first imported, so before anything else here.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", "2")
os.environ.setdefault("MPLBACKEND", "Agg")

import signal
import socket
import sys
from collections.abc import Iterator
from typing import Any

import hypothesis
import psutil
import pytest
import tally
import without_torch

# The machine may be busy, so no deadlines. On CI the same examples every time; `thorough` is for a change of an engine.
hypothesis.settings.register_profile("dev", deadline=None, max_examples=30)
hypothesis.settings.register_profile("ci", deadline=None, max_examples=30, derandomize=True, print_blob=True)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=500)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))

# A shell that runs the tests in the background has them ignore Ctrl-C, which some of them press.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

without_torch.skip_what_needs_it()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Counts of random graphs."""
    tally.hand_over(session.config)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: Any) -> None:
    """The same of one of pytest-xdist's workers."""
    tally.take_over(node)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Printed at the end."""
    tally.report(terminalreporter)


def _children() -> set[psutil.Process]:
    """Processes started from here, but for Python's own resource tracker, which stays by design."""
    found = set()
    for process in psutil.Process().children(recursive=True):
        try:
            if process.status() != psutil.STATUS_ZOMBIE and "resource_tracker" not in " ".join(process.cmdline()):
                found.add(process)
        except psutil.NoSuchProcess:
            pass
    return found


def _leftovers(before: set[psutil.Process]) -> list[str]:
    """End what was started since ``before`` and does not end by itself; what it was."""
    _, alive = psutil.wait_procs(_children() - before, timeout=5)
    names = [f"{process.pid} {process.name()}" for process in alive]
    for process in alive:
        process.kill()
    psutil.wait_procs(alive, timeout=5)
    return names


@pytest.fixture(autouse=True)
def no_process_left() -> Iterator[None]:
    """A Lava runtime forks one process per Process; one that is not stopped would live on and slow every later test."""
    before = _children()
    yield
    if "multiprocessing" in sys.modules or "subprocess" in sys.modules:
        names = _leftovers(before)
        assert not names, f"the test left processes behind, now killed: {', '.join(names)}"


@pytest.fixture(autouse=True, scope="session")
def no_process_left_at_the_end() -> Iterator[None]:
    """The same for runtimes that wider fixtures hold."""
    before = _children()
    yield
    names = _leftovers(before)
    assert not names, f"the tests left processes behind, now killed: {', '.join(names)}"


@pytest.fixture(autouse=True, scope="session")
def no_network() -> Iterator[None]:
    """Data comes from installed packages or is made by the test: connecting to another machine is an error."""
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise OSError(f"tests have no network: connect to {address}")
        real(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect)
        yield
