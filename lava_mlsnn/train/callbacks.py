"""What happens around the epochs: the switch to integer weights, an early end of the float epochs, the progress bar."""

from __future__ import annotations

from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

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
        self.first = recipe.epochs  # first quantized epoch, counted from 0
        self.best = -1.0
        self.waited = 0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self.first < self.recipe.epochs:  # resumed behind an early end
            trainer.fit_loop.max_epochs = self.first + self.recipe.quantized_epochs

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        assert isinstance(pl_module, Classifier)
        torch.manual_seed(stream(stream(self.seed, rank()), trainer.current_epoch))
        if trainer.current_epoch >= self.first:
            pl_module.quantize()

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
        return {"first": self.first, "best": self.best, "waited": self.waited}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.first, self.best, self.waited = state_dict["first"], state_dict["best"], state_dict["waited"]


class History(pl.Callback):
    """Loss and accuracy of each epoch, including those before a resumption."""

    state_key = "History"

    def __init__(self) -> None:
        self.epochs: list[dict[str, float]] = []

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        self.epochs.append({"epoch": trainer.current_epoch, **metrics})

    def state_dict(self) -> dict[str, Any]:
        return {"epochs": self.epochs}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.epochs = list(state_dict["epochs"])


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
