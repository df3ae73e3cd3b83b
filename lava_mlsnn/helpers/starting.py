"""Ctrl-C while a command loads: one line and exit code 130.

A KeyboardInterrupt there would be a traceback of imports, or be lost in a callback of Python's import system.
"""

from __future__ import annotations

import os
import signal

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
