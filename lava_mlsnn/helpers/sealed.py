"""Files that are read back state a digest of what they hold: a changed byte is an error, never another result."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any

from .reading import opened

_MARK = b"lava-mlsnn sha256 "
_SIZE = len(_MARK) + 64
_CHUNK = 1 << 20


def seal(path: str | os.PathLike[str]) -> None:
    """End the zip archive at ``path`` (npz, a checkpoint of torch) with a comment: the sha256 of all that is before it.

    Programs that know nothing of it read the archive as before.

    Example:
        >>> import tempfile, zipfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with zipfile.ZipFile(f"{folder}/a.zip", "w") as archive:
        ...         archive.writestr("b", "content")
        ...     seal(f"{folder}/a.zip")
        ...     _ = unsealed(f"{folder}/a.zip")
        ...     zipfile.ZipFile(f"{folder}/a.zip").read("b")
        b'content'
    """
    with open(path, "r+b") as file:
        file.seek(-2, os.SEEK_END)  # the last field of an archive is the length of its comment
        if file.read(2) != b"\0\0":
            raise ValueError(f"{path}: expected a zip archive without a comment")
        file.seek(-2, os.SEEK_END)
        file.write(_SIZE.to_bytes(2, "little"))
        file.seek(0)
        digest = _sha256(file)
        file.write(_MARK + digest.encode())


def unsealed(path: str | os.PathLike[str]) -> bytes:
    """What is in a file of :func:`seal`; ValueError, which names the file, if it is not what was written."""
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(max(size - _SIZE, 0))
        stated = file.read(len(_MARK)) == _MARK  # else it may be of any size
        file.seek(0)
        content = file.read(size) if stated else b""
    if content[-_SIZE:] != _MARK + hashlib.sha256(memoryview(content)[:-_SIZE]).hexdigest().encode():
        raise ValueError(f"{path}: its content is not what its digest says: cut, damaged, or of an earlier version")
    return content


def file_digest(path: str | os.PathLike[str]) -> str:
    """sha256 of a file, 64 hexadecimal digits."""
    with opened(path) as file:
        return _sha256(file)


def json_digest(content: Any) -> str:
    """sha256 of JSON-ready content; the order of keys does not matter.

    Example:
        >>> json_digest({"a": 1, "b": [2]}) == json_digest({"b": [2], "a": 1})
        True
    """
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _sha256(file: Any) -> str:
    found = hashlib.sha256()
    while chunk := file.read(_CHUNK):
        found.update(chunk)
    return found.hexdigest()
