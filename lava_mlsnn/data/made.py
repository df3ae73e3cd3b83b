"""Data sets that are made here and not downloaded: a file in their folder tells them from those that they stand in for.

``synthetic.json`` beside the data holds the name, the settings and what came of them, with a digest of all files.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..helpers.files import write_json
from ..helpers.reading import read_file, read_json
from ._published import PUBLISHED, Finding

ABOUT = "synthetic.json"

Progress = Callable[[int, int], None]


def about(folder: Path) -> dict[str, Any]:
    """What ``synthetic.json`` says; empty where there is none; ValueError if it is damaged."""
    try:
        found = read_json(folder / ABOUT, "such as mlsnn data make writes")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    if not isinstance(found, dict) or found.get("name") not in PUBLISHED:
        raise ValueError(f"{folder / ABOUT}: names no data set that is made here; make the data again")
    return found


def is_named(name: str, folder: Path) -> bool:
    """Whether what lies in a folder may be the data set ``name``: made ones say so, others say nothing."""
    return about(folder).get("name", "") == (name if PUBLISHED[name].made else "")


@contextmanager
def making(folder: Path, name: str, settings: Mapping[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """A folder to fill, which becomes ``folder`` when all is done, and a dictionary for what came of it.

    Raises:
        ValueError: there is something at ``folder`` already.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"{folder}: exists already; remove it, or name another folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        result: dict[str, Any] = {"name": name, **settings}
        yield part, result
        write_json({**result, "digest": digest(part)}, part / ABOUT)
        part.chmod(0o777 & ~_umask())
        os.replace(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def digest(folder: Path) -> str:
    """SHA-256 of names and contents of all files below a folder, but for ``synthetic.json``."""
    found = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / ABOUT):
        found.update(f"{path.relative_to(folder).as_posix()}\0".encode())
        found.update(hashlib.sha256(read_file(path)).digest())
    return found.hexdigest()


def check(folder: Path) -> list[Finding]:
    """Whether the files are those that were made."""
    stated = about(folder).get("digest", "")
    right = digest(folder) == stated
    detail = f"SHA-256 {stated[:16]}..." if right else "changed, or not complete, since they were made"
    return [Finding("files", right, detail)]


def _umask() -> int:
    found = os.umask(0)
    os.umask(found)
    return found
