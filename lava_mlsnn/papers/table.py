"""Tables of ours beside the paper's: one row per variant for the text, one per variant and seed for the CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from .findings import Spread

if TYPE_CHECKING:
    import pandas as pd

    from .lab import Outcome

Key = TypeVar("Key")

ORIENTATION = "The paper's accuracies are of other data; they stand beside for orientation only."


def beside(keys: Iterable[Any], columns: Mapping[str, Any]) -> pd.DataFrame:
    """A table with one row per variant.

    Args:
        keys: the variants, in their order.
        columns: head -> what stands there: a function of the variant, or a mapping, which may lack some; a
            :class:`Spread` is shown as a percentage.

    Example:
        >>> found = {"a": Spread.of([0.5]), "b": Spread.of([0.25])}
        >>> beside(found, {"network": str, "ours": found, "paper": printed({"a": 0.6, "b": 0.3})}).values.tolist()
        [['a', '50.0 %', '60.00%'], ['b', '25.0 %', '30.00%']]
    """
    import pandas as pd

    return pd.DataFrame([{head: _cell(column, key) for head, column in columns.items()} for key in keys])


def per_seed(found: Mapping[Any, Iterable[Any]], columns: Mapping[str, Any]) -> pd.DataFrame:
    """A table with one row per variant and training.

    Args:
        found: variant -> its trainings, such as :class:`~lava_mlsnn.papers.lab.Outcome`, or pairs of :func:`seeded`.
        columns: head -> a function of variant and training, or a mapping of variants, which may lack some.

    Example:
        >>> found = {"a": seeded((0, 1), Spread.of([0.5, 0.75]))}
        >>> per_seed(found, {"network": lambda key, pair: key, **SEEDED}).values.tolist()
        [['a', 0, 0.5], ['a', 1, 0.75]]
    """
    import pandas as pd

    return pd.DataFrame(
        [
            {head: column(key, one) if callable(column) else column.get(key) for head, column in columns.items()}
            for key, trainings in found.items()
            for one in trainings
        ]
    )


def printed(values: Mapping[Key, Any], form: str = "{:.2%}") -> dict[Key, str]:
    """Numbers of the paper as they are printed.

    >>> printed({"a": 0.9434}), printed({"a": 91.8}, "{} %")
    ({'a': '94.34%'}, {'a': '91.8 %'})
    """
    return {key: form.format(value) for key, value in values.items()}


def seeded(seeds: Iterable[int], spread: Spread) -> list[tuple[int, float]]:
    """Pairs of seed and value."""
    return list(zip(seeds, spread.values, strict=True))


SEEDED: dict[str, Callable[[Any, tuple[int, float]], Any]] = {
    "seed": lambda _, pair: pair[0],
    "accuracy": lambda _, pair: pair[1],
}
"""Columns of :func:`per_seed` for pairs of :func:`seeded`."""


def _accuracy(how: str) -> Callable[[Any, Outcome], float]:
    return lambda _, outcome: outcome.record["accuracy"][how]


SEED: dict[str, Callable[[Any, Outcome], Any]] = {"seed": lambda _, outcome: outcome.job.seed}
ACCURACIES = {f"accuracy_{how}": _accuracy(how) for how in ("float", "quantized", "engine")}
"""Columns of :func:`per_seed` for outcomes of integer networks."""


def _cell(column: Any, key: Any) -> Any:
    value = column(key) if callable(column) else column.get(key)
    return value.percent() if isinstance(value, Spread) else value
