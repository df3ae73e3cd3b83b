"""A process that works on a study, once all are ready: ``python sweep_worker.py STUDY TRIALS EPOCHS WORKERS``."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import torch

from lava_mlsnn.train import recipe
from lava_mlsnn.train.sweep import Range, Sweep, run

SPACE = (Range("lr", 0.01, 0.3, True), Range("levels", choices=(1, 2, 4)))


def sweep(study: str, epochs: int) -> Sweep:
    """A search that takes seconds."""
    plan = recipe("digits", epochs=epochs, quantized_epochs=0, batch=32)
    return Sweep("mlp", {"hidden": (16,)}, "digits", plan, SPACE, study)


def main(study: str, trials: str, epochs: str, workers: str) -> None:
    """Wait for the others in this folder, then work."""
    torch.set_num_threads(1)
    Path(f"ready{os.getpid()}").touch()
    while len(list(Path().glob("ready*"))) < int(workers):
        time.sleep(0.01)
    run(sweep(study, int(epochs)), int(trials))


if __name__ == "__main__":
    main(*sys.argv[1:])
