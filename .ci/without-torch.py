"""Print what pip has to install to run networks, and for the tests of that: neither torch nor what needs it."""

import re
import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    from pip._vendor import tomli as tomllib

project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
extras = project["optional-dependencies"]
wanted = [project["dependencies"], *(extras[name] for name in ("tools", "events", "mnist", "nir", "sweep"))]
lines = [line for part in wanted for line in part if not re.match(r"torch\b|lightning\b|lava-", line)]
sys.stdout.write("\n".join(lines) + "\n")
