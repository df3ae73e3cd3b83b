"""The folder of a training: what is in it, and when a new training may begin there."""

from __future__ import annotations

import os
from pathlib import Path

from ..helpers.files import check_writable

FILE = "last.ckpt"
LOCK = ".lock"
"""File that the process which trains in a folder holds."""

MODEL_FILE = "model.safetensors"
BEST_FILE = "best.safetensors"
METRICS_FILE = "metrics.csv"
_RANKS = ("RANK", "LOCAL_RANK", "NODE_RANK", "SLURM_PROCID")
_BOARD = "tensorboard/events.out.tfevents.*"


def prepare(out: str | Path) -> Path:
    """Make the folder; OSError, before any computing, if nothing can be written there."""
    check_writable(Path(out) / FILE)
    return Path(out)


def check_free(out: str | Path) -> None:
    """FileExistsError, which names the file, if a folder holds a training."""
    folder = Path(out)
    for name, what in ((MODEL_FILE, "a finished training"), (FILE, "the checkpoint of a training")):
        if (folder / name).exists():
            raise FileExistsError(
                f"{folder / name}: {what} is there: expected resume (--resume) to go on from its checkpoint, force "
                "(--force) to begin anew, or another folder"
            )


def check_resumable(out: str | Path | None) -> Path:
    """The checkpoint in a folder; ValueError if there is none."""
    path = Path(out or ".") / FILE
    if out is None or not path.is_file():
        raise ValueError(f"resume: expected a checkpoint {path}, found none")
    return path


def is_first_started() -> bool:
    """Whether this is the first of the processes that torchrun, Slurm or Lightning start; known before torch loads."""
    return all(os.environ.get(name, "0") == "0" for name in _RANKS)


def begin(out: str | Path, force: bool = False) -> None:
    """See to it that a folder holds no training: ``force`` removes the one that it holds, else see check_free."""
    if not force:
        check_free(out)
    folder = Path(out)
    for path in (*(folder / name for name in (FILE, MODEL_FILE, BEST_FILE, METRICS_FILE)), *folder.glob(_BOARD)):
        path.unlink(missing_ok=True)
