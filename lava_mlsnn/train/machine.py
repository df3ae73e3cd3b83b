"""What a training runs on: accelerator, processes, precision."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from typing import Any

from ..helpers.check import choice
from .recipe import set_integers

ACCELERATORS = ("auto", "cpu", "gpu")
STRATEGIES = ("auto", "ddp")
PRECISIONS = {"32": "32-true", "bf16": "bf16-mixed", "16": "16-mixed"}


@dataclass(frozen=True)
class Machine:
    """Where to train; apart from rounding, only ``precision`` changes what is learned.

    Several devices or nodes train by Lightning's "ddp": a process for each device runs the same program from its start,
    gets its part of each batch, and gradients are averaged. ``Recipe.batch`` counts the images of all of them, batch
    norms use the statistics of all of them. On several nodes the program is started on each, with MASTER_ADDR,
    MASTER_PORT and NODE_RANK set (torchrun and Slurm do it). The first writes; to resume, all must see its folder.

    Args:
        accelerator: "auto" takes a GPU if there is one; "cpu"; "gpu".
        devices: processes per node.
        nodes: machines.
        strategy: "ddp"; "auto" is it where there is more than one process.
        precision: "32"; "bf16" or "16": convolutions and linear maps of the float epochs compute in 16 bits, weights,
            neurons and the integer epochs in 32; maps are laid out with their channels last. "16" needs a GPU. "auto"
            becomes "bf16" on a CPU that multiplies such numbers (AVX-512 BF16, and all with AMX), else "32"; what it
            became is part of what a training is known and resumed by. A CPU without them takes several times as long
            with "bf16" as with "32".

    Raises:
        ValueError: names the field, its value and what is accepted.

    Example:
        >>> Machine("cpu", devices=2).processes
        2
        >>> Machine("cpu", precision="16")
        Traceback (most recent call last):
        ValueError: precision: "16" needs a GPU, expected "32" or "bf16" on a CPU
    """

    accelerator: str = "auto"
    devices: int = 1
    nodes: int = 1
    strategy: str = "auto"
    precision: str = "32"

    def __post_init__(self) -> None:
        choice(self.accelerator, "accelerator", ACCELERATORS)
        choice(self.strategy, "strategy", STRATEGIES)
        choice(self.precision, "precision", (*PRECISIONS, "auto"))
        set_integers(self, devices=(1,), nodes=(1,))
        if self.precision == "auto":
            object.__setattr__(self, "precision", "bf16" if not self._on_gpu and _has_bf16() else "32")
        if self.precision == "16" and not self._on_gpu:
            raise ValueError('precision: "16" needs a GPU, expected "32" or "bf16" on a CPU')
        if self.accelerator == "gpu" and not _has_gpu():
            raise ValueError("accelerator: expected auto or cpu, got 'gpu', and torch finds none")

    @property
    def processes(self) -> int:
        """Number of processes that train together."""
        return self.devices * self.nodes

    @property
    def channels_last(self) -> bool:
        """Whether kernels and maps are laid out so: with 16 bits a CPU convolves fastest that way."""
        return self.precision != "32"

    @property
    def is_emulated(self) -> bool:
        """Whether it computes with numbers that its CPU, an x86-64, is known not to have."""
        x86 = platform.machine().lower() in ("x86_64", "amd64")
        return self.precision == "bf16" and not self._on_gpu and x86 and _says_bf16() is False

    @property
    def _on_gpu(self) -> bool:
        return self.accelerator != "cpu" and _has_gpu()

    def trainer_options(self) -> dict[str, Any]:
        """Arguments of Lightning's Trainer."""
        return {
            "accelerator": self.accelerator,
            "devices": self.devices,
            "num_nodes": self.nodes,
            "strategy": "ddp" if self.processes > 1 else self.strategy,
            "precision": PRECISIONS[self.precision],
            "use_distributed_sampler": False,  # Batches divides the images
        }


def _has_bf16() -> bool:
    """Whether the CPU multiplies them; False where torch does not say."""
    return bool(_says_bf16())


def _says_bf16() -> bool | None:
    """What torch says of it; None where it says nothing."""
    import torch

    asked = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return None if asked is None else bool(asked())


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()
