"""The architectures: ``create(name, ...)``, ``save`` and ``load``. What needs torch loads when it is first used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..helpers.lazy import lazy
from .catalog import check, names

if TYPE_CHECKING:
    from ._convert import convert
    from .file import load, save
    from .registry import arguments, create, twin
    from .setting import Network, Setting

_LAZY = {
    "Network": ".setting",
    "Setting": ".setting",
    "arguments": ".registry",
    "convert": "._convert",
    "create": ".registry",
    "load": ".file",
    "save": ".file",
    "twin": ".registry",
}

__all__ = ["Network", "Setting", "arguments", "check", "convert", "create", "load", "names", "save", "twin"]


__getattr__ = lazy(__name__, _LAZY)
