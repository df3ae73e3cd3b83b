"""What Intel's private extension of Lava for Loihi 2 brings, where it is installed, and the microcode of our neurons.

The extension is not public: these names are those of Lava's public history and tutorials, and nothing here has run on
silicon. Without the extension every name is None, importing costs nothing, and everything runs on the CPU.
"""

from __future__ import annotations

from importlib import import_module
from os import PathLike, fspath, path
from typing import Any

NEURONS = ("multilevel", "barrier")
"""Neurons that have a ProcessModel in microcode."""

_microcode: dict[str, str] = {}


def _name(module: str, name: str) -> Any:
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError):
        return None


AbstractNcProcessModel = _name("lava.magma.core.model.nc.model", "AbstractNcProcessModel")
NcInPort = _name("lava.magma.core.model.nc.ports", "NcInPort")
NcOutPort = _name("lava.magma.core.model.nc.ports", "NcOutPort")
LavaNcType = _name("lava.magma.core.model.nc.type", "LavaNcType")
NcVar = _name("lava.magma.core.model.nc.var", "NcVar") or Any
"""Only annotates the Vars of a model."""

NC_MODELS = None not in (AbstractNcProcessModel, NcInPort, NcOutPort, LavaNcType)
"""Whether NcProcessModels can be defined."""


def use_microcode(**files: str | PathLike[str]) -> None:
    """Say which assembled microcode runs our neurons on Loihi 2. The files are not looked into.

    Args:
        files: neuron="path": ``multilevel`` and ``barrier``.

    Raises:
        ValueError: another neuron, or a path where there is no file; names it.

    Example:
        >>> use_microcode(relu="relu.bin")
        Traceback (most recent call last):
        ValueError: microcode of 'relu': expected one of multilevel, barrier
    """
    for neuron, file in files.items():
        if neuron not in NEURONS:
            raise ValueError(f"microcode of {neuron!r}: expected one of {', '.join(NEURONS)}")
        if not path.isfile(file):
            raise ValueError(f"microcode of {neuron!r}: no such file: {fspath(file)}")
    _microcode.update({neuron: path.abspath(file) for neuron, file in files.items()})


def microcode(neuron: str) -> str:
    """The file that :func:`use_microcode` was given for a neuron; ValueError if there is none."""
    if neuron not in _microcode:
        raise ValueError(
            f"microcode of {neuron!r}: this package ships none: give yours with use_microcode({neuron}=path), or lower "
            "the network to stock neurons with netx.lower"
        )
    return _microcode[neuron]
