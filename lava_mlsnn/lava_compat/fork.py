"""Lava forks its processes; what a program chose for its own (``multiprocessing.set_start_method``) stays as it was.

Lava's infrastructure sets the start method "fork" for the whole program when it is imported: that fails in a program
that has chosen another one, and leaves none to choose in one that has not. Importing this module first imports that one
and undoes it; actors of guarded runs fork by themselves.
"""

from __future__ import annotations

import multiprocessing
import sys
from importlib import import_module

_INFRASTRUCTURE = "lava.magma.runtime.message_infrastructure.multiprocessing"


def import_infrastructure() -> None:
    """Import Lava's infrastructure and leave multiprocessing's start method as it was."""
    if _INFRASTRUCTURE in sys.modules:
        return
    chosen = multiprocessing.get_start_method(allow_none=True)
    multiprocessing.set_start_method(None, force=True)
    try:
        import_module(_INFRASTRUCTURE)
    finally:
        multiprocessing.set_start_method(chosen, force=True)


import_infrastructure()
