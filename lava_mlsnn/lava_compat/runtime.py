"""A Lava runtime that cannot hang: a process that raises or dies ends the run with its traceback.

Lava's runtime service asks its processes one after the other, so a run waits forever if one of them has raised or died,
and a killed parent leaves its children behind. :class:`GuardedRuntime` waits for three things at once: the end of the
run, the death of a process, and a time limit.
"""

from __future__ import annotations

import atexit
import os
import socket
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import Queue
from multiprocessing.connection import wait
from queue import Empty
from typing import Any

import numpy as np
from lava.magma.runtime.mgmt_token_enums import MGMT_COMMAND, MGMT_RESPONSE, enum_equal
from lava.magma.runtime.runtime import Runtime
from numpy.typing import NDArray

from .actors import GRACE, Actor, Infrastructure
from .waiting import POLL, Deadline, GuardedPort, doorbell


class ProcessError(RuntimeError):
    """A process of a Lava run raised or died. The message names each of them and holds its traceback."""


class GuardedRuntime(Runtime):
    """Lava's runtime, but a run ends with :class:`ProcessError` as soon as one of its processes raises or dies.

    After an error no process of the run is left, and the same Processes cannot be run again.

    Attributes:
        timeout: seconds that one blocking run (or ``wait``) may take, None for no limit. A run that takes longer ends
            with TimeoutError.
    """

    timeout: float | None = None
    runtime_to_service: Any
    service_to_runtime: Any
    _owner = 0
    _messaging_infrastructure: Any

    def initialize(self, node_cfg_idx: int = 0) -> None:
        """Fork the processes and wait until each has built its model."""
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
        """Run as the condition says; RuntimeError if this runtime has ended, where Lava's returns silently."""
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
        deadline = Deadline(self.timeout)
        queues: list[Queue[Any]] = self.exception_q
        for queue, actor in zip(queues, self._actors, strict=True):
            while True:
                try:
                    error = queue.get(timeout=POLL)
                    break
                except Empty:
                    if not actor.is_alive():
                        self._fail()
                    deadline.left()
            if error is not None:
                raise ProcessError(f"{actor.label} cannot be built:\n{error.trace}") from error
            queue.close()
        del self.exception_q

    def _get_resp_for_run(self) -> None:
        if not self._is_running:
            return
        try:
            self._await_end(Deadline(self.timeout))
        except BaseException:
            self.abort()
            raise

    def _await_end(self, deadline: Deadline) -> None:
        pending = list(self.service_to_runtime)
        with doorbell(pending) as bell:
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

    def _listen(self, bell: socket.socket, deadline: Deadline) -> None:
        """Sleep until the service answers; raise if a process ends or the time is up."""
        watched: list[Any] = [bell, *(actor._pconn for actor in self._actors), *(a.sentinel for a in self._actors)]
        ready = wait(watched, deadline.left())
        if bell in ready:
            bell.recv(4096)
        elif ready:
            self._fail()

    def _fail(self) -> None:
        """Raise with the reasons of all processes that failed; a traceback may take a moment to arrive."""
        deadline = time.monotonic() + 1
        while not (reasons := [reason for reason in (actor.failure() for actor in self._actors) if reason]):
            if time.monotonic() > deadline:
                ended = [actor.label for actor in self._actors if not actor.is_alive()]
                raise ProcessError(f"the Lava run broke off; ended without an error: {', '.join(ended) or 'none'}")
            time.sleep(0.01)
        raise ProcessError(f"{len(reasons)} process(es) of the Lava run failed\n\n" + "\n\n".join(reasons))

    def get_var(self, var_id: int, idx: Any = None) -> Any:
        """Value of a Var, guarded as a run is."""
        with self._guarded_ports():
            return super().get_var(var_id, idx)

    def set_var(self, var_id: int, value: Any, idx: Any = None) -> None:
        """Set a Var, guarded as a run is; ValueError for integers that do not fit the type that the model declares."""
        self._check_value(var_id, np.asarray(value))
        with self._guarded_ports():
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
    def _guarded_ports(self) -> Iterator[None]:
        """Inside, ports to the runtime service raise where they would wait for a process that has died."""
        ports = self.runtime_to_service, self.service_to_runtime
        deadline = Deadline(self.timeout)

        def check(failed: bool = False) -> None:
            try:
                if failed or not all(actor.is_alive() for actor in self._actors):
                    self._fail()
                deadline.left()
            except BaseException:
                self.abort()
                raise

        self.runtime_to_service, self.service_to_runtime = (
            [GuardedPort(port, check) for port in side] for side in ports
        )
        try:
            yield
        finally:
            self.runtime_to_service, self.service_to_runtime = ports

    def stop(self) -> None:
        """End the run and all its processes; does nothing if they have ended."""
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


_LIVE: weakref.WeakSet[GuardedRuntime] = weakref.WeakSet()


@atexit.register
def _end_all() -> None:
    """Runs before multiprocessing's own exit handler, which would wait for the processes forever."""
    for runtime in list(_LIVE):
        runtime.abort()
