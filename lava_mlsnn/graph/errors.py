"""What can be wrong with a file of a network."""

from __future__ import annotations


class NetFileError(ValueError):
    """A network file is damaged, foreign, or asks for what cannot be done; the message names layer and value."""


class StockWarning(UserWarning):
    """A file says what stock NetX ignores or changes on loading; the graph does as stock does."""


class WeightWarning(StockWarning):
    """A layer's weights run in simulation, but hardware cannot store them, or stock changes them on loading."""
