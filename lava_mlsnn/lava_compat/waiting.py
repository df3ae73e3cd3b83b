"""Waiting with a deadline: for several ports at once, and for ports whose other side may have died."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from lava.magma.runtime.mgmt_token_enums import MGMT_RESPONSE, enum_equal

POLL = 0.2
"""Seconds between two looks at the processes that a port waits for."""


class Deadline:
    """A point in time, ``timeout`` seconds from now, or None for never."""

    def __init__(self, timeout: float | None) -> None:
        self.timeout = timeout
        self._end = None if timeout is None else time.monotonic() + timeout

    def left(self) -> float | None:
        """Seconds left, None for no limit; TimeoutError if there are none."""
        if self._end is None:
            return None
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"the Lava run took longer than {self.timeout} s and was ended")
        return left


@contextmanager
def doorbell(ports: list[Any]) -> Iterator[socket.socket]:
    """A socket to wait for (``multiprocessing.connection.wait``) that becomes readable when a message arrives.

    Args:
        ports: receiving ports of Lava channels.
    """
    listener, ringer = socket.socketpair()
    ringer.setblocking(False)

    def ring() -> None:
        try:
            ringer.send(b"!")
        except (BlockingIOError, OSError):  # it is readable already, or nobody waits any more
            return

    for port in ports:
        port.observer = ring
    try:
        yield listener
    finally:
        for port in ports:
            port.observer = None
        listener.close()
        ringer.close()


class GuardedPort:
    """A port of a Lava channel that does not wait forever for a process that has died.

    Args:
        port: one of :mod:`.channel`.
        check: called every :data:`POLL` seconds while the port waits; it raises if waiting is pointless. It is called
            with True if the first message is an error, which Lava would take for the number of values that follow.
    """

    def __init__(self, port: Any, check: Callable[..., None]) -> None:
        self.port, self.check, self.first = port, check, True

    def _wait(self) -> None:
        while not self.port.within(POLL):
            self.check()

    def send(self, data: Any) -> None:
        """Send as soon as the channel has room."""
        self._wait()
        self.port.send(data)

    def recv(self) -> Any:
        """The next message."""
        self._wait()
        data, first, self.first = self.port.recv(), self.first, False
        if first and enum_equal(data, MGMT_RESPONSE.ERROR):
            self.check(True)
        return data
