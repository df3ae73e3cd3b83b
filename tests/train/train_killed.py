"""A training that ends in the middle of its second epoch by SIGKILL: ``train_killed.py OUT``."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn

from lava_mlsnn import block, data, train
from lava_mlsnn.neuron import MultiLevel
from lava_mlsnn.train.batches import Batch, Batches

RECIPE = train.Recipe(
    epochs=2,
    quantized_epochs=1,
    batch=128,
    optimizer=train.Optimizer("adam", lr=0.01),
    augment=train.Augment(shift=1),
    mixup=0.2,
    clip=1.0,
    validation=0.1,
)


def network() -> nn.Module:
    """A network that also draws at random while it computes."""
    with train.seeded(1):
        return nn.Sequential(
            block.Input((1, 8, 8), 1 / 16, 5),
            block.Conv(1, 6, 3, 2, 1, neuron=MultiLevel(levels=4)),
            nn.Dropout(0.1),
            block.Readout(96, 10),
        )


class Killed(Batches):
    """Kills its process at the fourth batch of the second epoch."""

    def __iter__(self) -> Iterator[Batch]:
        for i, batch in enumerate(super().__iter__()):
            if self.seed is not None and (self.epoch, i) == (1, 3):
                os.kill(os.getpid(), signal.SIGKILL)
            yield batch


if __name__ == "__main__":
    from lava_mlsnn.train import loop

    torch.set_num_threads(1)
    loop.Batches = Killed  # type: ignore[misc]
    train.fit(network(), data.load("digits"), RECIPE, seed=5, out=Path(sys.argv[1]), progress=False)
