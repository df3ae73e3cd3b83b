"""Tests where torch is not installed: those that need it are skipped, the rooms that run networks are tested."""

from __future__ import annotations

import importlib.util
import sys
from typing import Any

import pytest


class _Skip:
    """Skips what imports torch, or what it was trained with."""

    def find_spec(self, name: str, *_: Any) -> None:
        if name in ("torch", "lightning"):
            pytest.skip(f"{name} is not installed", allow_module_level=True)


def skip_what_needs_it() -> None:
    if importlib.util.find_spec("torch") is None:
        sys.meta_path.insert(0, _Skip())  # type: ignore[arg-type]
