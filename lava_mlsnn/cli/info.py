"""``mlsnn info``"""

from __future__ import annotations

import importlib.metadata

from rich.table import Table

from . import options, show


def info(json: options.AlsoJson = None) -> None:
    """Print versions, what was mended in Lava for this Python, and which extras are installed.

    [bold]Example:[/] mlsnn info
    """
    from ..helpers.extras import EXTRAS
    from ..helpers.version import __version__
    from ..lava_compat import install
    from ..lava_compat import mends as compat
    from . import target

    if json:
        target.check(json, "json", ("version", "extras"))
    show.say(f"lava-mlsnn {__version__}")
    show.say(compat.summary())
    if missing := install.problem():
        show.warn(missing)
    extras = {name: {package: _version(package) for package in packages} for name, packages in EXTRAS.items()}
    table = Table("extra", "package", "for", pad_edge=False)
    for name, packages in EXTRAS.items():
        for package, purpose in packages.items():
            version = extras[name][package]
            table.add_row(name, f"{package} {version}" if version else f"{package}: not installed", purpose)
    show.console.print(table)
    if json:
        content = {"version": __version__, "lava": compat.summary(), "missing": missing, "extras": extras}
        show.wrote(show.write_json(content, json))


def _version(package: str) -> str:
    """Installed version, "" for none; imports nothing."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""
