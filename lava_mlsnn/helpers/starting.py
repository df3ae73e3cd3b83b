"""Ctrl-C while a command loads: one line and exit code 130.

A KeyboardInterrupt there would be a traceback of imports, or be lost in a callback of Python's import system.
"""

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
def held() -> Iterator[None]:
    """Ctrl-C inside is a KeyboardInterrupt behind it, unless the program handles it itself.

    Within an import it would be lost in a callback of Python's import system, or leave half a module.
    """
    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not usual or threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: pressed.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if pressed:
        raise KeyboardInterrupt
