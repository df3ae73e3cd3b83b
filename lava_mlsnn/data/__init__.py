"""Images with integer pixels and a fixed split into training and test: ``data.load("digits")``.

Data sets that must be downloaded first are named with their location,
``data.load("cifar10:/data/cifar-10-python.tar.gz")``, and ``data.check`` reports whether a copy is the published one.
One's own images are loaded by their path, ``data.load("mine.npz")``, or made from arrays, torch's or tonic's data sets,
``data.make((images, labels))``. Each format is described in the module that reads it.
"""

from __future__ import annotations

from .dataset import Dataset, split
from .make import make
from .registry import check, has_frames, load, load_for, names

__all__ = ["Dataset", "check", "has_frames", "load", "load_for", "make", "names", "split"]
