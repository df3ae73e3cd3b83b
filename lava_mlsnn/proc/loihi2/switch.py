"""One switch between simulation and chip, as in Lava's own tutorials: a run configuration for each."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from typing import Any

from lava.magma.core.callback_fx import CallbackFx, NxSdkCallbackFx
from lava.magma.core.model.py.model import AbstractPyProcessModel
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.run_configs import Loihi2HwCfg
from lava.utils.system import Loihi2

from lava_mlsnn.proc.io.process import Sink, Source, Tap
from lava_mlsnn.proc.simulate import SimCfg as FixedCfg
from lava_mlsnn.proc.simulate import run as run_guarded

LOG = logging.getLogger("lava_mlsnn.run")
HOST = (Source, Sink, Tap)
"""Processes that stay on the host."""


def is_available() -> bool:
    """Whether Intel's extension of Lava for Loihi 2 is installed (``Loihi2.is_loihi2_available``)."""
    return bool(Loihi2.is_loihi2_available)


class SimCfg(FixedCfg):
    """Simulation on the CPU in fixed point, with the callbacks that :class:`HwCfg` takes.

    Args:
        callback_fxs: called by :func:`run` around a run, as the runtime of the chip does.
        stock: leave every stock Process to its stock model.
    """

    def __init__(self, callback_fxs: Iterable[CallbackFx] = (), stock: bool = False) -> None:
        super().__init__(stock)
        self.callback_fxs = list(callback_fxs)

    def select(self, proc: AbstractProcess, proc_models: list[Any]) -> Any:
        """The model that runs a Process: never one for the chip."""
        return super().select(proc, [model for model in proc_models if not _needs_chip(model)] or proc_models)


class HwCfg(Loihi2HwCfg):
    """Loihi 2: neurons in microcode, adapters of embedded I/O, sources and sinks on the host. Untested on silicon.

    Args:
        callback_fxs: called by the runtime before and after a run.
    """

    def __init__(self, callback_fxs: Iterable[CallbackFx] = ()) -> None:
        super().__init__(select_sub_proc_model=True, callback_fxs=list(callback_fxs))

    def select(self, proc: AbstractProcess, proc_models: list[Any]) -> Any:
        """The model that runs a Process: on the host the one in integers, else Lava's preference."""
        if isinstance(proc, HOST):
            return next(m for m in proc_models if issubclass(m, AbstractPyProcessModel) and "fixed_pt" in m.tags)
        return super().select(proc, proc_models)


def _needs_chip(model: Any) -> bool:
    return any("Loihi" in resource.__name__ for resource in model.required_resources if isinstance(resource, type))


def run_config(on_chip: bool | None = None, callback_fxs: Iterable[CallbackFx] = ()) -> SimCfg | HwCfg:
    """The run configuration for the chip, if there is one, or for simulation.

    Args:
        on_chip: True for Loihi 2, False for the CPU, None for whichever is there.
        callback_fxs: loggers.

    Raises:
        RuntimeError: a chip is asked for and the extension is not installed.

    Example:
        >>> type(run_config(on_chip=False)).__name__
        'SimCfg'
    """
    if on_chip and not is_available():
        raise RuntimeError("on_chip: Intel's extension of Lava for Loihi 2 is not installed (INRC members only)")
    return HwCfg(callback_fxs) if (is_available() if on_chip is None else on_chip) else SimCfg(callback_fxs)


def run(process: AbstractProcess, steps: int, *, run_cfg: Any = None, timeout: float | None = None) -> None:
    """Run a Process and all that are connected to it, on chip or CPU, with the configuration's callbacks.

    Args:
        process: any of them; ``process.stop()`` ends the run.
        steps: timesteps.
        run_cfg: of :func:`run_config`, the default.
        timeout: see :func:`lava_mlsnn.proc.run`.
    """
    run_cfg = run_cfg or run_config()
    own = getattr(run_cfg, "callback_fxs", []) if not isinstance(run_cfg, Loihi2HwCfg) else []
    for callback in own:
        callback.pre_run_callback()
    run_guarded(process, steps, timeout=timeout, run_cfg=run_cfg)
    for callback in own:
        callback.post_run_callback()


class RunLogger(NxSdkCallbackFx):
    """Logs start, end and wall-clock seconds of each run to the logger ``lava_mlsnn.run``.

    On the CPU, ``seconds`` holds those of the runs so far; on the chip, the runtime service calls it elsewhere.

    Example:
        >>> logger = RunLogger("digits")
        >>> logger.pre_run_callback()
        >>> logger.post_run_callback()
        >>> len(logger.seconds)
        1
    """

    def __init__(self, name: str = "run") -> None:
        super().__init__()
        self.name = name
        self.seconds: list[float] = []
        self._started = 0.0

    def pre_run_callback(self, board: Any = None, var_id_to_var_model_map: Any = None) -> None:
        """The run starts."""
        self._started = time.perf_counter()
        LOG.info("%s: started%s", self.name, "" if board is None else f" on {type(board).__name__}")

    def post_run_callback(self, board: Any = None, var_id_to_var_model_map: Any = None) -> None:
        """The run has ended."""
        self.seconds.append(time.perf_counter() - self._started)
        LOG.info("%s: ended after %.3f s", self.name, self.seconds[-1])
