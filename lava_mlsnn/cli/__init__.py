"""The command line ``mlsnn``: train, export, simulate, energy, report, info, data, demo."""

from __future__ import annotations

from .app import app, main

__all__ = ["app", "main"]
