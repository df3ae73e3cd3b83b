"""Gradients at the sums of residual blocks, while a network is trained."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from ..analysis.gradients import recorded
from ..train.lightning_import import pl
from ..train.task import Classifier

PREFIX = "gradient"


class GradientWatch(pl.Callback):
    """Logs the norms of dL/dA_l, dL/dR_l and dL/dO_l of every batch; an epoch's history has their means.

    They are "gradient PLACE NAME", NAME being that of the sum; see :class:`lava_mlsnn.analysis.GradientNorms`. The
    training is the same with and without.
    """

    def __init__(self) -> None:
        self._hooks = ExitStack()
        self._record: dict[str, dict[str, float]] = {}

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        assert isinstance(pl_module, Classifier)
        self._record = self._hooks.enter_context(recorded(pl_module.net))

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, i: int) -> None:
        self._record.clear()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, i: int
    ) -> None:
        for name, places in self._record.items():
            for place, norm in places.items():
                pl_module.log(f"{PREFIX} {place} {name}", norm, on_step=False, on_epoch=True, batch_size=1)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._hooks.close()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        self._hooks.close()
