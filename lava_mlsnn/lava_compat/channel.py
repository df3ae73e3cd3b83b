"""Lava's channels between processes, without two threads per channel and without a memory manager process.

A port of Lava has a thread that waits for the other side's semaphore and wakes the port's user: two switches of threads
per message. Here the user waits for the semaphore directly, and the thread starts only where several ports are watched
at once (Lava's CspSelector sets an observer). The semaphores are used as Lava uses them, so either side may be one of
Lava's ports.

Messages lie in anonymous shared memory, which processes that are forked later inherit: nothing in /dev/shm, whose size
containers limit, and nothing to clean up.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable
from queue import Empty
from threading import BoundedSemaphore, Thread
from typing import Any

import numpy as np
from lava.magma.compiler.channels.pypychannel import CspRecvPort, CspRecvQueue, CspSendPort, Proto, PyPyChannel
from numpy.typing import NDArray

Observer = Callable[[], Any]


class SharedMemory:
    """What a channel needs of multiprocessing's SharedMemory: a buffer."""

    def __init__(self, size: int) -> None:
        self.buf = memoryview(mmap.mmap(-1, max(size, 1)))


class SharedMemoryManager:
    """Takes the place of Lava's; there is nothing to manage."""

    def create_shared_memory(self, size: int) -> SharedMemory:
        """Memory that this process and those it forks later share."""
        return SharedMemory(size)

    def start(self) -> None:
        """Nothing to start."""

    def shutdown(self) -> None:
        """Nothing to end."""


class _Watched:
    """A port whose thread starts when it gets its first observer."""

    _observer: Observer | None = None
    _array: list[NDArray[Any]]
    _idx: int
    _dtype: Any
    thread: Thread | None

    @property
    def observer(self) -> Observer | None:
        """Called when the port becomes ready."""
        return self._observer

    @observer.setter
    def observer(self, value: Observer | None) -> None:
        self._observer = value
        if value is not None and self.thread is None and self._array:
            self._start_thread()

    def _start_thread(self) -> None:
        raise NotImplementedError


def _slots(port: Any) -> list[NDArray[Any]]:
    n = port._nbytes
    return [np.ndarray(port._shape, port._dtype, port._shm.buf[n * i : n * (i + 1)]) for i in range(port._size)]


class SendPort(_Watched, CspSendPort):
    """Sends messages; blocks while all slots of the channel are full."""

    def start(self) -> None:
        """Open the port in the process that uses it."""
        self._array = _slots(self)
        self._free = self._size

    def _start_thread(self) -> None:
        self._semaphore = BoundedSemaphore(self._size)
        for _ in range(self._size - self._free):
            self._semaphore.acquire()
        self.thread = Thread(target=self._ack_callback, name=f"{self._name}.send", args=(self._ack,), daemon=True)
        self.thread.start()

    def probe(self) -> bool:
        """Whether a message can be sent without waiting."""
        if self.thread is not None:
            return bool(super().probe())
        if not self._free and self._ack.acquire(False):
            self._free = 1
        return self._free > 0

    def within(self, seconds: float) -> bool:
        """Whether a message can be sent without waiting, now or after ``seconds`` at most."""
        if self.thread is None:
            if not self._free and self._ack.acquire(True, seconds):
                self._free = 1
            return self._free > 0
        ready = bool(self._semaphore.acquire(timeout=seconds))
        if ready:
            self._semaphore.release()
        return ready

    def send(self, data: NDArray[Any]) -> None:
        """Send an array of the channel's shape."""
        if self.thread is not None or type(data) is not np.ndarray:
            if self.thread is None:
                self._start_thread()
            super().send(data)
            return
        with self._io_watchdog:
            if data.shape != self._shape:
                raise AssertionError(f"{data.shape=} {self._shape=} Mismatch")
            if self._free:
                self._free -= 1
            else:
                self._ack.acquire()
            self._array[self._idx][...] = data
            self._idx = (self._idx + 1) % self._size
            self._req.release()


class RecvPort(_Watched, CspRecvPort):
    """Receives messages; blocks while there is none."""

    def start(self) -> None:
        """Open the port in the process that uses it."""
        if self._dtype == 4:  # a code of Lava's C library for int32
            self._dtype = np.int32
        self._array = _slots(self)
        self._ready = 0

    def _start_thread(self) -> None:
        self._queue = CspRecvQueue(self._size)
        for _ in range(self._ready):
            self._queue.put_nowait(0)
        self.thread = Thread(target=self._req_callback, name=f"{self._name}.recv", args=(self._req,), daemon=True)
        self.thread.start()

    def probe(self) -> bool:
        """Whether a message can be received without waiting."""
        if self.thread is not None:
            return bool(super().probe())
        if not self._ready and self._req.acquire(False):
            self._ready = 1
        return self._ready > 0

    def within(self, seconds: float) -> bool:
        """Whether a message can be received without waiting, now or after ``seconds`` at most."""
        if self.thread is None:
            if not self._ready and self._req.acquire(True, seconds):
                self._ready = 1
            return self._ready > 0
        try:
            self._queue.get(timeout=seconds, peek=True)
        except Empty:
            return False
        return True

    def peek(self) -> NDArray[Any]:
        """The next message, which stays in the channel."""
        if self.thread is not None:
            return super().peek()
        if not self._ready:
            self._req.acquire()
            self._ready = 1
        return self._array[self._idx].copy()

    def recv(self) -> NDArray[Any]:
        """The next message."""
        if self.thread is not None:
            return super().recv()
        with self._io_watchdog:
            if self._ready:
                self._ready -= 1
            else:
                self._req.acquire()
            result = self._array[self._idx].copy()
            self._idx = (self._idx + 1) % self._size
            self._ack.release()
            return result


class Channel(PyPyChannel):
    """A channel with these ports at both ends."""

    _src_port: Any
    _dst_port: Any

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._src_port, self._dst_port = _again(SendPort, self._src_port), _again(RecvPort, self._dst_port)


def _again(kind: Any, port: Any) -> Any:
    """A port of another kind on the memory and the semaphores of ``port``."""
    proto = Proto(port._shape, port._dtype, port._nbytes)
    watchdogs = port._io_watchdog, port._join_watchdog
    return kind(port._name, port._shm, proto, port._size, port._req, port._ack, *watchdogs)
