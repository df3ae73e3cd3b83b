"""Import Lightning even where the installed torchvision was built for another torch; others import it from here.

Lightning imports torchmetrics, which imports torchvision if it is installed. The builds on PyPI fail with a CPU build
of torch ("operator torchvision::nms does not exist"), and other packages pull them in. Nothing here needs torchvision,
so one that cannot be imported is hidden while Lightning loads.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_BROKEN = "torchvision"


def _is_broken() -> bool:
    if _BROKEN in sys.modules or importlib.util.find_spec(_BROKEN) is None:
        return False
    try:
        importlib.import_module(_BROKEN)
    except Exception:  # RuntimeError, OSError or ImportError, depending on what does not fit
        for name in [name for name in sys.modules if name.split(".")[0] == _BROKEN]:
            del sys.modules[name]
        return True
    return False


@contextmanager
def _hidden(package: str) -> Iterator[None]:
    """Make the package look as if it were not installed, both by its metadata and on import."""
    requirements: Any = importlib.import_module("lightning_utilities.core.imports")
    version = requirements._version

    def without(name: str) -> str:
        if name == package:
            raise importlib.metadata.PackageNotFoundError(name)
        found: str = version(name)
        return found

    requirements._version = without
    sys.modules[package] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        requirements._version = version
        del sys.modules[package]


def _load() -> None:
    with warnings.catch_warnings():
        # deprecations between Lightning, torchmetrics, matplotlib and torch
        for kind in (DeprecationWarning, PendingDeprecationWarning, FutureWarning):
            warnings.simplefilter("ignore", kind)
        if "lightning" not in sys.modules and _is_broken():
            with _hidden(_BROKEN):
                importlib.import_module("lightning.pytorch")
        else:
            importlib.import_module("lightning.pytorch")


_load()

import lightning.pytorch as pl  # noqa: E402
from lightning.pytorch.plugins.io import TorchCheckpointIO  # noqa: E402

__all__ = ["TorchCheckpointIO", "pl"]
