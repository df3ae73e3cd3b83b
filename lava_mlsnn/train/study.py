"""What the processes of a sweep share on a disk: the journal of their study, and who of them is alive."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex
from typing import Any

from ..helpers.doors import reason
from ..helpers.reading import MOST, opened, read_text
from ..helpers.sealed import json_digest

DIGEST = "sha256"
"""Key of a journal's line: digest of the rest of it and of that of the line before."""

START = b'{"op_code"'
"""How Optuna's lines begin."""

LINE = 1 << 24
"""Bytes of a line at most; what ends with more is no journal."""


def named(name: str, pattern: str, what: str) -> str:
    """A name of a file or folder out of a study, which anybody may have written: one of those that are made here."""
    if not isinstance(name, str) or not re.fullmatch(pattern, name):
        raise ValueError(f"study: attribute {what!r} of a trial: expected a name such as {pattern}, got {name!r}")
    return name


@contextlib.contextmanager
def alive(folder: Path) -> Iterator[str]:
    """A locked file that shows that this process is alive: the system releases the lock when it dies.

    Those of processes that have died are removed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name = f"owner-{os.getpid()}-{token_hex(4)}"
    hidden = folder / f".{name}"
    with hidden.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        hidden.rename(folder / name)  # others see it when it is locked
        for old in folder.glob("owner-*"):
            if old.name != name and is_abandoned(old):
                old.unlink(missing_ok=True)
        try:
            yield name
        finally:
            (folder / name).unlink(missing_ok=True)


def disk(folder: Path) -> str:
    """A name for a folder that exists, the same for all processes that share its disk: machines may have their own."""
    path = folder / "disk"
    hidden = folder / f".disk-{token_hex(8)}"
    hidden.write_text(hidden.name)
    with contextlib.suppress(FileExistsError):
        os.link(hidden, path)  # all of it or nothing
    hidden.unlink()
    return read_text(path)


def is_abandoned(path: Path) -> bool:
    """Whether the process that made a file of :func:`alive` is gone."""
    try:
        with path.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return True
    except BlockingIOError:
        return False
    return True


def journal(optuna: Any, path: Path) -> Any:
    """Optuna's storage in a file, of which each line states a digest, and no write leaves half a line.

    Raises:
        ValueError: a line that is damaged, missing, or of another program; names the file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        with opened(path) as file:
            if (size := os.fstat(file.fileno()).st_size) > MOST:
                raise ValueError(f"{path}: {size:,} bytes, expected the journal of a sweep, at most {MOST:,}")
    base: Any = optuna.storages.journal.BaseJournalBackend
    lock = optuna.storages.journal.JournalFileSymlinkLock(str(path))

    class Journal(base):
        def __init__(self) -> None:
            self.places = {0: (0, "")}
            """Number of a line -> its offset, and the digest of the line before."""

        def append_logs(self, logs: list[dict[str, Any]]) -> None:
            with _held(lock), path.open("r+b") as file:
                end, previous = _trim(file)
                for log in logs:
                    previous = json_digest([previous, log])
                    file.write(json.dumps({**log, DIGEST: previous}, separators=(",", ":")).encode() + b"\n")
                try:
                    file.flush()
                    os.fsync(file.fileno())
                except OSError as error:
                    os.ftruncate(file.fileno(), end)
                    raise OSError(error.errno, f"{path}: cannot be written: {error.strerror}") from None

        def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
            offset, digest = self.places[log_number_from]
            with path.open("rb") as file:
                file.seek(offset)
                for number, line in enumerate(file, log_number_from + 1):
                    if not line.endswith(b"\n"):
                        return  # it is being written
                    offset += len(line)
                    log, digest = _checked(path, line, digest)
                    self.places[number] = offset, digest
                    yield log

    with _held(lock), path.open("a+b") as file:
        _trim(file)
    return optuna.storages.JournalStorage(Journal())


def _checked(path: Path, line: bytes, before: str) -> tuple[dict[str, Any], str]:
    """What a line says, and its digest."""
    try:
        log = json.loads(line)
        digest = log.pop(DIGEST, None)
        if digest == json_digest([before, log]):
            return log, digest
        why = "its digest is that of another content: damaged, or of an earlier version"
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        why = reason(error)
    raise ValueError(f"{path}: expected the journal of a sweep, found another line or none ({why})")


@contextlib.contextmanager
def _held(lock: Any) -> Iterator[None]:
    lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _trim(file: Any) -> tuple[int, str]:
    """Cut off the half line that a full disk or a kill left, and go there; the place, and the last line's digest."""
    file.seek(0)
    content, head = b"", file.read(len(START))
    end = start = file.seek(0, os.SEEK_END)
    if head != START[: len(head)]:
        return end, ""  # somebody else's, which reading refuses
    while start and content.count(b"\n") < 2 and len(content) < LINE:
        start = max(start - 2**16, 0)
        file.seek(start)
        content = file.read(end - start)
    if start and b"\n" not in content:
        return end, ""
    kept = content[: content.rfind(b"\n") + 1]
    if len(kept) < len(content):
        file.truncate(start + len(kept))
    file.seek(start + len(kept))
    try:
        return start + len(kept), str(json.loads(kept.splitlines()[-1])[DIGEST]) if kept else ""
    except (ValueError, TypeError, KeyError, IndexError, RecursionError):
        return start + len(kept), ""  # reading finds that it is no journal
