"""Images with integer pixels and a fixed split into training and test: ``data.load("digits")``.

Data sets that one has to download are named with their place, ``data.load("cifar10:/data/cifar-10-python.tar.gz")``,
and ``data.check`` tells whether a copy is what was published. Each format is described in the module that reads it.
"""

from __future__ import annotations

from .dataset import Dataset, split
from .registry import check, has_frames, load, load_for, names

__all__ = ["Dataset", "check", "has_frames", "load", "load_for", "names", "split"]
