"""Print what pip has to install for the rooms that run networks and for their tests: no torch, and nothing that needs it."""

import re
import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    from pip._vendor import tomli as tomllib

project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
extras = project["optional-dependencies"]
needed = [*project["dependencies"], *(line for name in ("tools", "events", "mnist", "nir") for line in extras[name])]
print(*(line for line in needed if not re.match(r"torch\b|lightning\b|lava-", line)), sep="\n")
