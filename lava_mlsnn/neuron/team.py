"""The threads that torch computes with on a CPU: OpenMP's, of the library that torch has loaded.

Between two of torch's operations they stay awake and spin. Work on threads of our own would compete with them for the
cores, and take longer than on one thread.
"""

from __future__ import annotations

import ctypes
import os
from functools import cache

import torch

__all__ = ["NOBODY", "openmp"]

NOBODY = 0, 0, 0
"""In the place of addresses: the calling thread does it all."""

_NAMES = "GOMP_parallel", "omp_get_thread_num", "omp_get_num_threads"
_PROCESS = os.getpid()


def openmp() -> tuple[int, ...]:
    """Addresses of GOMP_parallel, omp_get_thread_num and omp_get_num_threads, or :data:`NOBODY`.

    That is where torch has one thread or no OpenMP, and in a forked process, which has none of its parent's threads:
    OpenMP would wait for them.
    """
    return NOBODY if torch.get_num_threads() == 1 or os.getpid() != _PROCESS else _addresses()


@cache
def _addresses() -> tuple[int, ...]:
    if torch.backends.openmp.is_available():
        for loaded in (None, torch._C.__file__):  # the order in which torch's own calls find it, with LD_PRELOAD too
            try:
                library = ctypes.CDLL(loaded)
                return tuple(ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0 for name in _NAMES)
            except (AttributeError, OSError, TypeError):  # not in it; TypeError: Windows has no None
                continue
    return NOBODY
