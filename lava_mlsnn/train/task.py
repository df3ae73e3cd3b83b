"""The training task: integer images in, cross entropy on logits that are averaged over T steps."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from math import cos, pi
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..block.norm import NORM_LAYERS
from .batches import Batch
from .checkpoint import KEY
from .lightning_import import pl
from .penalty import Penalty
from .recipe import Optimizer, Recipe, Schedule
from .world import synchronized


class Classifier(pl.LightningModule):
    """A network and the way it is trained.

    Args:
        net: integer images (N, C, H, W) or (N, C, H, W, T) -> logits (N, classes), averaged over T.
        recipe: see :class:`Recipe`.
        quantize: switches the network to integer weights; called once, before the first quantized epoch.
        identity: stored in checkpoints; see :func:`lava_mlsnn.train.checkpoint.identity`.
        teacher: says soft targets, if the recipe wants them; neither trained nor part of checkpoints.
    """

    def __init__(
        self,
        net: nn.Module,
        recipe: Recipe,
        quantize: Callable[[nn.Module], Any],
        identity: dict[str, Any],
        teacher: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.net = net
        self.recipe = recipe
        self.quantized = False
        self._quantize = quantize
        self._identity = identity
        self._teacher = None if teacher is None else (teacher,)  # a tuple, so that it is no part of this module
        self._together = ExitStack()
        self.penalty = Penalty(net, recipe) if recipe.energy or recipe.rate else None

    def on_fit_start(self) -> None:
        self._together.enter_context(synchronized(self.net))
        if self._teacher is not None:
            self._teacher[0].to(self.device)
        if self.penalty is not None:
            self._together.enter_context(self.penalty.counting())

    def teardown(self, stage: str) -> None:
        self._together.close()

    def quantize(self) -> None:
        """Switch to integer weights, unless that is done already."""
        if not self.quantized:
            self._quantize(self.net)
            self.quantized = True

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint[KEY] = self._identity
        checkpoint["quantized"] = self.quantized

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        if checkpoint["quantized"]:  # before the weights are loaded: they are those of the switched network
            self.quantize()

    def forward(self, images: Tensor) -> Tensor:
        """Integer images -> logits."""
        logits: Tensor = self.net(images)
        return logits

    def training_step(self, batch: Batch, _: int) -> Tensor:
        images, labels = batch
        logits = self(images)
        loss = F.cross_entropy(logits, labels, label_smoothing=self.recipe.label_smoothing)
        wanted = labels if labels.ndim == 1 else labels.argmax(1)  # of a mixture the larger part
        values = {"train_loss": loss.detach(), "train_accuracy": (logits.argmax(1) == wanted).float().mean()}
        if self._teacher is not None and self.recipe.distill is not None:
            with torch.no_grad():
                taught = self._teacher[0](images)
            soft = distance(logits, taught, self.recipe.distill.temperature)
            loss, values = loss.lerp(soft, self.recipe.distill.weight), {**values, "distill_loss": soft.detach()}
        if self.penalty is not None:
            extra, seen = self.penalty.loss(len(labels), int(self.trainer.estimated_stepping_batches))
            loss, values = loss + extra, {**values, **seen}
        self.log_dict(values, on_step=False, on_epoch=True, batch_size=len(labels), sync_dist=True)
        return loss

    def validation_step(self, batch: Batch, _: int) -> None:
        images, labels = batch
        logits = self(images)
        # Shares of the whole, to be summed: processes may have unequal parts, for which Lightning's mean is wrong.
        held_out: Any = self.trainer.val_dataloaders
        total = len(held_out.labels)
        loss, right = F.cross_entropy(logits, labels, reduction="sum"), (logits.argmax(1) == labels).sum()
        values = {"val_loss": loss / total, "val_accuracy": right / total}
        if self.penalty is not None:
            values["val_energy_share"] = self.penalty.share(len(labels)) * len(labels) / total
        self.log_dict(values, on_step=False, on_epoch=True, reduce_fx="sum", sync_dist=True, batch_size=len(labels))

    def configure_gradient_clipping(self, optimizer: Any, *_: Any, **__: Any) -> None:
        limit = self.recipe.quantized_clip if self.quantized else self.recipe.clip
        if limit is not None:
            self.clip_gradients(optimizer, limit, "norm")

    def configure_optimizers(self) -> Any:
        optimizer = build_optimizer(self.net, self.recipe.optimizer)
        steps = int(self.trainer.estimated_stepping_batches)
        factor = learning_rate_factor(self.recipe.schedule, steps, self.recipe.total_epochs)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def distance(logits: Tensor, taught: Tensor, temperature: float) -> Tensor:
    """Of a network's answers from a teacher's: see :class:`lava_mlsnn.train.Distill`.

    **Shape:** both (N, classes); the mean over N.

    Example:
        >>> distance(torch.tensor([[0.0, 0.0]]), torch.tensor([[2.0, 0.0]]), temperature=2.0)
        tensor(0.4438)
    """
    wide = torch.promote_types(logits.dtype, torch.float32)
    mine, theirs = (F.log_softmax(x.to(wide) / temperature, 1) for x in (logits, taught))
    return temperature**2 * F.kl_div(mine, theirs, reduction="batchmean", log_target=True)


def build_optimizer(net: nn.Module, how: Optimizer) -> torch.optim.Optimizer:
    """The optimizer, with weight decay on weights of two or more axes only, and on no norm's."""
    norms = {id(p) for module in net.modules() if isinstance(module, NORM_LAYERS) for p in module.parameters()}
    parameters = [p for p in net.parameters() if p.requires_grad]
    decayed = [p for p in parameters if p.ndim > 1 and id(p) not in norms]
    others = [p for p in parameters if p.ndim <= 1 or id(p) in norms]
    groups = [{"params": decayed, "weight_decay": how.weight_decay}, {"params": others, "weight_decay": 0.0}]
    if how.name == "sgd":
        return torch.optim.SGD(groups, lr=how.lr, momentum=how.momentum, nesterov=how.momentum > 0)
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[how.name]
    return kind(groups, lr=how.lr)


def learning_rate_factor(schedule: Schedule, steps: int, epochs: int) -> Callable[[int], float]:
    """Factor of the learning rate at each optimizer step of a training of ``steps`` steps in ``epochs`` epochs.

    Example:
        >>> factor = learning_rate_factor(Schedule("cosine", warmup=1), steps=100, epochs=10)
        >>> [round(factor(step), 2) for step in (0, 4, 9, 55, 100)]
        [0.1, 0.5, 1.0, 0.5, 0.0]
    """
    per_epoch = steps / epochs
    warmup = schedule.warmup * per_epoch

    def factor(step: int) -> float:
        if step + 1 < warmup:
            return (step + 1) / warmup
        if schedule.name == "cosine":
            done = min(1.0, (step - warmup) / max(steps - warmup, 1)) if step > warmup else 0.0
            return schedule.factor + (1 - schedule.factor) * (1 + cos(pi * done)) / 2
        if schedule.name == "milestones":
            return float(schedule.factor ** sum(step >= share * steps for share in schedule.at))
        if schedule.name == "step":
            return float(schedule.factor ** (step // per_epoch // schedule.every))
        return 1.0

    return factor
