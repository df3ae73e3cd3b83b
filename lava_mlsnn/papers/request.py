"""What is to be reproduced, on which data, how thoroughly."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ..helpers.check import finite, integer
from .lab import Lab

if TYPE_CHECKING:
    from rich.console import Console

    from ..data import Dataset
    from ..train import Recipe

PRESETS = ("quick", "full")
"""How large an item is done: small networks on small data, or the paper's own setting."""


@dataclass(frozen=True)
class Request:
    """One reproduction.

    Args:
        data: name of a data set, as for :func:`lava_mlsnn.data.load`.
        preset: "quick": small networks and few configurations, for the stand-ins; "full": the paper's setting.
        out: folder of the results and of the trained networks.
        seeds: one training each.
        recipe: name of a recipe; None: the data's own with "quick", the paper's with "full".
        epochs, quantized_epochs: in place of the recipe's.
        steps: T of the S-ResNets of [VicenteSola2022], in place of 50.
        alpha: scale of the surrogate gradient, of those and of the networks of [Castagnetti2023], in place of the
            papers' (0.3 and 1).
        progress: as for :func:`lava_mlsnn.train.fit`.

    Raises:
        ValueError: an unknown preset or recipe, or seeds that are negative, repeated or none.

    Example:
        >>> Request(seeds=(0, 1)).dataset().name
        'digits'
    """

    data: str = "digits"
    preset: str = "quick"
    out: Path = Path("out/reproduce")
    seeds: tuple[int, ...] = (0, 1, 2)
    recipe: str | None = None
    epochs: int | None = None
    quantized_epochs: int | None = None
    steps: int | None = None
    alpha: float | None = None
    progress: bool | Console = False

    def __post_init__(self) -> None:
        if self.preset not in PRESETS:
            raise ValueError(f"preset: expected one of {', '.join(PRESETS)}, got {self.preset!r}")
        seeds = tuple(self.seeds)
        if not seeds or len(set(seeds)) != len(seeds) or any(type(s) is not int or s < 0 for s in seeds):
            raise ValueError(f"seeds: expected one or more different whole numbers from 0 on, got {seeds}")
        from ..train import recipe

        recipe(self.recipe or "digits", epochs=self.epochs, quantized_epochs=self.quantized_epochs)
        object.__setattr__(self, "out", Path(self.out))
        if self.steps is not None:
            integer(self.steps, "steps", 2)
        if self.alpha is not None:
            finite(self.alpha, "alpha", positive=True)

    @property
    def quick(self) -> bool:
        """Whether the preset is "quick"."""
        return self.preset == "quick"

    @cached_property
    def _loaded(self) -> dict[int, Dataset]:
        return {}

    def dataset(self, steps: int = 1) -> Dataset:
        """The data; recordings of events as ``steps`` frames."""
        from .. import data

        key = steps if data.has_frames(self.data) else 0
        if key not in self._loaded:
            self._loaded[key] = data.load(self.data, steps=steps) if key else data.load(self.data)
        return self._loaded[key]

    def smaller(self, rows: int, images: int, steps: int = 1) -> Dataset:
        """The data; quick runs shrink images of more rows or columns, and train on about so many images."""
        from .. import data
        from .standins import part, shrunk

        found = self.dataset(steps)
        return part(shrunk(found, rows), images) if self.quick and not data.has_frames(self.data) else found

    def lab(self, steps: int = 1, dataset: Dataset | None = None, recipe: Recipe | None = None) -> Lab:
        """Where networks of T = ``steps`` are trained; ``dataset`` and ``recipe`` replace those of the request."""
        dataset = dataset or self.dataset(steps)
        return Lab(dataset, recipe or self.recipe_for(dataset), self.out, self.progress)

    def recipe_for(self, dataset: Dataset, default: str | None = None) -> Recipe:
        """The recipe: that of the request, or else ``default``, or else that of the data or the paper.

        Raises:
            ValueError: unknown name.
        """
        from .. import train

        name = self.recipe or default
        if name is None and self.quick:
            name = dataset.name if dataset.name in train.RECIPES else "digits"
        elif name is None:
            name = "paper000-dvs" if dataset.shape[0] == 2 else "paper000-cifar"
        return train.recipe(name, epochs=self.epochs, quantized_epochs=self.quantized_epochs)

    def command(self, item: str) -> str:
        """The command line that does the same."""
        parts = [f"mlsnn reproduce {item} --data {shlex.quote(self.data)} --preset {self.preset}"]
        parts.append(f"--seeds {','.join(map(str, self.seeds))}")
        for option in ("recipe", "epochs", "quantized_epochs", "steps", "alpha"):
            value = getattr(self, option)
            parts += [] if value is None else [f"--{option.replace('_', '-')} {value}"]
        return " ".join(parts)

    def but(self, **changes: object) -> Request:
        """A copy with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]
