"""Long evaluations that survive an interruption: pieces of a data set are put on disk as they are done."""

from __future__ import annotations

import hashlib
import io
import json
from contextlib import closing
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..graph.activity import Activity
from ..graph.digest import digest
from ..graph.graph import NetGraph
from ..helpers.check import integer
from ..helpers.doors import reason
from ..helpers.files import replacing
from ..helpers.sealed import seal, unsealed
from .run import PIECE, Progress, Run, check_images, joined, pieces, shifted, warn_of_overflows


def run_resumable(
    graph: NetGraph,
    images: Any,
    path: str | PathLike[str],
    *,
    piece: int = PIECE,
    progress: Progress | None = None,
    **settings: Any,
) -> Run:
    """:func:`lava_mlsnn.sim.run` in pieces that are kept in ``path``; the same call continues where it stopped.

    The file knows the network and the images by their digests, and states one of its own content. It is replaced as a
    whole after every piece, so that a kill at any time leaves a valid one, and removed at the end. With an executor
    the pieces are its shards, which are kept in the order of the images.

    Args:
        graph, images: as for :func:`run`; a memory map is read piece by piece.
        path: where the pieces are kept.
        piece: images per piece, at most.
        progress: called with (samples done, samples in all), at once with what was found.
        settings: for :func:`run`; no trace.

    Raises:
        ValueError: ``path`` belongs to another network or other images, is damaged, or is no such file: names it.

    Shape:
        images (N, C, H, W) or (N, C, H, W, T) -> output (N, classes).

    Example:
        >>> import tempfile
        >>> from lava_mlsnn.netx import Connection, Dense, Input, Layer, NetGraph, Readout
        >>> dense = Connection("input", Dense([[1, 2], [3, 4]]))
        >>> graph = NetGraph(Input((2, 1, 1)), (Layer("out", (dense,), (2, 1, 1), Readout()),))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     run_resumable(graph, np.ones((3, 2, 1, 1), np.uint8), f"{folder}/part", piece=2).labels.tolist()
        [1, 1, 1]
    """
    if settings.get("trace"):
        raise ValueError("trace: a resumable run keeps no spikes: expected sim.run(..., trace=True)")
    piece = integer(piece, "piece", 1)
    images = check_images(graph, images)
    file = Path(path)
    identity = {"network": digest(graph), "images": _digest(images)}
    done = _read(file, identity)
    if progress is not None and done is not None:
        progress(len(done.output), len(images))
    start = 0 if done is None else len(done.output)
    if done is None or start < len(images):
        rest = pieces(graph, images[start:], piece, progress=shifted(progress, start, len(images)), **settings)
        with closing(rest):  # its workers get no more to do
            for found in rest:
                done = found if done is None else joined([done, found])
                _write(file, identity, done)
    assert done is not None
    warn_of_overflows(done)
    file.unlink(missing_ok=True)
    return done


def _digest(images: NDArray[Any]) -> str:
    found = hashlib.sha256(f"{images.dtype} {images.shape}".encode())
    for start in range(0, len(images), PIECE):
        found.update(np.ascontiguousarray(images[start : start + PIECE]).tobytes())
    return found.hexdigest()


def _write(path: Path, identity: dict[str, str], done: Run) -> None:
    notes = {**identity, "activity": done.activity.to_dict(), "overflows": dict(done.overflows)}
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        with open(part, "wb") as file:
            np.savez(file, output=done.output, notes=np.array(json.dumps(notes)))
        seal(part)


def _read(path: Path, identity: dict[str, str]) -> Run | None:
    try:
        content = unsealed(path)
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            output, notes = arrays["output"], json.loads(str(arrays["notes"]))
        run_ = Run(output, Activity.from_dict(notes["activity"]), {}, notes["overflows"])
    except FileNotFoundError:
        return None
    except Exception as error:  # whatever numpy and zipfile make of damage
        why = reason(error).removeprefix(f"{path}: ")
        raise ValueError(f"{path}: not the pieces of an interrupted run ({why}): remove it to begin anew") from None
    for what, mine in identity.items():
        if notes.get(what) != mine:
            raise ValueError(f"{path}: pieces of a run with other {what}: remove it to begin anew")
    return run_
