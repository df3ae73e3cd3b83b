"""Silence those notices of Lightning that are known to be noise, and no others."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_LOGGERS = (
    "lightning.pytorch.utilities.rank_zero",
    "lightning.pytorch.accelerators.cuda",
    "lightning.fabric.utilities.seed",
    "lightning.fabric.utilities.distributed",
)
"""Loggers that announce which accelerators are absent and advertise services."""

_WARNINGS = (
    # The images lie in memory: a worker process would only cost.
    r".*does not have many workers.*",
    # Without held-out images nothing is validated.
    r"You defined a `validation_step` but have no `val_dataloader`.*",
    # Lightning's own use of torch.
    r"`isinstance\(treespec, LeafSpec\)` is deprecated.*",
    # A run of few steps logs each of them or none; both are fine.
    r"The number of training batches .* is smaller than the logging interval.*",
    # Resuming and writing the log again into its own folder is what is wanted.
    r"Checkpoint directory .* exists and is not empty.*",
    r"Experiment logs directory .* exists and is not empty.*",
    # A folder of a training that was moved is resumed where it is now.
    r"The dirpath has changed from .*",
)


@contextmanager
def quiet() -> Iterator[None]:
    """Silence the notices of Lightning listed in this module, and only those."""
    levels = {name: logging.getLogger(name).level for name in _LOGGERS}
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            for message in _WARNINGS:
                warnings.filterwarnings("ignore", message=message)
            yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
