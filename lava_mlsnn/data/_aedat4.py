"""AEDAT 4, decoded by the package ``aedat`` in a process of its own.

Some damaged files abort that decoder's process, and a few kilobytes can decode to gigabytes.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..helpers import extras

MEMORY, RATIO = 1 << 30, 64
"""Bytes of address space that decoding a file may take: MEMORY, and RATIO times the file."""


def read(path: Path) -> NDArray[np.int64]:
    """Columns, rows, times and polarities of a recording; ValueError if it is damaged or aedat is not installed.

    Shape:
        (4, 1 + n): the first column is (width, height, 0, 0) of the camera, or zeros.
    """
    extras.load("aedat", "AEDAT 4")  # the other process loads it, too
    decoder = _current.get()
    if decoder is not None:
        return decoder.read(path)
    with decoding():
        return read(path)


@contextmanager
def decoding() -> Iterator[None]:
    """All recordings that are read inside are decoded by the same process, which starts with the first."""
    decoder = _Decoder()
    before = _current.set(decoder)
    try:
        yield
    finally:
        _current.reset(before)
        decoder.close()


class _Decoder:
    """The process: it takes a path a line and answers with a .npy stream, numbers (4, n) or the text of an error."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None

    def read(self, path: Path) -> NDArray[np.int64]:
        if self.process is None:
            code = f"import sys; sys.path[:] = sys.argv[1:]; from {__name__} import serve; serve()"
            self.process = subprocess.Popen(
                [sys.executable, "-c", code, *sys.path],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            )
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None and stdout is not None
        try:
            stdin.write(os.fsencode(path.absolute()).replace(b"\n", b"\0") + b"\n")
            stdin.flush()
            answer: Any = SimpleNamespace(read=stdout.read)  # of a BufferedReader numpy would ask for the position
            found: NDArray[Any] = np.lib.format.read_array(answer)
        except (ValueError, OSError):
            self.close()
            raise ValueError(
                f"damaged, or decoding it takes more than {MEMORY + RATIO * path.stat().st_size:,} bytes of memory"
            ) from None
        if found.dtype.kind == "U":
            raise ValueError(f"cut or damaged ({found})")
        return found

    def close(self) -> None:
        if self.process is not None:
            self.process.communicate()  # ends its input and waits
            self.process = None


_current: ContextVar[_Decoder | None] = ContextVar("decoder", default=None)


def serve() -> None:
    """What the process does until its input ends."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in sys.stdin.buffer:
        path = os.fsdecode(line[:-1].replace(b"\0", b"\n"))
        answer = io.BytesIO()
        np.lib.format.write_array(answer, _decode(path))
        sys.stdout.buffer.write(answer.getbuffer())
        sys.stdout.buffer.flush()


def _decode(path: str) -> NDArray[Any]:
    import resource

    import aedat

    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    wanted = MEMORY + RATIO * os.path.getsize(path)
    resource.setrlimit(resource.RLIMIT_AS, (wanted if hard < 0 else min(wanted, hard), hard))
    try:
        decoder = aedat.Decoder(path)
        streams = [one for _, one in sorted(decoder.id_to_stream().items()) if one.get("type") == "events"]
        size = [int(streams[0].get(name) or 0) for name in ("width", "height")] if streams else [0, 0]
        parts = [np.array([*size, 0, 0], np.int64)[:, None]]
        for packet in decoder:
            events = packet.get("events")
            if events is not None:
                names = ("x", "y", "t", "on" if "on" in events.dtype.names else "p")
                parts.append(np.stack([events[name].astype(np.int64) for name in names]))
        return np.concatenate(parts, axis=1)
    except BaseException as error:  # a panic of the decoder is no Exception
        return np.array(str(error) or type(error).__name__)
