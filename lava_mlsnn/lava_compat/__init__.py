"""Keeps Lava usable: mends for current Pythons and numpy, and runs that end when one of their processes dies.

This package knows nothing of networks, so anybody who runs Lava can use it on its own. Importing it loads nothing of
Lava; call :func:`apply` before anything does.

* :func:`apply` mends lava-nc 0.10.0 and lava-dl 0.6.0 for Python 3.11 to 3.13, numpy 2 and current torch;
  :func:`summary` says in one line what was found and what is mended.
* :func:`run` runs any Lava Process for some timesteps under :class:`GuardedRuntime`: if a process raises, dies or takes
  too long, the run ends with :class:`ProcessError` or TimeoutError, and no child process is left behind.
* :class:`Process` is a base class for your own Processes. Any run that one of them takes part in is guarded, however it
  is started.
* :func:`cpu_model` declares a CPU ProcessModel in one line, and :class:`DynamicMembers` lets one model serve Processes
  with different Vars and ports.
* :func:`shared_array` makes memory that a run's processes share with the one that started them.
* :func:`tidy` removes Processes from Lava's global lists, which otherwise only grow.

Example:
    >>> from lava_mlsnn import lava_compat
    >>> mends = lava_compat.apply()
    >>> lava_compat.shared_array((2, 3), "int32").tolist()
    [[0, 0, 0], [0, 0, 0]]
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .mends import apply, summary

if TYPE_CHECKING:
    from .declare import DynamicMembers, cpu_model
    from .guarded import Process, create_runtime, guard, run, tidy
    from .runtime import GuardedRuntime, ProcessError
    from .shared import shared_array

__all__ = [
    "DynamicMembers",
    "GuardedRuntime",
    "Process",
    "ProcessError",
    "apply",
    "cpu_model",
    "create_runtime",
    "guard",
    "run",
    "shared_array",
    "summary",
    "tidy",
]

_HOMES = {
    "DynamicMembers": "declare",
    "GuardedRuntime": "runtime",
    "Process": "guarded",
    "ProcessError": "runtime",
    "cpu_model": "declare",
    "create_runtime": "guarded",
    "guard": "guarded",
    "run": "guarded",
    "shared_array": "shared",
    "tidy": "guarded",
}
"""Modules of the names that are loaded on first use, because they load Lava or numpy."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import fork  # noqa: F401  # before anything imports Lava

    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value
