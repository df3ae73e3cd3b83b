"""Images with integer pixels and a fixed split into training and test: ``data.load("digits")``."""

from __future__ import annotations

from .dataset import Dataset, split
from .registry import load, names

__all__ = ["Dataset", "load", "names", "split"]
