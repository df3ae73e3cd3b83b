"""Ctrl-C where a KeyboardInterrupt would do harm: while a command loads, which ends in one line, and in imports."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

NOTHING_KEPT = "nothing was written, the same command begins anew"


def _leave(*_: object) -> None:
    os.write(2, f"interrupted: {NOTHING_KEPT}\n".encode())
    os._exit(130)


def begin() -> None:
    """From here on, unless the program handles Ctrl-C itself."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)


def end() -> None:
    """From here on, KeyboardInterrupt as usual."""
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def interrupts_later() -> Iterator[None]:
    """Inside, Ctrl-C waits for the end.

    A KeyboardInterrupt in an import can be lost in a callback of Python's import system, or leave half a module; in a
    function that runs at each fork (:func:`os.register_at_fork`; the standard library has some) it is printed and
    forgotten, and the run goes on.
    """
    before = signal.getsignal(signal.SIGINT)
    theirs = before is None or before is _leave  # not Python's to handle, or one that ends the program anyway
    if theirs or threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: pressed.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if pressed:
            signal.raise_signal(signal.SIGINT)
