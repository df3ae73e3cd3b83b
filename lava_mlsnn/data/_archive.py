"""Files out of archives and folders: bounded memory, nothing extracted to disk, one clear error for damage."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zlib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import IO, Any

from ..helpers.reading import MOST, opened
from ._published import Archive, Finding, Published

LONGEST_HEADER = 1 << 20
"""Bytes of the name of a member, or of other facts about it."""


def md5(path: Path) -> str:
    """The MD5 sum of a file in hex; the file is read piece by piece."""
    digest = hashlib.md5(usedforsecurity=False)
    with opened(path) as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def md5_of(content: bytes) -> str:
    """The MD5 sum of bytes in hex."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def read_tar(path: Path, folder: str, names: set[str], limit: int, published: Archive | None) -> dict[str, bytes]:
    """The files ``folder/name`` of a .tar.gz, read in one pass.

    Members that leave the folder, absolute names, links and devices are refused: such an archive is not the published
    one, and whoever extracts it by hand would be in danger. So is an archive that unpacks to more than ``limit`` bytes,
    or that declares more for any member, wanted or not.

    Raises:
        ValueError: a cut or damaged archive, refused members; names the member, and what the published archive is.
    """
    contents: dict[str, bytes] = {}
    last = "its beginning"
    try:
        with (
            opened(path) as packed,
            tarfile.open(fileobj=_Limited(gunzip(packed), limit), mode="r|", tarinfo=_Member) as tar,
        ):
            while (member := tar.next()) is not None:
                tar.members.clear()  # type: ignore[attr-defined]  # it would keep every header
                last = repr(member.name)
                _refuse(member, limit)
                place = PurePosixPath(member.name)
                if not member.isfile() or place.parent.name != folder or place.name not in names:
                    continue
                content = tar.extractfile(member).read()  # type: ignore[union-attr]
                if len(content) != member.size:
                    raise EOFError(f"{len(content):,} of {member.size:,} bytes")
                contents[place.name] = content
    except (FileNotFoundError, PermissionError, IsADirectoryError):
        raise
    except _RefusedError as error:
        raise ValueError(f"{path.name}: {error}; refused") from None
    except (tarfile.TarError, EOFError, OSError, ValueError, zlib.error) as error:
        raise ValueError(f"{path.name}: cut or damaged at {last} ({error}); {compared(path, published)}") from None
    return contents


def gunzip(file: IO[bytes]) -> io.BufferedReader:
    """What an open gzip file unpacks to; reading raises EOFError or zlib.error if it is cut or damaged.

    Unlike ``gzip.GzipFile``, it does not step one by one through zeros behind the end, of which a small archive can
    hold many.

    Example:
        >>> import gzip
        >>> gunzip(io.BytesIO(gzip.compress(b"some ") + gzip.compress(b"bytes") + bytes(9))).read()
        b'some bytes'
    """
    return io.BufferedReader(_Gunzip(file))


class _Gunzip(io.RawIOBase):
    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.packed, self.unpacker = file, b"", zlib.decompressobj(31)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while True:
            packed = self.packed or self.file.read(1 << 16)
            ended = not packed
            if self.unpacker.eof:  # zeros follow, or another member
                if ended:
                    return 0
                packed = packed.lstrip(b"\0")
                if not packed:
                    self.packed = b""
                    continue
                self.unpacker = zlib.decompressobj(31)
            found = self.unpacker.decompress(packed, len(buffer))
            self.packed = self.unpacker.unconsumed_tail or self.unpacker.unused_data
            if found:
                buffer[: len(found)] = found
                return len(found)
            if ended and not self.unpacker.eof:
                raise EOFError("it ends within its content")


class _RefusedError(Exception):
    """An archive that may be whole, but that nobody should unpack."""


class _Limited(io.RawIOBase):
    """What a file holds, up to ``limit`` bytes."""

    def __init__(self, file: io.BufferedReader, limit: int) -> None:
        self.file, self.limit, self.left = file, limit, limit

    def read(self, size: int = -1) -> bytes:
        content = self.file.read(size)
        self.left -= len(content)
        if self.left < 0:
            raise _RefusedError(f"it unpacks to more than {self.limit:,} bytes")
        return content


class _Member(tarfile.TarInfo):
    """One whose header is looked at before what follows it is read: long names and such belong to a member to come."""

    @classmethod
    def frombuf(cls, *arguments: Any, **settings: Any) -> _Member:
        member = super().frombuf(*arguments, **settings)
        if member.type not in tarfile.REGULAR_TYPES and member.size > LONGEST_HEADER:
            raise _RefusedError(f"a header of {member.size:,} bytes, expected at most {LONGEST_HEADER:,}")
        return member


def _refuse(member: tarfile.TarInfo, limit: int) -> None:
    place = PurePosixPath(member.name)
    if place.is_absolute() or ".." in place.parts:
        raise _RefusedError(f"member {member.name!r} would be written outside its folder")
    if not (member.isfile() or member.isdir()):
        raise _RefusedError(f"member {member.name!r} is a link or a device")
    if member.size > limit:
        raise _RefusedError(f"member {member.name!r}: {member.size:,} bytes, expected at most {limit:,}")


def archives(known: Published, folders: Iterable[Path]) -> list[Finding]:
    """The published archives that lie in some folders, beside their md5 sums."""
    findings = []
    for archive in (*known.archives, *known.others):
        for path in (folder / archive.file for folder in folders):
            if path.is_file():
                right = md5(path) == archive.md5
                findings.append(
                    Finding(archive.file, right, f"md5 {archive.md5}" if right else compared(path, archive))
                )
    return findings


def compared(path: Path, published: Archive | None) -> str:
    """Size and md5 of a file beside the published ones, in words."""
    found = path.stat().st_size
    words = f"it has {found:,} bytes" + (f", md5 {md5(path)}" if found <= MOST else "")
    if published is None:
        return words
    size = f"{published.size:,} bytes, " if published.size else ""
    return f"{words}; the published {published.file} has {size}md5 {published.md5}: download it again"
