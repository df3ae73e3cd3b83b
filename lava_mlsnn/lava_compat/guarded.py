"""Processes and runs that are guarded: they end when one of their processes fails, and leave none behind."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import current_process
from typing import Any

from lava.magma.compiler.compiler_graphs import ProcGroupDiGraphs
from lava.magma.core.process.message_interface_enum import ActorType
from lava.magma.core.process.process import AbstractProcess, ProcessServer
from lava.magma.core.process.variable import VarServer
from lava.magma.core.run_conditions import RunSteps
from lava.magma.runtime.runtime import Runtime

from ..helpers.check import positive_ints
from .runtime import GuardedRuntime

CHANNEL_SLOTS = 2
"""Messages that a channel holds: Loihi processes move in step, so Lava's 64 only cost memory and cache."""


class Process(AbstractProcess):
    """Base class of Processes whose runs are guarded, however they are started."""

    @property
    def runtime(self) -> Any:
        """The runtime that executes this Process, None before the first run."""
        return self.__dict__.get("_runtime")  # also for a Process whose constructor raised

    @runtime.setter
    def runtime(self, value: Any) -> None:
        self._runtime = guard(value)
        if value is not None:
            self.prepare()

    def prepare(self) -> None:
        """Called after compilation, before the run's processes are forked: make here what they share."""

    def compile(self, run_cfg: Any, compile_config: Any = None) -> Any:
        """Compile this Process and all that are connected to it, as AbstractProcess does."""
        with _models_found_once():
            executable = super().compile(run_cfg, compile_config)
        _tell_compiled()
        return executable

    def compiled(self) -> None:
        """Called after any compilation: models of Processes that took part are chosen (``model_class``) and may be
        refused."""

    def create_runtime(self, run_cfg: Any = None, executable: Any = None, compile_config: Any = None) -> None:
        """Compile this Process and all that are connected to it, and fork the run's processes."""
        create_runtime(self, run_cfg, compile_config, executable)


def guard(runtime: Any) -> Any:
    """Turn a Runtime of Lava that has not started into a :class:`GuardedRuntime`, in place."""
    if type(runtime) is Runtime and not runtime._is_initialized:
        runtime.__class__ = GuardedRuntime
    return runtime


def create_runtime(
    process: AbstractProcess,
    run_cfg: Any,
    compile_config: Any = None,
    executable: Any = None,
    timeout: float | None = None,
) -> None:
    """AbstractProcess.create_runtime for any Process, with a :class:`GuardedRuntime` and its ``timeout``.

    Raises:
        RuntimeError: this process may have no children.
    """
    if current_process().daemon:
        raise RuntimeError(
            f"{current_process().name} is a daemonic process, such as a worker of a DataLoader or of a Pool: Lava runs "
            "in processes of its own, which only a process that is not daemonic can start"
        )
    if executable is None:
        with _models_found_once():
            executable = process.compile(run_cfg, compile_config)
        _tell_compiled()
    runtime = GuardedRuntime(executable, ActorType.MultiProcessing, loglevel=process._log_config.level)
    runtime.timeout = timeout
    process._runtime = runtime
    executable.assign_runtime_to_all_processes(runtime)
    runtime.initialize()


def run(
    process: AbstractProcess, steps: int, run_cfg: Any, *, timeout: float | None = None, slots: int = CHANNEL_SLOTS
) -> None:
    """Run a Process and all that are connected to it for some timesteps, guarded; Vars can be read afterwards.

    Args:
        process: any of them, stock or not; ``process.stop()`` ends the run and its processes.
        steps: timesteps.
        run_cfg: Lava's run configuration.
        timeout: seconds after which the run is ended with TimeoutError, None for no limit.
        slots: messages that a channel holds.

    Raises:
        ValueError: ``steps`` is no positive integer.
        ProcessError: a process raised or died; the message has its traceback. No process is left.
        TimeoutError: the run took too long. No process is left.
    """
    (steps,) = positive_ints(steps, "steps of a run", 1)
    if process.runtime is None:
        create_runtime(process, run_cfg, {"pypy_channel_size": slots}, timeout=timeout)
    process.runtime.timeout = timeout
    process.run(condition=RunSteps(num_steps=steps))


@contextmanager
def tidy() -> Iterator[None]:
    """Remove the Processes made inside from Lava's global lists at the end.

    Lava keeps every Process and Var, and adds a log handler for each Process, for as long as Python runs.
    """
    processes, variables, handlers = ProcessServer().processes, VarServer().vars, logging.getLogger().handlers
    sizes = len(processes), len(variables), list(handlers)
    try:
        yield
    finally:
        del processes[sizes[0] :]
        del variables[sizes[1] :]
        for handler in [handler for handler in handlers if handler not in sizes[2]]:
            logging.getLogger().removeHandler(handler)


def _tell_compiled() -> None:
    for process in ProcessServer().processes:
        if isinstance(process, Process):
            process.compiled()


@contextmanager
def _models_found_once() -> Iterator[None]:
    """Inside, Lava looks for the ProcessModels of a Process type once.

    For every single Process it executes all modules beside the Process, each as often as there are modules.
    """
    find, found = ProcGroupDiGraphs._find_proc_models, {}

    def find_once(proc: AbstractProcess) -> Any:
        kind = type(proc)
        if kind not in found:
            found[kind] = find(proc)
        return list(found[kind])

    ProcGroupDiGraphs._find_proc_models = staticmethod(find_once)
    try:
        yield
    finally:
        ProcGroupDiGraphs._find_proc_models = staticmethod(find)
