"""Files that come with the package but are no code: the trained nets and the tutorials."""

from __future__ import annotations

from pathlib import Path

from .version import __version__

PACKAGE = Path(__file__).parents[1]


def folder(name: str) -> Path:
    """``netx_exports`` or ``tutorials``: inside an installed package, or beside the package in a checkout.

    Raises:
        FileNotFoundError: neither is there.

    Example:
        >>> (folder("netx_exports") / "manifest.json").is_file()
        True
    """
    places = (PACKAGE / "shipped" / name, PACKAGE.parent / name)
    if (PACKAGE.parent / "pyproject.toml").is_file():
        places = places[::-1]
    for place in places:
        if place.is_dir():
            return place
    raise FileNotFoundError(f"{places[0]}: missing; a wheel or a checkout of lava-mlsnn {__version__} has it")
