"""A Lava runtime that cannot hang: who dies or raises ends the run, with the traceback, and nobody is left behind.

Lava's runtime service asks its processes in turn, so a run whose process raised or died waits forever, and a killed
parent leaves its children. :class:`GuardedRuntime` waits for the run's end, for the death of a process and for a time
limit at once. It takes over by itself in every run that one of this package's Processes belongs to.
"""

from __future__ import annotations

import atexit
import os
import socket
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import Queue
from multiprocessing.connection import wait
from queue import Empty
from typing import Any

import numpy as np
from lava.magma.core.process.message_interface_enum import ActorType
from lava.magma.core.process.process import AbstractProcess
from lava.magma.runtime.mgmt_token_enums import MGMT_COMMAND, MGMT_RESPONSE, enum_equal
from lava.magma.runtime.runtime import Runtime
from numpy.typing import NDArray

from .actors import GRACE, Actor, Infrastructure


class ProcessError(RuntimeError):
    """A process of a Lava run raised or died. The message holds each one's name and traceback."""


class GuardedRuntime(Runtime):
    """Lava's runtime, but a run ends with :class:`ProcessError` as soon as one of its processes raises or dies.

    Attributes:
        timeout: seconds that one blocking run (or ``wait``) may take, None for no limit. A run that takes longer ends
            with TimeoutError.

    After an error no process of the run is left; the network cannot be run again.
    """

    timeout: float | None = None
    runtime_to_service: Any
    service_to_runtime: Any
    _owner = 0
    _messaging_infrastructure: Any

    def initialize(self, node_cfg_idx: int = 0) -> None:
        """Fork the processes, and wait until each is built."""
        self._owner = os.getpid()
        _LIVE.add(self)
        try:
            self._build_watchdog_manager()
            self._messaging_infrastructure = Infrastructure()
            self._messaging_infrastructure.start()
            self._build_channels()
            self._build_sync_channels()
            self._build_processes()
            self._build_runtime_services()
            self._label_actors()
            self._start_ports()
            self._await_builds()
        except BaseException:
            self.abort()
            raise
        self._is_initialized = True

    def start(self, run_condition: Any) -> None:
        """Run as the condition says; RuntimeError if this runtime has ended, where Lava's returns without a word."""
        if not self._is_initialized:
            raise RuntimeError("this run has been stopped: build the network again to run it once more")
        super().start(run_condition)

    def _label_actors(self) -> None:
        names = [f"{process.name} ({process.model_class.__name__})" for process in self._executable.proc_builders]
        for index, actor in enumerate(self._actors):
            actor.label = names[index] if index < len(names) else "runtime service"

    @property
    def _actors(self) -> list[Actor]:
        return [] if self._messaging_infrastructure is None else self._messaging_infrastructure.actors

    def _await_builds(self) -> None:
        deadline = self._deadline()
        queues: list[Queue[Any]] = self.exception_q
        for queue, actor in zip(queues, self._actors, strict=True):
            while True:
                try:
                    error = queue.get(timeout=0.2)
                    break
                except Empty:
                    if not actor.is_alive():
                        self._fail()
                    _left(deadline, self.timeout)
            if error is not None:
                raise ProcessError(f"{actor.label} cannot be built:\n{error.trace}") from error
            queue.close()
        del self.exception_q

    def _deadline(self) -> float | None:
        return None if self.timeout is None else time.monotonic() + self.timeout

    def _get_resp_for_run(self) -> None:
        if not self._is_running:
            return
        try:
            self._await_end(self._deadline())
        except BaseException:
            self.abort()
            raise

    def _await_end(self, deadline: float | None) -> None:
        pending = list(self.service_to_runtime)
        with _doorbell(pending) as bell:
            while pending:
                for port in [port for port in pending if port.probe()]:
                    data = port.recv()
                    if enum_equal(data, MGMT_RESPONSE.REQ_PAUSE):
                        self.pause()
                        return
                    if enum_equal(data, MGMT_RESPONSE.REQ_STOP):
                        self.stop()
                        return
                    if not enum_equal(data, MGMT_RESPONSE.DONE):
                        self._fail()
                    pending.remove(port)
                if pending:
                    self._listen(bell, deadline)
        self._is_running = False

    def _listen(self, bell: socket.socket, deadline: float | None) -> None:
        """Sleep until the service answers; raise if a process ends or the time is over."""
        watched: list[Any] = [bell, *(actor._pconn for actor in self._actors), *(a.sentinel for a in self._actors)]
        ready = wait(watched, _left(deadline, self.timeout))
        if bell in ready:
            bell.recv(4096)
        elif ready:
            self._fail()

    def _fail(self) -> None:
        """Raise what the processes that ended have to say; a traceback gets a moment to arrive."""
        deadline = time.monotonic() + 1
        while not (words := [text for text in (actor.obituary() for actor in self._actors) if text]):
            if time.monotonic() > deadline:
                ended = [actor.label for actor in self._actors if not actor.is_alive()]
                raise ProcessError(f"the Lava run broke off; ended without an error: {', '.join(ended) or 'nobody'}")
            time.sleep(0.01)
        raise ProcessError(f"{len(words)} process(es) of the Lava run failed\n\n" + "\n\n".join(words))

    def get_var(self, var_id: int, idx: Any = None) -> Any:
        """Lava's, under the same guard as a run."""
        with self._patience():
            return super().get_var(var_id, idx)

    def set_var(self, var_id: int, value: Any, idx: Any = None) -> None:
        """Lava's, under the same guard as a run; ValueError for integers that Lava's model would wrap."""
        self._check_value(var_id, np.asarray(value))
        with self._patience():
            super().set_var(var_id, value, idx)

    def _check_value(self, var_id: int, value: NDArray[Any]) -> None:
        var = self._executable.node_configs[0].var_models.get(var_id)
        for process in self._executable.proc_builders:
            if var is None or process.id != var.proc_id or not value.size:
                continue
            declared = getattr(process.model_class, var.name, None)
            kind = getattr(declared, "d_type", None) if getattr(declared, "cls", None) is np.ndarray else None
            if isinstance(kind, type) and issubclass(kind, np.integer):
                limits, low, high = np.iinfo(kind), value.min(), value.max()
                if low < limits.min or high > limits.max:
                    raise ValueError(
                        f"Var {var.name!r} of {process.name!r} holds {kind.__name__}, {limits.min} .. {limits.max}: "
                        f"got {low} .. {high}"
                    )

    @contextmanager
    def _patience(self) -> Iterator[None]:
        """Meanwhile no port to the runtime service waits for the dead."""
        ports = self.runtime_to_service, self.service_to_runtime
        deadline = self._deadline()

        def check(failed: bool = False) -> None:
            try:
                if failed or not all(actor.is_alive() for actor in self._actors):
                    self._fail()
                _left(deadline, self.timeout)
            except BaseException:
                self.abort()
                raise

        self.runtime_to_service, self.service_to_runtime = ([_Patient(port, check) for port in side] for side in ports)
        try:
            yield
        finally:
            self.runtime_to_service, self.service_to_runtime = ports

    def stop(self) -> None:
        """End the run and all its processes; a call when all has ended does nothing."""
        if self._owner != os.getpid():  # the copy of a forked child, or never initialized
            return
        try:
            if self._is_started:
                self._ask_to_stop(time.monotonic() + GRACE)
        except BaseException:
            self.abort()
            raise
        self.abort(GRACE if self._is_started else 0)

    def _ask_to_stop(self, deadline: float) -> None:
        for port in self.runtime_to_service:
            port.send(MGMT_COMMAND.STOP)
        pending = list(self.service_to_runtime)
        while pending and time.monotonic() < deadline and all(actor.is_alive() for actor in self._actors):
            for port in [port for port in pending if port.probe()]:
                if enum_equal(port.recv(), MGMT_RESPONSE.TERMINATED):
                    pending.remove(port)
            time.sleep(0.001)

    def abort(self, grace: float = 0.0) -> None:
        """End all processes, after ``grace`` seconds at most, without asking the runtime service."""
        if self._owner != os.getpid():
            return
        self._owner = 0
        _LIVE.discard(self)
        infrastructure, self._messaging_infrastructure = self._messaging_infrastructure, None
        if infrastructure is not None:
            if grace:
                infrastructure.stop(grace)
            else:
                infrastructure.kill()
        self.join()
        self._is_running = self._is_started = self._is_initialized = False
        if self._watchdog_manager is not None:
            self._watchdog_manager.stop()


class _Patient:
    """A port that calls ``check`` again and again while it waits, and ``check(True)`` if the first answer is an error.

    Lava would take that for the number of values that follow.
    """

    def __init__(self, port: Any, check: Callable[..., None]) -> None:
        self.port, self.check, self.first = port, check, True

    def _wait(self) -> None:
        while not self.port.within(0.2):
            self.check()

    def send(self, data: Any) -> None:
        """Send when there is room."""
        self._wait()
        self.port.send(data)

    def recv(self) -> Any:
        """The next message."""
        self._wait()
        data, first, self.first = self.port.recv(), self.first, False
        if first and enum_equal(data, MGMT_RESPONSE.ERROR):
            self.check(True)
        return data


def _left(deadline: float | None, timeout: float | None) -> float | None:
    """Seconds until ``deadline``, None for no limit; TimeoutError if it has passed."""
    if deadline is None:
        return None
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError(f"the Lava run took longer than {timeout} s and was ended")
    return left


_LIVE: weakref.WeakSet[GuardedRuntime] = weakref.WeakSet()


@atexit.register
def _end_all() -> None:
    """Runs before multiprocessing's own exit handler, which would wait for the processes forever."""
    for runtime in list(_LIVE):
        runtime.abort()


@contextmanager
def _doorbell(ports: list[Any]) -> Iterator[socket.socket]:
    """A socket that can be waited for, rung when something arrives at one of ``ports``."""
    listener, ringer = socket.socketpair()
    ringer.setblocking(False)

    def ring() -> None:
        try:
            ringer.send(b"!")
        except (BlockingIOError, OSError):  # already ringing, or nobody listens any more
            return

    for port in ports:
        port.observer = ring
    try:
        yield listener
    finally:
        for port in ports:
            port.observer = None
        listener.close()
        ringer.close()


def guard(runtime: Any) -> Any:
    """Turn a Runtime of Lava that has not started into a :class:`GuardedRuntime`, in place."""
    if type(runtime) is Runtime and not runtime._is_initialized:
        runtime.__class__ = GuardedRuntime
    return runtime


class Process(AbstractProcess):
    """Base of this package's Processes: the runtime of a run that they belong to is guarded."""

    @property
    def runtime(self) -> Any:
        """The runtime that executes this Process, None before the first run."""
        return self.__dict__.get("_runtime")  # also of a Process whose making failed

    @runtime.setter
    def runtime(self, value: Any) -> None:
        self._runtime = guard(value)
        if value is not None:
            self.prepare()

    def prepare(self) -> None:
        """Called after compiling and before the processes are forked."""

    def create_runtime(self, run_cfg: Any = None, executable: Any = None, compile_config: Any = None) -> None:
        """Compile this and all connected Processes and fork the run's processes."""
        create_runtime(self, run_cfg, compile_config, executable)


def create_runtime(
    process: AbstractProcess,
    run_cfg: Any,
    compile_config: Any = None,
    executable: Any = None,
    timeout: float | None = None,
) -> None:
    """What AbstractProcess.create_runtime does, for any Process, with a guarded runtime and its ``timeout``."""
    executable = executable or process.compile(run_cfg, compile_config)
    runtime = GuardedRuntime(executable, ActorType.MultiProcessing, loglevel=process._log_config.level)
    runtime.timeout = timeout
    process._runtime = runtime
    executable.assign_runtime_to_all_processes(runtime)
    runtime.initialize()
