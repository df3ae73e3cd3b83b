"""Images with integer pixels and a fixed split into training and test: ``data.load("digits")``.

Data sets that must be downloaded first are named with their location,
``data.load("cifar10:/data/cifar-10-python.tar.gz")``, and ``data.check`` reports whether a copy is the published one.
Each format is described in the module that reads it.
"""

from __future__ import annotations

from .dataset import Dataset, split
from .registry import check, has_frames, load, load_for, names

__all__ = ["Dataset", "check", "has_frames", "load", "load_for", "names", "split"]
