"""What a sweep searches; read without torch, so that a wrong space is told of at once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..model.catalog import known

if TYPE_CHECKING:
    import optuna

RECIPE_FIELDS = ("lr", "momentum", "weight_decay", "batch", "label_smoothing")
"""What a search space may hold beside options of the model."""


@dataclass(frozen=True)
class Range:
    """One dimension of the search space.

    Args:
        name: "lr" or another of :data:`RECIPE_FIELDS`, or an option of the model, such as "leak" or "steps".
        low, high: both ends; two whole numbers make a whole dimension.
        log: whether steps are factors.
        choices: instead of ends, the values themselves.
    """

    name: str
    low: float = 0.0
    high: float = 1.0
    log: bool = False
    choices: tuple[Any, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Range:
        """From ``NAME=LOW..HIGH``, ``NAME=log:LOW..HIGH`` or ``NAME=a|b|c``.

        Raises:
            ValueError: anything else.

        Example:
            >>> Range.parse("lr=log:0.01..1").log, Range.parse("steps=2..8").high, Range.parse("norm=bn|tdbn").choices
            (True, 8, ('bn', 'tdbn'))
        """
        name, equals, rest = text.partition("=")
        problem = ValueError(f"search space {text!r}: expected NAME=LOW..HIGH, NAME=log:LOW..HIGH or NAME=a|b|c")
        if not (equals and name and rest):
            raise problem
        if "|" in rest:
            return cls(name, choices=tuple(_number(part) for part in rest.split("|")))
        log = rest.startswith("log:")
        low, dots, high = rest.removeprefix("log:").partition("..")
        ends = _number(low), _number(high)
        if not dots or any(isinstance(end, str) for end in ends):
            raise problem
        return cls(name, *ends, log)

    def __post_init__(self) -> None:
        if not self.choices and not (self.low < self.high and (self.low > 0 or not self.log)):
            raise ValueError(f"search space of {self.name!r}: expected low < high (above 0 with log), got {self}")

    def suggest(self, trial: optuna.Trial) -> Any:
        """A value for a trial."""
        if self.choices:
            return trial.suggest_categorical(self.name, self.choices)
        if isinstance(self.low, int) and isinstance(self.high, int):
            return trial.suggest_int(self.name, self.low, self.high, log=self.log)
        return trial.suggest_float(self.name, self.low, self.high, log=self.log)


PAPER002 = (Range("lr", 1e-3, 0.3, True), Range("leak", 0.5, 0.999), Range("steps", 2, 8))
"""What [VicenteSola2022] searched: learning rate, leak and timesteps; the ends are not printed."""


def check_space(space: Sequence[Range], model: str, options: Iterable[str]) -> None:
    """ValueError for what neither the recipe nor the model has, or twice; before a study is created."""
    accepted = (*RECIPE_FIELDS, *known(model))
    names = [*(dimension.name for dimension in space), *options]
    for dimension in space:
        if dimension.name not in accepted:
            raise ValueError(f"search space of {dimension.name!r}: expected one of {', '.join(accepted)}")
        if names.count(dimension.name) > 1:
            raise ValueError(f"search space of {dimension.name!r}: expected it once, and not among the model's options")


def _number(text: str) -> Any:
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text
