"""What can be wrong with a file of a network."""

from __future__ import annotations

from ..helpers.doors import printable


class NetFileError(ValueError):
    """A network file is damaged, foreign, or asks for what cannot be done; the message names layer and value."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))  # it may quote what a file says


class StockWarning(UserWarning):
    """A file says what stock NetX ignores or changes on loading; the graph does as stock does."""


class WeightWarning(StockWarning):
    """A layer's weights run in simulation, but hardware cannot store them, or stock changes them on loading."""
