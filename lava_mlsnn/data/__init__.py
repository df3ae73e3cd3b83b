"""Images with integer pixels and a fixed split into training and test: ``data.load("digits")``."""

from __future__ import annotations

from .dataset import Dataset, split
from .registry import check, has_frames, load, load_for, names

__all__ = ["Dataset", "check", "has_frames", "load", "load_for", "names", "split"]
