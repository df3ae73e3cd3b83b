"""The architectures: ``create(name, ...)``, ``save`` and ``load``."""

from __future__ import annotations

from .file import load, save
from .registry import arguments, create, names, twin
from .setting import Network, Setting

__all__ = ["Network", "Setting", "arguments", "create", "load", "names", "save", "twin"]
