"""What happens around the epochs: the switch to integer weights, an early end, what is kept, the progress bar."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ..block import unquantized
from ..helpers.files import atomic_write
from ..model import Network, save
from .batches import stream
from .lightning_import import pl
from .recipe import Recipe
from .task import Classifier
from .world import rank


class Phases(pl.Callback):
    """Float epochs, then quantized ones; the float epochs end early when validation no longer improves.

    Args:
        recipe: number of epochs, patience.
        seed: of what layers draw at random, such as dropout. Each epoch is seeded with (seed, epoch), so that a resumed
            training draws what it would have drawn.
    """

    state_key = "Phases"

    def __init__(self, recipe: Recipe, seed: int) -> None:
        self.recipe = recipe
        self.seed = seed
        self._plan: list[int] | None = None  # that of the checkpoint
        self.first = recipe.epochs  # first quantized epoch, counted from 0
        self.best = -1.0
        self.waited = 0
        self.longer: list[int] = []  # epochs that were done when a training was made longer

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self._plan is not None and self._plan != self._own_plan():
            self.first, self.waited = self.recipe.epochs, 0
            self.longer.append(trainer.current_epoch)
        if self.first < self.recipe.epochs:  # resumed behind an early end
            trainer.fit_loop.max_epochs = self.first + self.recipe.quantized_epochs

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        assert isinstance(pl_module, Classifier)
        torch.manual_seed(stream(stream(self.seed, rank()), trainer.current_epoch))
        if trainer.current_epoch >= self.first:
            pl_module.quantize()
        elif pl_module.quantized:  # a finished training that was made longer
            unquantized(pl_module.net)
            pl_module.quantized = False

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        patience = self.recipe.patience
        if trainer.sanity_checking or patience is None or trainer.current_epoch >= self.first - 1:
            return
        accuracy = float(trainer.callback_metrics["val_accuracy"])
        self.waited = 0 if accuracy > self.best else self.waited + 1
        self.best = max(self.best, accuracy)
        if self.waited >= patience:
            self.first = trainer.current_epoch + 1
            trainer.fit_loop.max_epochs = self.first + self.recipe.quantized_epochs

    def state_dict(self) -> dict[str, Any]:
        state = {"first": self.first, "best": self.best, "waited": self.waited, "longer": self.longer}
        return {**state, "plan": self._own_plan()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.first, self.best, self.waited = state_dict["first"], state_dict["best"], state_dict["waited"]
        self.longer, self._plan = list(state_dict["longer"]), list(state_dict["plan"])

    def _own_plan(self) -> list[int]:
        return [self.recipe.epochs, self.recipe.quantized_epochs]


class History(pl.Callback):
    """Loss and accuracy of each epoch, including those before a resumption.

    Args:
        table: file that has them as CSV after each epoch.
    """

    state_key = "History"

    def __init__(self, table: Path | None = None) -> None:
        self.table = table
        self.epochs: list[dict[str, float]] = []

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        self.epochs.append({"epoch": trainer.current_epoch, **metrics})
        if self.table is not None and trainer.is_global_zero:
            text, per_epoch = io.StringIO(), int(trainer.num_training_batches)
            rows = [{**row, "step": int((row["epoch"] + 1) * per_epoch - 1)} for row in self.epochs]
            names = sorted({name for row in rows for name in row} - {"epoch", "step"})
            writer = csv.DictWriter(text, ("epoch", "step", *names), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
            atomic_write(self.table, text.getvalue())

    def state_dict(self) -> dict[str, Any]:
        return {"epochs": self.epochs}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.epochs = list(state_dict["epochs"])


class Best(pl.Callback):
    """Keeps the network of the best validation accuracy, of the integer epochs if there are any.

    Args:
        path: its file.
        phases: which epochs are integer.
        notes: of the file, beside "epoch" and "validation_accuracy".
    """

    state_key = "Best"

    def __init__(self, path: Path, phases: Phases, notes: Mapping[str, Any]) -> None:
        self.path = path
        self.phases = phases
        self.notes = notes
        self.accuracy = -1.0

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        epoch, recipe = trainer.current_epoch, self.phases.recipe
        if trainer.sanity_checking or (recipe.quantized_epochs and epoch < self.phases.first):
            return
        accuracy = float(trainer.callback_metrics["val_accuracy"])
        if accuracy <= self.accuracy:
            return
        self.accuracy = accuracy
        net = pl_module.net
        if trainer.is_global_zero and isinstance(net, Network) and net.config:
            save(net, self.path, {**self.notes, "epoch": epoch, "validation_accuracy": accuracy})

    def state_dict(self) -> dict[str, Any]:
        return {"accuracy": self.accuracy}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.accuracy = state_dict["accuracy"]


class Bar(pl.Callback):
    """One line per training: epochs done, loss, accuracy, time left; plain lines where there is no terminal."""

    def __init__(self, name: str, console: Console | None = None) -> None:
        self.name = name
        self.console = console or Console(stderr=True)
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[state]}"),
            TimeRemainingColumn(compact=True),
            console=self.console,
            disable=not self.console.is_terminal,
        )

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.is_global_zero:
            self.progress.start()
        total = trainer.max_epochs or 1
        self.line = self.progress.add_task(f"training {self.name}", total=total, state="")

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        done, total = trainer.current_epoch + 1, trainer.max_epochs or 1
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        part = "val" if "val_accuracy" in metrics else "train"
        state = f"loss {metrics['train_loss']:.3f}, {part} accuracy {metrics[f'{part}_accuracy']:.1%}"
        if "energy_share" in metrics:
            state += f", {metrics['energy_share']:.1%} of the ANN's energy"
        self.progress.update(self.line, completed=done, total=total, state=state)
        if (
            trainer.is_global_zero
            and not self.console.is_terminal
            and (done == total or done % max(1, total // 5) == 0)
        ):
            self.console.print(f"training {self.name}: epoch {done}/{total}, {state}", highlight=False, soft_wrap=True)

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.progress.stop()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        self.progress.stop()
