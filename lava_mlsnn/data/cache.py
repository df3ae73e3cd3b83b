"""Frames on disk: integrated once, memory-mapped ever after, written so that a kill leaves nothing broken.

A set of frames is a folder of the cache, named by a digest of what it was made from (names, sizes and times of change
of all files, and all options): other files or options never meet old frames. It holds

* ``frames.npy``: uint8 (N, C, H, W, T), training recordings first;
* ``about.json``: how many frames each recording gave, how many events did not fit 8 bits, what was mended, digests of
  the frames and of all that.

Each file appears when it is complete, ``about.json`` last; a lock keeps two processes from writing the same set. Memory
stays constant: one recording at a time. A process compares the frames with their digest when it first opens them; those
that are damaged are made again, with a warning.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..helpers.files import replacing, write_json
from ..helpers.lock import locked
from ..helpers.reading import opened, read_json
from ..helpers.sealed import file_digest, json_digest

VARIABLE = "MLSNN_CACHE"
"""Environment variable: the folder of the cache, in place of the user's cache folder."""

FORMAT = 3
FRAMES, ABOUT = "frames.npy", "about.json"

Progress = Callable[[int, int], None]


def folder(given: str | Path | None = None) -> Path:
    """Where frames are kept: ``given``, or ``$MLSNN_CACHE``, or ``lava-mlsnn`` in the user's cache folder."""
    if given is not None:
        return Path(given).expanduser()
    if os.environ.get(VARIABLE):
        return Path(os.environ[VARIABLE]).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "lava-mlsnn"


def digest(files: Iterable[Path], root: Path, settings: dict[str, Any]) -> str:
    """A digest of settings (JSON-ready) and of files: their names below ``root``, sizes and modification times.

    A change within the clock's resolution that leaves the size as it was goes unnoticed.
    """
    digest = hashlib.sha256(json.dumps([FORMAT, settings], sort_keys=True).encode())
    for path in files:
        about = path.stat()
        digest.update(f"\n{os.path.relpath(path, root)} {about.st_size} {about.st_mtime_ns}".encode())
    return digest.hexdigest()[:24]


def frames(
    place: Path,
    shape: tuple[int, ...],
    make: Callable[[], Iterator[NDArray[np.uint8]]],
    about: Callable[[], dict[str, Any]],
) -> tuple[NDArray[np.uint8], dict[str, Any]]:
    """The frames at ``place``, made if they are not there, as a read-only memory map, and what is known about them.

    Args:
        place: folder of this set of frames.
        shape: (N, C, H, W, T) with the least N that there can be.
        make: yields N or more samples (C, H, W, T).
        about: called after ``make``: what else is to be kept (JSON-ready).

    Raises:
        ValueError: too little room on the disk, or no permission to write.
        OSError: the disk became full in the meantime; names the file.
    """
    found = _open(place, shape)
    if found is not None:
        return found
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with locked(place.with_name(f"{place.name}.lock"), "making of frames", wait=True):
            found = _open(place, shape)  # another process may have made it in the meantime
            if found is None:
                if (place / ABOUT).exists():
                    warnings.warn(f"cache {place}: damaged, its frames are made again", RuntimeWarning, stacklevel=3)
                _write(place, shape, make(), about)
                found = _open(place, shape)
    except PermissionError as error:
        raise ValueError(f"cache {place.parent}: {error}; give another folder in {VARIABLE}") from None
    if found is None:
        raise ValueError(f"cache {place}: cannot be read back; remove it")
    return found


_DIGESTS: dict[tuple[Any, ...], str] = {}
"""Of files of frames that this process has read: by name, size and times of change."""


def _open(place: Path, shape: Sequence[int]) -> tuple[NDArray[np.uint8], dict[str, Any]] | None:
    """None if it is not there or not what it should be."""
    try:
        about = read_json(place / ABOUT, "")
        stated, digest = about.pop("digest"), about.pop("frames")
        opened(place / FRAMES).close()
        found = np.load(place / FRAMES, mmap_mode="r", allow_pickle=False)
        right = stated == json_digest({**about, "frames": digest}) and digest == _digest_once(place / FRAMES)
    except Exception:  # nothing there, or whatever json and numpy make of damage
        return None
    return (found, about) if right and found.shape == (about["count"], *shape[1:]) else None


def _digest_once(path: Path) -> str:
    """The digest of a file; computed once per process as long as its size and times stay."""
    state = path.stat()
    key = (path, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)
    if key not in _DIGESTS:
        _DIGESTS[key] = file_digest(path)
    return _DIGESTS[key]


def _write(
    place: Path,
    shape: tuple[int, ...],
    samples: Iterator[NDArray[np.uint8]],
    about: Callable[[], dict[str, Any]],
) -> None:
    size = int(np.prod(shape, dtype=np.int64))
    free = shutil.disk_usage(place.parent).free
    if size > free:
        raise ValueError(f"cache {place.parent}: {size:,} bytes of frames, {free:,} free; see {VARIABLE}")
    for name in (ABOUT, FRAMES):  # what is here cannot be read, and may be a pipe
        (place / name).unlink(missing_ok=True)
    place.mkdir(exist_ok=True)
    try:
        with replacing(place / FRAMES) as part, open(part, "wb") as file:
            file.write(_header((0, *shape[1:])))
            count = 0
            for sample in samples:
                file.write(np.ascontiguousarray(sample, np.uint8).data)
                count += 1
            file.seek(0)
            file.write(_header((count, *shape[1:])))
        content = json.loads(json.dumps({**about(), "count": count, "frames": file_digest(place / FRAMES)}))
        write_json({**content, "digest": json_digest(content)}, place / ABOUT)
    finally:
        with suppress(OSError):
            place.rmdir()  # if nothing was written


def _header(shape: tuple[int, ...]) -> bytes:
    """The header of a ``.npy`` file of uint8, always of the same length; numpy's own grows with the shape."""
    text = repr({"descr": "|u1", "fortran_order": False, "shape": shape}).encode()
    return b"\x93NUMPY\x01\x00" + (182).to_bytes(2, "little") + text.ljust(181) + b"\n"
