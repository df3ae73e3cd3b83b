"""Dialects of NIR, one file per library: what files do not say and the library does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .base import OPTIONS, Dialect
from .norse import NORSE
from .plain import NIR
from .rockpool import ROCKPOOL
from .sinabs import SINABS
from .snntorch import SNNTORCH
from .spikingjelly import SPIKINGJELLY

DIALECTS = {d.name: d for d in (NIR, NORSE, ROCKPOOL, SINABS, SNNTORCH, SPIKINGJELLY)}
"""By name."""

__all__ = ["DIALECTS", "OPTIONS", "Dialect", "dialect_for"]


def dialect_for(name: str | Dialect, nodes: dict[str, Any], options: dict[str, Any]) -> Dialect:
    """The dialect of a file with ``nodes``, its ``options`` replaced.

    Raises:
        ValueError: an unknown name or option.
    """
    if isinstance(name, Dialect):
        found = name
    elif name in DIALECTS:
        found = DIALECTS[name]
    else:
        raise ValueError(f"dialect: expected one of {', '.join(DIALECTS)}, got {name!r}")
    unknown = [option for option in options if option not in OPTIONS]
    if unknown:
        raise ValueError(f"unknown option {unknown[0]!r} of a dialect: expected one of {', '.join(OPTIONS)}")
    if found.name == "nir" and options.get("reset") == "soft":
        options = {"fires": ">=", **options}
    return replace(found, **options).for_graph(nodes, options)
