"""Compiled kernels on the disk: one process compiles them, says so on standard error, and counts the seconds it takes.

They are kept beside the modules, or in the user's cache folder where the installation cannot be written to, so it
happens at the first use after an installation or an upgrade, or on another processor.
"""

from __future__ import annotations

import pickle
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from .lock import locked

LINE = "lava_mlsnn: compiling kernels for this processor; they are kept for the next time ..."
WAITING = "lava_mlsnn: waiting for another process, which compiles kernels for this processor ..."
PATIENCE = 1.0
"""Seconds until waiting is told of: to read compiled kernels takes less."""

_PACKAGE = __name__.partition(".")[0]


class _Clock:
    """Compiling a function compiles those that it calls: the time of the outermost one counts."""

    def __init__(self) -> None:
        self.total, self.began, self.depth = 0.0, 0.0, 0

    def start(self, line: str = LINE) -> None:
        if not self.depth:
            if not self.total:
                sys.stderr.write(f"{line}\n")
                sys.stderr.flush()
            self.began = time.perf_counter()
        self.depth += 1

    def stop(self) -> None:
        self.depth -= 1
        if not self.depth:
            self.total += time.perf_counter() - self.began


_CLOCK = _Clock()


def seconds() -> float:
    """How long this process has compiled, or waited for it, so far; a speed leaves the difference out."""
    return _CLOCK.total


def entry(compiled: Any, signature: tuple[Any, ...]) -> Any:
    """What numba's ``compiled`` function is for a signature, from its cache or compiled now.

    numba lets processes that compile at once write over one another's files, whatever these are for: here they take
    turns. An entry that cannot be read is compiled again; what cannot be written is not kept.
    """
    folder = compiled.stats.cache_path
    if folder is None:
        return compiled.compile(signature)
    with _alone(Path(folder)):
        try:
            return compiled.compile(signature)
        except (OSError, EOFError, pickle.UnpicklingError):
            if signature not in compiled.overloads:
                compiled._cache.flush()
            return compiled.compile(signature)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    lock, told = folder / "lava_mlsnn.lock", time.monotonic() + PATIENCE
    with ExitStack() as held:
        while time.monotonic() < told:
            try:
                held.enter_context(locked(lock, "compiling"))
                break
            except BlockingIOError:
                time.sleep(PATIENCE / 20)
        else:
            _CLOCK.start(WAITING)
            try:
                held.enter_context(locked(lock, "compiling", wait=True))
            finally:
                _CLOCK.stop()
        yield


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
