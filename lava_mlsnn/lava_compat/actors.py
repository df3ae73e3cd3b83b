"""The operating system's processes of a guarded run: they end with their parent and report how they ended."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from functools import partial
from multiprocessing import Process as OsProcess
from typing import Any

from lava.magma.compiler.channels.interfaces import ChannelType
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.runtime.message_infrastructure.multiprocessing import MultiProcessing, SystemProcess
from lava.magma.runtime.mgmt_token_enums import MGMT_COMMAND, MGMT_RESPONSE

from ..helpers.starting import interrupts_later
from .channel import Channel, SharedMemoryManager

GRACE = 10.0
"""Seconds that a run may take to stop by itself before its processes are killed."""

_PR_SET_PDEATHSIG = 1


def bind_to_parent(parent: int, from_main_thread: bool) -> None:
    """Make this process, just forked, end when ``parent`` does, and ignore Ctrl-C, which the parent handles.

    Linux sends the signal when the forking thread ends, so it is only used for forks from the main thread; elsewhere a
    thread looks once a second whether the parent is still there.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if from_main_thread and sys.platform == "linux" and ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL) == 0:
        if os.getppid() != parent:  # it ended before the call
            os._exit(1)
        return

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


class Actor(SystemProcess):
    """One process of a run. It sends its traceback as text, since not every exception can be pickled."""

    label = ""
    _start_method = "fork"

    @staticmethod
    def _Popen(process_obj: Any) -> Any:  # noqa: N802
        """Fork, whatever the program's start method is: what a run is made of cannot be pickled."""
        from multiprocessing.popen_fork import Popen

        return Popen(process_obj)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._from_main_thread = threading.current_thread() is threading.main_thread()

    def run(self) -> None:
        bind_to_parent(self._parent_pid, self._from_main_thread)
        try:
            OsProcess.run(self)
            self._cconn.send(None)
        except Exception as error:
            self._cconn.send((RuntimeError(repr(error)), traceback.format_exc()))

    def end(self, seconds: float) -> None:
        """Wait ``seconds`` at most for the process to end, then kill it. A second call does nothing."""
        if self._is_done:
            return
        OsProcess.join(self, max(seconds, 0))
        if self.is_alive():
            self.kill()
        SystemProcess.join(self)

    def failure(self) -> str:
        """Why it failed, with the traceback if there is one; "" if it is alive or ended normally."""
        error = self.exception
        if error is not None:
            return f"{self.label}:\n{error[1]}"
        code = None if self._is_done else self.exitcode
        if code is None or (code == 0 and self._exception is None):
            return ""
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        return f"{self.label}: {how} without an exception"


def _work(builder: Any, exception_q: Any) -> None:
    """Main function of a process: Lava's ``target_fn``, but with the short command loop where that is enough."""
    try:
        actor = builder.build()
        exception_q.put(None)
        if (
            isinstance(actor, PyLoihiProcessModel)
            and not actor.var_ports
            and type(actor).run is PyLoihiProcessModel.run
        ):
            actor.run = partial(_obey, actor)
        actor.start()
    except Exception as error:
        error.trace = traceback.format_exc()  # type: ignore[attr-defined]
        exception_q.put(error)
        raise


def _obey(model: Any) -> None:
    """AbstractPyProcessModel.run for a model without VarPorts, which has only one port to wait for."""
    while True:
        command = model.service_to_process.recv()[0]
        try:
            if command not in model._cmd_handlers:
                raise ValueError(f"{type(model).__qualname__} cannot handle command {command} of the runtime service")
            model._cmd_handlers[command]()
            if command == MGMT_COMMAND.STOP[0] or model._stopped:
                return
        except Exception:
            model.process_to_service.send(MGMT_RESPONSE.ERROR)
            model.join()
            raise


class Infrastructure(MultiProcessing):
    """Lava's multiprocessing infrastructure with these actors and the channels of :mod:`.channel`."""

    _smm: Any

    def start(self) -> None:
        self._smm = SharedMemoryManager()

    def channel_class(self, channel_type: ChannelType) -> Any:
        return Channel if channel_type == ChannelType.PyPy else super().channel_class(channel_type)

    def build_actor(self, target_fn: Callable[..., None], builder: Any, exception_q: Any = None) -> Actor:
        actor = Actor(target=_work, args=(builder, exception_q))
        with interrupts_later():
            actor.start()
            self._actors.append(actor)
        return actor

    def stop(self, grace: float = GRACE) -> None:
        deadline = time.monotonic() + grace
        for actor in self._actors:
            actor.end(deadline - time.monotonic())
        if self._smm is not None:
            self._smm.shutdown()
            self._smm = None

    def kill(self) -> None:
        """End all processes now."""
        for actor in self._actors:
            if not actor._is_done and actor.is_alive():
                actor.kill()
        self.stop(0)
