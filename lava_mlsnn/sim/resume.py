"""Long evaluations that survive an interruption: pieces of a data set are put on disk as they are done."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
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
from .run import Progress, Run, check_images, run

PIECE = 250
"""Images per piece: what an interruption loses at most."""


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
    whole after every piece, so that a kill at any time leaves a valid one, and removed at the end.

    Args:
        graph, images: as for :func:`run`; a memory map is read piece by piece.
        path: where the pieces are kept.
        piece: images per piece.
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
    _report(progress, done, len(images))
    while done is None or len(done.output) < len(images):
        start = 0 if done is None else len(done.output)
        found = run(graph, images[start : start + piece], progress=_shifted(progress, start, len(images)), **settings)
        done = found if done is None else _joined(done, found)
        _write(file, identity, done)
    file.unlink(missing_ok=True)
    return done


def _joined(a: Run, b: Run) -> Run:
    overflows = {name: a.overflows.get(name, 0) + b.overflows.get(name, 0) for name in {**a.overflows, **b.overflows}}
    return Run(np.concatenate([a.output, b.output]), a.activity + b.activity, {}, overflows)


def _report(progress: Progress | None, done: Run | None, total: int) -> None:
    if progress is not None and done is not None:
        progress(len(done.output), total)


def _shifted(progress: Progress | None, start: int, total: int) -> Callable[[int, int], None] | None:
    return None if progress is None else lambda done, _: progress(start + done, total)


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
        message = f"{path}: not the pieces of an interrupted run ({reason(error)}): remove it to begin anew"
        raise ValueError(message) from None
    for what, mine in identity.items():
        if notes.get(what) != mine:
            raise ValueError(f"{path}: pieces of a run with other {what}: remove it to begin anew")
    return run_
