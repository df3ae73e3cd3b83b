"""A process that works on a study: ``python sweep_worker.py STUDY TRIALS EPOCHS WORKERS [EPOCH]``.

It trains once each of the WORKERS in its folder has a trial, and is killed in the middle of an EPOCH.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import torch

from lava_mlsnn.train import Result, Training, recipe
from lava_mlsnn.train.lightning_import import pl
from lava_mlsnn.train.sweep import Range, Sweep, run

SPACE = (Range("lr", 0.01, 0.3, True), Range("levels", choices=(1, 2, 4)))


def sweep(study: str, epochs: int) -> Sweep:
    """A search that takes seconds."""
    plan = recipe("digits", epochs=epochs, quantized_epochs=0, batch=32)
    return Sweep("mlp", {"hidden": (16,)}, "digits", plan, SPACE, study)


class Killed(pl.Callback):
    """Kills its process at the third batch of an epoch."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: object, i: int) -> None:
        if (trainer.current_epoch, i) == (self.epoch, 2):
            os.kill(os.getpid(), signal.SIGKILL)


def main(study: str, trials: str, epochs: str, workers: str, *killed: str) -> None:
    """Work on a study."""
    torch.set_num_threads(1)
    fit = Training.fit

    def together(training: Training, callbacks: list[pl.Callback], **how: object) -> Result:
        Path(f"begun{os.getpid()}").touch()
        while len(list(Path().glob("begun*"))) < int(workers):
            time.sleep(0.01)
        return fit(training, callbacks=callbacks + [Killed(int(epoch)) for epoch in killed], **how)

    Training.fit = together  # type: ignore[method-assign,assignment]
    run(sweep(study, int(epochs)), int(trials))


if __name__ == "__main__":
    main(*sys.argv[1:])
