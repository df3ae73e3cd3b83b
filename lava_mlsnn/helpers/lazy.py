"""Packages whose names load when they are first used: what needs torch, Lava or matplotlib costs nothing before."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from .starting import interrupts_later


def lazy(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """A package's ``__getattr__``: each name of ``homes`` is taken from its module, once.

    Args:
        package: ``__name__`` of the package.
        homes: name -> relative module that defines it.

    Example:
        >>> load = lazy("lava_mlsnn.helpers", {"integer": ".check"})
        >>> load("integer").__module__
        'lava_mlsnn.helpers.check'
        >>> load("other")
        Traceback (most recent call last):
        AttributeError: module 'lava_mlsnn.helpers' has no attribute 'other'
    """

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        with interrupts_later():
            value = getattr(import_module(homes[name], package), name)
        setattr(sys.modules[package], name, value)
        return value

    return load
