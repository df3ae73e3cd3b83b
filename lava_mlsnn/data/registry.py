"""Datasets by name; each name's module is imported when it is asked for."""

from __future__ import annotations

from importlib import import_module

from .dataset import Dataset

_DATASETS = {"digits": "digits", "mnist5k": "mnist"}
"""Name -> module of this package; its function ``load()`` returns the Dataset."""


def names() -> tuple[str, ...]:
    """Names that :func:`load` knows."""
    return tuple(_DATASETS)


def load(name: str) -> Dataset:
    """The dataset called ``name``.

    Raises:
        ValueError: unknown name, or a dataset whose optional package is missing: says what to install.

    Example:
        >>> digits = load("digits")
        >>> digits.shape, digits.num_classes, len(digits.train_labels), len(digits.test_labels)
        ((1, 8, 8), 10, 1438, 359)
    """
    if name not in _DATASETS:
        raise ValueError(f"dataset {name!r}: expected one of {', '.join(names())}")
    dataset: Dataset = import_module(f".{_DATASETS[name]}", __package__).load()
    return dataset
