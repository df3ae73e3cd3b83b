"""The architectures: ``create(name, ...)``, ``save`` and ``load``. What needs torch loads when it is first used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        from importlib import import_module

        value = getattr(import_module(_LAZY[name], __name__), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
