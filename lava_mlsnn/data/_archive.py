"""Files out of archives and folders: bounded memory, nothing extracted to disk, one clear error for damage."""

from __future__ import annotations

import hashlib
import tarfile
import zlib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from ._published import Archive, Finding, Published


def md5(path: Path) -> str:
    """Of a file's content, in hex; reads it piece by piece."""
    found = hashlib.md5(usedforsecurity=False)
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            found.update(piece)
    return found.hexdigest()


def md5_of(content: bytes) -> str:
    """Of bytes, in hex."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def read_limited(path: Path, limit: int) -> bytes:
    """A file's content; ValueError if it is longer than any real one."""
    size = path.stat().st_size
    if size > limit:
        raise ValueError(f"{path.name}: {size:,} bytes, expected at most {limit:,}")
    return path.read_bytes()


def read_tar(path: Path, folder: str, names: set[str], limit: int, published: Archive | None) -> dict[str, bytes]:
    """The files ``folder/name`` of a .tar.gz, read in one pass.

    Members that leave the folder, absolute names, links and devices are refused: such an archive is not the published
    one, and whoever extracts it by hand would be in danger.

    Raises:
        ValueError: a cut or damaged archive, refused members; names the member, and what the published archive is.
    """
    found: dict[str, bytes] = {}
    last = "its beginning"
    try:
        with tarfile.open(path, "r|gz") as tar:
            for member in tar:
                last = member.name
                _refuse_traversal(path, member)
                place = PurePosixPath(member.name)
                if not member.isfile() or place.parent.name != folder or place.name not in names:
                    continue
                if member.size > limit:
                    raise ValueError(f"{path.name}: {member.name}: {member.size:,} bytes, expected at most {limit:,}")
                file = tar.extractfile(member)
                content = file.read(limit) if file else b""
                if len(content) != member.size:
                    raise EOFError(f"{len(content):,} of {member.size:,} bytes")
                found[place.name] = content
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        if isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError):
            raise
        raise ValueError(f"{path.name}: cut or damaged at {last} ({error}); {compared(path, published)}") from None
    return found


def _refuse_traversal(path: Path, member: tarfile.TarInfo) -> None:
    place = PurePosixPath(member.name)
    if place.is_absolute() or ".." in place.parts:
        raise ValueError(f"{path.name}: member {member.name!r} would be written outside its folder; refused")
    if not (member.isfile() or member.isdir()):
        raise ValueError(f"{path.name}: member {member.name!r} is a link or a device; refused")


def archives(known: Published, folders: Iterable[Path]) -> list[Finding]:
    """The published archives that lie in some folders, beside their md5 sums."""
    found = []
    for archive in (*known.archives, *known.others):
        for path in (folder / archive.file for folder in folders):
            if path.is_file():
                right = md5(path) == archive.md5
                found.append(Finding(archive.file, right, f"md5 {archive.md5}" if right else compared(path, archive)))
    return found


def compared(path: Path, published: Archive | None) -> str:
    """Size and md5 of a file beside the published ones, in words."""
    words = f"it has {path.stat().st_size:,} bytes, md5 {md5(path)}"
    if published is None:
        return words
    size = f"{published.size:,} bytes, " if published.size else ""
    return f"{words}; the published {published.file} has {size}md5 {published.md5}: download it again"
