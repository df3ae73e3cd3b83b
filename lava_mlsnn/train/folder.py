"""The folder of a training: what is in it, and when a new training may begin there."""

from __future__ import annotations

from pathlib import Path

from ..helpers.files import check_writable
from .checkpoint import FILE

MODEL_FILE = "model.safetensors"
BEST_FILE = "best.safetensors"
METRICS_FILE = "metrics.csv"
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


def begin(out: str | Path, force: bool = False) -> None:
    """See to it that a folder holds no training: ``force`` removes the one that it holds, else see check_free."""
    if not force:
        check_free(out)
    folder = Path(out)
    for path in (*(folder / name for name in (FILE, MODEL_FILE, BEST_FILE, METRICS_FILE)), *folder.glob(_BOARD)):
        path.unlink(missing_ok=True)
