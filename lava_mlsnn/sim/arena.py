"""Memory for the kernels: aligned, in large pages, many arrays in one."""

from __future__ import annotations

import mmap
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

ALIGNMENT = 64
"""Bytes of a cache line: vectors that straddle two cost twice."""


HUGE_PAGE = 2**21
"""Bytes of a large page: rows of weights lie so far apart that small ones are looked up again and again."""


def aligned(size: int, dtype: Any) -> NDArray[Any]:
    """Zeros that begin with a cache line; many of them in huge pages, where the system has some."""
    item = np.dtype(dtype).itemsize
    step, length = ALIGNMENT, size * item
    if length >= HUGE_PAGE and hasattr(mmap, "MADV_HUGEPAGE"):
        step = HUGE_PAGE
        length = -(-length // step) * step
        memory = mmap.mmap(-1, length + step, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        with suppress(OSError):  # a system built without them
            memory.madvise(mmap.MADV_HUGEPAGE)
        raw = np.frombuffer(memory, np.uint8)
    else:
        raw = np.zeros(length + step, np.uint8)
    start = -raw.ctypes.data % step
    return raw[start : start + size * item].view(dtype)


def whole_lines(size: int, dtype: Any) -> int:
    """``size`` elements, rounded up to whole cache lines."""
    lines = ALIGNMENT // np.dtype(dtype).itemsize
    return -(-size // lines) * lines


@dataclass
class Arena:
    """Arrays laid one after the other, each at the begin of a cache line."""

    dtype: Any
    parts: list[tuple[int, NDArray[Any]]] = field(default_factory=list)
    size: int = 0

    def add(self, values: Any) -> int:
        part = np.asarray(values).astype(self.dtype).ravel()
        start = self.size
        self.parts.append((start, part))
        self.size += whole_lines(part.size, self.dtype)
        return start

    def array(self) -> NDArray[Any]:
        array = aligned(max(self.size, 1), self.dtype)
        for start, part in self.parts:
            array[start : start + part.size] = part
        return array
