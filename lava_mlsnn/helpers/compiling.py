"""Says on standard error that numba compiles kernels of this package, and counts the seconds that it takes.

What is compiled is cached on the disk, so it happens at the first use after an installation or on another processor.
"""

from __future__ import annotations

import sys
import time
from functools import cache
from typing import Any

LINE = "lava_mlsnn: compiling kernels for this processor; they are kept for the next time ..."

_PACKAGE = __name__.partition(".")[0]


class _Clock:
    """Compiling a function compiles those that it calls: the time of the outermost one counts."""

    def __init__(self) -> None:
        self.total, self.began, self.depth = 0.0, 0.0, 0

    def start(self) -> None:
        if not self.depth:
            if not self.total:
                sys.stderr.write(f"{LINE}\n")
                sys.stderr.flush()
            self.began = time.perf_counter()
        self.depth += 1

    def stop(self) -> None:
        self.depth -= 1
        if not self.depth:
            self.total += time.perf_counter() - self.began


_CLOCK = _Clock()


def seconds() -> float:
    """How long this process has compiled so far; a speed leaves the difference out."""
    return _CLOCK.total


@cache
def watch() -> None:
    """Begin to listen to numba, whose lock lets one thread compile at a time; further calls do nothing."""
    from numba.core import event

    class Listener(event.Listener):
        def on_start(self, event: Any) -> None:
            if _is_ours(event):
                _CLOCK.start()

        def on_end(self, event: Any) -> None:
            if _is_ours(event):
                _CLOCK.stop()

    event.register("numba:compile", Listener())


def _is_ours(event: Any) -> bool:
    function = getattr(event.data["dispatcher"], "py_func", None)
    return getattr(function, "__module__", "").partition(".")[0] == _PACKAGE
