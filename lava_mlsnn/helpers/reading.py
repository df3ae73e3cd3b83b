"""Files of others, opened: regular ones only, since a pipe would wait and a device never end, and with a bound."""

from __future__ import annotations

import json
import os
import stat
from collections import Counter
from typing import Any, BinaryIO

from .doors import reason

MOST = 1 << 30
"""Bytes of a file that is read as a whole, unless its reader says otherwise."""

TEXT = 1 << 26
"""Bytes of a list or table of names."""


def opened(path: str | os.PathLike[str]) -> BinaryIO:
    """A file, open for reading.

    Raises:
        OSError: nothing is there, or it may not be read.
        ValueError: a folder, a pipe, a device: also one that took the place of a file just now.

    Example:
        >>> opened("/dev/zero")
        Traceback (most recent call last):
        ValueError: zero: expected a file, found a pipe or device
    """
    _require_file(path, os.stat(path).st_mode)
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _require_file(path, os.fstat(descriptor).st_mode)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _require_file(path: str | os.PathLike[str], mode: int) -> None:
    if not stat.S_ISREG(mode):
        kind = "a directory" if stat.S_ISDIR(mode) else "a pipe or device"
        raise ValueError(f"{os.path.basename(os.path.normpath(path))}: expected a file, found {kind}")


def read_file(path: str | os.PathLike[str], most: int = MOST) -> bytes:
    """What a file holds now, however it may grow; ValueError, which names it, for more than ``most`` bytes."""
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise ValueError(f"{os.path.basename(path)}: {size:,} bytes, expected at most {most:,}")
        return file.read(size)


def read_text(path: str | os.PathLike[str], encoding: str = "utf-8") -> str:
    """A list or table of names; bytes that are no text are replaced by a mark, so that no name matches them."""
    return read_file(path, TEXT).decode(encoding, "replace")


def read_json(path: str | os.PathLike[str], what: str) -> Any:
    """A file of JSON; ValueError, which names it and says ``what`` was expected, for anything else.

    Example:
        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "x.json")
        ...     _ = path.write_text('{"a": 1, "a": 2}')
        ...     read_json(path, "such as mlsnn energy writes")
        Traceback (most recent call last):
        ValueError: ...x.json: expected JSON such as mlsnn energy writes (it has 'a' twice)
    """
    content = read_file(path)
    try:
        return json.loads(content, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{os.fspath(path)}: expected JSON {what} ({reason(error)})") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise ValueError(f"it has {twice!r} twice")
    return found
