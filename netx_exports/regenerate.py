"""Train the nets of this folder again and write their manifest: ``make exports``.

Arguments are names of nets; without any, all of them are made.
"""

from __future__ import annotations

import sys
from pathlib import Path

from lava_mlsnn.cli.exports import regenerate

if __name__ == "__main__":
    regenerate(Path(__file__).parent, sys.argv[1:] or None)
