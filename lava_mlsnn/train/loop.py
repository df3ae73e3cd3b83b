"""Train a network on a dataset by a recipe, reproducibly."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from torch import nn

from ..block import quantized, unquantized
from ..data import Dataset
from .batches import Batches
from .callbacks import Bar, History, Phases
from .engine import pl
from .evaluate import EVALUATION_BATCH, check
from .quiet import quiet
from .recipe import Recipe
from .task import Classifier

CHECKPOINT = "last.ckpt"


@dataclass(frozen=True)
class Result:
    """What a training leaves.

    Args:
        net: the trained network, the very object that was given, in evaluation mode.
        history: per epoch: train_loss, train_accuracy, and val_loss, val_accuracy if the recipe holds out images.
        seconds: wall time of the training.
        quantized: whether the last epochs ran with integer weights.
    """

    net: nn.Module
    history: tuple[dict[str, float], ...]
    seconds: float
    quantized: bool


def fit(
    net: nn.Module,
    dataset: Dataset,
    recipe: Recipe,
    *,
    seed: int = 0,
    out: str | Path | None = None,
    resume: bool = False,
    progress: bool | Console = True,
    name: str = "network",
) -> Result:
    """Train ``net`` on the training images of ``dataset``; the test images are not looked at.

    Order and augmentation depend on ``seed`` and the epoch alone; the initial weights are those of ``net``
    (:func:`seeded` makes them reproducible). On one machine the same seed gives the same weights.

    Args:
        net: starts with a block.Input; integer images (N, C, H, W) -> logits (N, classes). A net in quantized mode is
            put back into float mode first.
        dataset: integer images.
        recipe: see :class:`Recipe`.
        seed: of everything random in training.
        out: folder for metrics.csv and, after each epoch, the checkpoint; None writes nothing.
        resume: go on from the checkpoint in ``out``, with the result of a training that was never interrupted.
        progress: show a progress bar, on a console if one is given.
        name: what the progress bar calls it.

    Raises:
        ValueError: network and images that do not fit, or nothing to resume.
    """
    check(net, dataset)
    unquantized(net)
    checkpoint = _checkpoint(out, resume)
    task = Classifier(net, recipe, partial(quantized, weight_bits=recipe.weight_bits))
    phases, history = Phases(recipe), History()
    callbacks: list[pl.Callback] = [phases, history]
    if progress:
        callbacks.append(Bar(name, progress if isinstance(progress, Console) else None))
    part = dataset.validation(recipe.validation, seed) if recipe.validation else None
    source = part or dataset
    train = Batches(source.train_images, source.train_labels, recipe.batch, seed, recipe.augment)
    watched = Batches(part.test_images, part.test_labels, EVALUATION_BATCH) if part else None
    start = time.perf_counter()
    with quiet(), seeded(seed), _deterministic():
        trainer = _trainer(recipe, callbacks, out)
        trainer.fit(task, train, watched, ckpt_path=checkpoint, weights_only=True)
    net.eval()
    return Result(net, tuple(history.epochs), time.perf_counter() - start, task.quantized)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch inside; outside, its random stream goes on as if nothing had happened."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


@contextmanager
def _deterministic() -> Iterator[None]:
    """Trainer(deterministic=True) switches torch for good; switch it back."""
    before = torch.are_deterministic_algorithms_enabled()
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)


def _trainer(recipe: Recipe, callbacks: list[pl.Callback], out: str | Path | None) -> pl.Trainer:
    logger: Any = False
    if out is not None:
        logger = pl.loggers.CSVLogger(str(out), name="", version="")
        saver = pl.callbacks.ModelCheckpoint(str(out), filename=CHECKPOINT[:-5], enable_version_counter=False)
        callbacks = [*callbacks, saver]
    return pl.Trainer(
        max_epochs=recipe.total_epochs,
        logger=logger,
        callbacks=callbacks,
        gradient_clip_val=recipe.clip,
        deterministic=True,
        accelerator="auto",
        devices=1,
        enable_checkpointing=out is not None,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )


def _checkpoint(out: str | Path | None, resume: bool) -> str | None:
    if not resume:
        return None
    path = Path(out or ".") / CHECKPOINT
    if out is None or not path.is_file():
        raise ValueError(f"resume: expected a checkpoint {path}, found none")
    return str(path)
