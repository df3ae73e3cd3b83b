"""``python -m lava_mlsnn.cli``: the same as ``mlsnn``."""

from __future__ import annotations

from .app import main

main()
