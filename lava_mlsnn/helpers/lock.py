"""One process at a time: a lock that the system releases when its holder dies, and that says who holds it."""

from __future__ import annotations

import errno
import fcntl
import os
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

_HELD: set[tuple[str, int]] = set()
_WITHOUT = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
"""How a file system says that it has no locks."""


@contextmanager
def locked(path: str | os.PathLike[str], what: str, *, wait: bool = False) -> Iterator[None]:
    """Hold the lock file ``path`` inside; a thread that holds it may enter again. The file is removed at the end.

    Args:
        path: of the lock; its folder exists.
        what: done under the lock, such as "training": for the error and for those who read the file.
        wait: until the other one is done, instead of the error.

    Raises:
        BlockingIOError: another process or thread holds it; says which.

    Warns:
        RuntimeWarning: the file system has no locks.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder, locked(f"{folder}/.lock", "training"):
        ...     Path(f"{folder}/.lock").read_text()
        'training by process ... since ...'
    """
    key = os.path.realpath(path), threading.get_ident()
    if key in _HELD:
        yield
        return
    file = _acquire(Path(path), what, wait)
    _HELD.add(key)
    try:
        yield
    finally:
        _HELD.discard(key)
        Path(path).unlink(missing_ok=True)  # before the lock is released: whoever waits for it looks again
        file.close()


def _acquire(path: Path, what: str, wait: bool) -> IO[str]:
    while True:
        file = open(path, "a+")  # noqa: SIM115
        try:
            fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read() or "another process"
            file.close()
            raise BlockingIOError(f"{path.parent} is in use: {holder}; expected its end, or another folder") from None
        except OSError as error:
            if error.errno not in _WITHOUT:
                file.close()
                raise
            warnings.warn(
                f"{path.parent}: no locks there ({error.strerror}): nothing else may write to it", stacklevel=4
            )
        if _is_at(file, path):
            break
        file.close()  # removed by the one who held it
    holder = f"{what} by process {os.getpid()} of {os.uname().nodename} since {time.strftime('%Y-%m-%d %H:%M:%S')}"
    with suppress(OSError):  # a full disk: held all the same
        file.truncate(0)
        os.write(file.fileno(), holder.encode())
    return file


def _is_at(file: IO[str], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False
