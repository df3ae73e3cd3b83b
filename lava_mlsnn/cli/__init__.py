"""The command line ``mlsnn``: train, export, simulate, energy, report, info, data, demo."""

from __future__ import annotations

try:
    from .app import app, main
except KeyboardInterrupt:  # no command has begun
    raise SystemExit(130) from None

__all__ = ["app", "main"]
