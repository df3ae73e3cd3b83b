"""Whether Lava is installed, and how to install it where pip refuses to.

Lava's metadata stops at Python 3.10, so on newer ones it takes a line of its own, which is easily forgotten; and what
``pip install lava`` brings is another project of that name. Imports nothing of Lava.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.metadata
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from ..helpers.extras import MissingPackageError

KNOWN = {"lava-nc": "0.10.0", "lava-dl": "0.6.0"}
"""The versions whose breaks are known; both projects are archived, so no others are expected."""

_PARTS = {"lava-nc": "magma", "lava-dl": "lib/dl"}
"""Distribution -> a folder of ``lava`` that it alone brings."""


def arguments() -> list[str]:
    """Arguments of pip that install Lava on any Python.

    Example:
        >>> print("pip", *arguments())
        pip install --no-deps --ignore-requires-python lava-nc==0.10.0 lava-dl==0.6.0
    """
    return ["install", "--no-deps", "--ignore-requires-python", *(f"{n}=={v}" for n, v in KNOWN.items())]


def stranger() -> str:
    """Version of the package ``lava`` of the package index, which is no part of Lava; "" if it is not installed."""
    try:
        return importlib.metadata.version("lava")
    except importlib.metadata.PackageNotFoundError:
        return ""


def problem(module: str = "") -> str:
    """What is missing, in one sentence with the command that helps; "" where nothing is.

    Args:
        module: what is imported, such as ``lava.lib.dl.slayer``; without it, all of Lava.
    """
    places = _places()
    found = [name for name, part in _PARTS.items() if any((place / part).is_dir() for place in places)]
    pip = f"{shlex.join(['pip', *arguments()])}, or mlsnn install-lava"
    if any((place / "__init__.py").is_file() for place in places) and stranger():
        return (
            f"the package lava {stranger()}, which is installed, is another project, and no part of Intel's Lava: "
            f"pip uninstall lava; then {pip}"
        )
    if ("lava-nc" not in found and module != "lava") or not found:
        return f"Lava is not installed: {pip}"
    if "lava-dl" not in found and (not module or (module + ".").startswith("lava.lib.")):
        return f"Lava's lava-dl is not installed: {pip}"
    return ""


def _places() -> list[Path]:
    """Folders that ``import lava`` looks into."""
    if "lava" in sys.modules:
        return [Path(place) for place in getattr(sys.modules["lava"], "__path__", ())]
    finders = (finder for finder in sys.meta_path if not isinstance(finder, _Watch))
    spec = next(filter(None, (finder.find_spec("lava", None) for finder in finders)), None)
    return [] if spec is None else [Path(place) for place in spec.submodule_search_locations or ()]


class _Watch(importlib.abc.MetaPathFinder):
    """Says how to install Lava when it is imported; looks again each time, as it may be installed meanwhile."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        said = problem(fullname) if fullname.partition(".")[0] == "lava" else ""
        if said:
            raise MissingPackageError(said, name=fullname)
        return None


def watch() -> None:
    """Have imports of Lava fail with :func:`problem`'s sentence where it is missing; free where it is not."""
    if problem() and not any(isinstance(finder, _Watch) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Watch())
