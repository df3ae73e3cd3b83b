"""Memory that a run's processes share with the one that started them.

Lava reads a Var element by element, one message of 12 to 19 microseconds each. An anonymous shared mapping, made before
Lava forks its processes, hands over whole recordings without any message: a process writes, the parent reads. It has no
name, so nothing is left behind when a process dies.
"""

from __future__ import annotations

import mmap
from math import prod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


def shared_array(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """An array of zeros that this process shares with those it forks later.

    Pages that are never written to cost no memory. The memory lives as long as the array.

    Example:
        >>> a = shared_array((2, 3), "int32")
        >>> a[1, 2] = 7
        >>> int(a.sum())
        7
    """
    kind = np.dtype(dtype)
    count = prod(shape)
    memory = mmap.mmap(-1, max(count * kind.itemsize, 1))
    return np.frombuffer(memory, kind, count).reshape(shape)
