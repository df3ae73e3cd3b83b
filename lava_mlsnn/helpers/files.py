"""Files that appear under their name complete or not at all, whatever a full disk or a kill does."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from secrets import token_hex
from typing import Any

from .check import path_name

_HOST = os.uname().nodename


def atomic_write(path: str | os.PathLike[str], data: str | bytes) -> Path:
    """Write ``data``, a string as UTF-8, to ``path`` by :func:`replacing`; returns the path."""
    with replacing(path) as part:
        part.write_bytes(data.encode() if isinstance(data, str) else data)
    return Path(path)


def write_json(content: Mapping[str, Any], path: str | os.PathLike[str]) -> Path:
    """Write ``content`` as JSON that every reader takes (no NaN), and its folder if there is none; returns the path."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    return atomic_write(path, json.dumps(content, indent=1, allow_nan=False) + "\n")


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary file to fill, which takes the place of ``path`` once it is on the disk.

    It lies in the same folder under a hidden name that ends in ``.part``. An exception removes it and leaves what was
    at ``path`` as it was; what a killed process left is removed by the next one that writes to ``path``. Links are
    followed. A pipe or a device, such as ``/dev/stdout``, is itself what is to be filled.

    Raises:
        OSError: the file cannot be written (no room, no permission, no such folder); its type and ``errno`` are those
            of the failure, its text names ``path``.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with replacing(f"{folder}/a.txt") as part:
        ...         _ = part.write_text("complete")
        ...     Path(f"{folder}/a.txt").read_text()
        'complete'
    """
    target = Path(os.path.realpath(path_name(path)))
    if target.exists() and not target.is_file() and not target.is_dir():
        yield target
        return
    _remove_leftovers(target)
    part = target.with_name(f"{_prefix(target)}{os.getpid()}.{token_hex(4)}.part")
    try:
        yield part
        with open(part, "rb") as file:
            os.fsync(file.fileno())
        os.replace(part, target)
    except BaseException as error:
        with suppress(OSError):
            part.unlink()
        if isinstance(error, OSError) and error.errno and error.filename in (None, str(part), part):
            readable = type(error)(f"{os.fspath(path)}: cannot be written: {error.strerror}")
            readable.errno = error.errno
            raise readable from None
        raise


ROOM = 1 << 16
"""Bytes that a file is expected to have room for, before the computing that fills it."""


def check_writable(path: str | os.PathLike[str]) -> Path:
    """See that ``path`` could be written, and make its folder; returns the path. What is at ``path`` stays.

    Raises:
        OSError: no permission, or no room for a small file; names ``path``.
    """
    try:
        os.makedirs(Path(os.path.realpath(path)).parent, exist_ok=True)
        with replacing(path) as part:
            if part == Path(os.path.realpath(path)):
                return Path(path)  # a device
            part.write_bytes(bytes(ROOM))
            raise _EnoughError
    except _EnoughError:
        pass
    except FileExistsError as error:
        raise NotADirectoryError(f"{os.fspath(path)}: cannot be written: {error.filename} is no folder") from None
    except OSError as error:
        if error.filename is None:
            raise
        raise type(error)(f"{os.fspath(path)}: cannot be written: {error.filename}: {error.strerror}") from None
    return Path(path)


class _EnoughError(Exception):
    """Ends a trial to write."""


def _prefix(target: Path) -> str:
    """Of the temporary files for ``target`` of this machine's processes; a name has at most 255 bytes."""
    return f".{target.name[:40]}.{_HOST[:64]}."


def _remove_leftovers(target: Path) -> None:
    for old in target.parent.glob(f"{escape(_prefix(target))}*.part"):
        owner = old.name[len(_prefix(target)) :].split(".")[0]
        if owner.isdecimal() and not _lives(int(owner)):
            old.unlink(missing_ok=True)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return True
