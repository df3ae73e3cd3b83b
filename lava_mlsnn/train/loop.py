"""Train a network on a dataset by a recipe, reproducibly."""

from __future__ import annotations

import importlib.util
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from torch import nn

from ..block import no_integer_layer, quantized, unquantized
from ..data import Dataset
from ..helpers.check import instance
from ..helpers.lock import locked
from .batches import Batches
from .callbacks import Bar, Best, History, Phases
from .checkpoint import AtomicIO, find, identity
from .evaluate import EVALUATION_BATCH, check, check_teacher, seeded
from .folder import BEST_FILE, FILE, LOCK, METRICS_FILE, begin, prepare
from .lightning_import import pl
from .machine import Machine
from .quiet import quiet
from .recipe import Recipe
from .task import Classifier
from .world import is_first, rank


@dataclass(frozen=True)
class Result:
    """What a training leaves.

    Args:
        net: the trained network, the very object that was given, in evaluation mode.
        history: per epoch: train_loss, train_accuracy, and val_loss, val_accuracy if the recipe holds out images;
            energy_share, energy_weight and val_energy_share if it has a penalty (:mod:`lava_mlsnn.train.penalty`);
            distill_loss if it has a teacher.
        seconds: wall time of the training.
        quantized: whether the last epochs ran with integer weights.
        rank: which of several processes this is; all end with the same network, and process 0 should write it.
        longer: epochs that were done each time that the training was resumed with more epochs.
    """

    net: nn.Module
    history: tuple[dict[str, float], ...]
    seconds: float
    quantized: bool
    rank: int = 0
    longer: tuple[int, ...] = ()


def fit(
    net: nn.Module,
    dataset: Dataset,
    recipe: Recipe,
    *,
    seed: int = 0,
    out: str | Path | None = None,
    resume: bool = False,
    force: bool = False,
    progress: bool | Console = True,
    name: str = "network",
    machine: Machine | None = None,
    callbacks: Sequence[pl.Callback] = (),
    start: str | None = None,
    teacher: nn.Module | None = None,
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
        out: folder for metrics.csv, tensorboard/ (where that package is installed) and, after each epoch, the
            checkpoint; None writes nothing. With held out images best.safetensors is the network of the best
            validation accuracy, of the integer epochs if there are any.
        resume: continue from the checkpoint in ``out``; the result is that of a training that was never interrupted
            (:mod:`lava_mlsnn.train.checkpoint`). With more epochs than it had, it goes on for longer.
        force: begin anew in a folder that holds another training, which is removed.
        progress: show a progress bar, on a console if one is given.
        name: what the progress bar calls it.
        machine: devices and precision; by default one device, a GPU if there is one.
        callbacks: more Lightning callbacks, called after those of this package.
        start: digest of what ``net`` got its weights from, if it is no new network; only the same one is resumed.
        teacher: a trained network for the same images and classes, wanted by ``recipe.distill``; it is put into
            evaluation mode and not changed. Only with the same one a training is resumed.

    Raises:
        ValueError: network or teacher and images that do not fit, nothing to resume, a checkpoint that is damaged or of
            another training, or a batch that the processes cannot share.
        FileExistsError: ``out`` holds a training, and it is neither resumed nor to be replaced.
        BlockingIOError: another process trains in ``out``; says which.
    """
    check(net, dataset)
    instance(recipe, Recipe, "recipe", "train.recipe has them by name")
    reason = no_integer_layer(net)
    if reason and recipe.quantized_epochs:
        raise ValueError(f"quantized_epochs: expected 0 for this network, got {recipe.quantized_epochs}: {reason}")
    machine = machine or Machine()
    if recipe.batch % machine.processes:
        raise ValueError(f"batch: expected a multiple of the {machine.processes} processes, got {recipe.batch}")
    unquantized(net)
    check_teacher(teacher, net, dataset, recipe)
    what = identity(net, dataset, recipe, seed, machine.precision, start, teacher)
    first = out is not None and is_first()
    with locked(prepare(out) / LOCK, "training") if out is not None and first else nullcontext():
        if out is not None and first and not resume:
            begin(out, force)
        checkpoint = find(out, what) if resume else None
        task = Classifier(net, recipe, partial(quantized, weight_bits=recipe.weight_bits), what, teacher)
        phases, history = Phases(recipe, seed), History(None if out is None else Path(out) / METRICS_FILE)
        own: list[pl.Callback] = [phases, history]
        if out is not None and recipe.validation:
            notes = {"dataset": dataset.name, "labels": list(dataset.labels), "recipe": recipe.to_dict(), "seed": seed}
            own.append(Best(Path(out) / BEST_FILE, phases, notes))
        if progress:
            own.append(Bar(name, progress if isinstance(progress, Console) else None))
        train, watched = _batches(dataset, recipe, seed)
        started = time.perf_counter()
        with quiet(), seeded(seed), _deterministic():
            trainer = _trainer(recipe, [*own, *callbacks], out, machine)
            with _interruptible(trainer), _laid_out(machine, net, teacher):
                trainer.fit(task, train, watched, ckpt_path=checkpoint, weights_only=True)
    net.eval()
    seconds = time.perf_counter() - started
    return Result(net, tuple(history.epochs), seconds, task.quantized, rank(), tuple(phases.longer))


@contextmanager
def _interruptible(trainer: pl.Trainer) -> Iterator[None]:
    """KeyboardInterrupt where Lightning ends the program and leaves Ctrl-C ignored."""
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit:
        if not trainer.interrupted:
            raise
        signal.signal(signal.SIGINT, before)
        raise KeyboardInterrupt from None


@contextmanager
def _laid_out(machine: Machine, *nets: nn.Module | None) -> Iterator[None]:
    """Kernels of convolutions with channels last where the machine wants it, which maps take over; back at the end."""
    every = (p for net in nets if net is not None for p in net.parameters())
    kernels = [p for p in every if p.ndim == 4 and machine.channels_last]
    for p in kernels:
        p.data = p.data.to(memory_format=torch.channels_last)
    try:
        yield
    finally:
        for p in kernels:
            p.data = p.data.contiguous()


def _batches(dataset: Dataset, recipe: Recipe, seed: int) -> tuple[Batches, Batches | None]:
    """Of the training images, and of those held out."""
    part = dataset.validation(recipe.validation, seed) if recipe.validation else None
    source = part or dataset
    train = Batches(
        source.train_images,
        source.train_labels,
        recipe.batch,
        seed,
        recipe.augment,
        recipe.mixup,
        dataset.num_classes,
    )
    return train, Batches(part.test_images, part.test_labels, EVALUATION_BATCH) if part else None


@contextmanager
def _deterministic() -> Iterator[None]:
    """Trainer(deterministic=True) switches torch for good; switch it back."""
    before = torch.are_deterministic_algorithms_enabled()
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)


def _trainer(recipe: Recipe, callbacks: list[pl.Callback], out: str | Path | None, machine: Machine) -> pl.Trainer:
    loggers: Any = False
    if out is not None:
        if importlib.util.find_spec("tensorboard"):
            loggers = pl.loggers.TensorBoardLogger(str(out), name="", version="tensorboard")
        saver = pl.callbacks.ModelCheckpoint(
            str(out), filename=Path(FILE).stem, enable_version_counter=False, save_on_train_epoch_end=True
        )
        callbacks = [*callbacks, saver]
    return pl.Trainer(
        max_epochs=recipe.total_epochs,
        logger=loggers,
        callbacks=callbacks,
        plugins=[AtomicIO()],
        deterministic=True,
        enable_checkpointing=out is not None,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        **machine.trainer_options(),
    )
