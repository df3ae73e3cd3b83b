"""Shorter ways to declare ProcessModels."""

from __future__ import annotations

from abc import ABCMeta
from collections.abc import Callable
from typing import TypeVar

from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

Model = TypeVar("Model", bound=type)


def cpu_model(process: type[AbstractProcess], precision: str = "fixed_pt") -> Callable[[Model], Model]:
    """Class decorator: a ProcessModel of ``process`` on the CPU, under the Loihi protocol.

    Lava finds it if it stands in the module of the Process or in one beside it.

    Args:
        process: the Process class that the model runs.
        precision: the tag by which run configurations choose, "fixed_pt" or "floating_pt".
    """

    def decorate(model: Model) -> Model:
        declared: Model = implements(proc=process, protocol=LoihiProtocol)(requires(CPU)(tag(precision)(model)))
        return declared

    return decorate


class DynamicMembers(ABCMeta):
    """Metaclass of ProcessModels whose Vars and ports are known only when the Process is made.

    Lava looks each Var and port of a Process up on its model's class, by name, and expects a LavaPyType. A class of
    this type is asked by its class method ``member(name)``, which returns one, or None for a name that it does not
    know.
    """

    def __getattr__(cls, name: str) -> LavaPyType:
        declared = None if name.startswith("_") else cls.member(name)
        if declared is None:
            raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")
        return declared

    def member(cls, name: str) -> LavaPyType | None:
        """The type of the Var or port ``name``; None if there is none of that name."""
        return None
