"""Parameters of a neuron or synapse as Vars of a Lava Process, so that they can be read and set between runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.variable import Var

from lava_mlsnn.graph.spec import Spec
from lava_mlsnn.lava_compat.guarded import Process

_names: set[str] = set()
"""Names of all Vars made here so far: those that a model can have."""

_RESERVED = {*dir(PyLoihiProcessModel), *vars(PyLoihiProcessModel())}
"""Attributes of every model, such as ``phase``: a Var of that name would replace them."""


def parameters_of(spec: Spec) -> dict[str, Any]:
    """The parameters of a neuron or synapse, by name."""
    return {field.name: getattr(spec, field.name) for field in fields(spec)}


class ParameterProcess(Process):
    """Base of Processes whose Vars follow from the neuron or synapse that they are made with."""

    def declare(self, name: str, init: Any) -> None:
        """Make the Var ``name``; a scalar has the shape (1,).

        Raises:
            ValueError: Lava's Processes or models have an attribute of this name.
        """
        if not self._is_free(name):
            raise ValueError(f"{name!r} cannot be a Var of {type(self).__name__}: Lava has an attribute of this name")
        _names.add(name)
        array = np.atleast_1d(init)
        setattr(self, name, Var(shape=array.shape, init=array))

    def declare_parameters(self, parameters: Mapping[str, Any]) -> None:
        """Make a Var for each integer and array among the parameters; anything else is fixed."""
        variable = {name: np.ndim(value) == 0 for name, value in parameters.items() if self._can_vary(name, value)}
        for name in variable:
            self.declare(name, parameters[name])
        self.proc_params["variable"] = variable
        self.proc_params["fixed"] = {name: value for name, value in parameters.items() if name not in variable}

    def _can_vary(self, name: str, value: Any) -> bool:
        is_number = isinstance(value, (int, np.integer, np.ndarray)) and not isinstance(value, bool)
        return is_number and self._is_free(name)

    def _is_free(self, name: str) -> bool:
        return not hasattr(type(self), name) and name not in _RESERVED


def integer_var(name: str) -> LavaPyType | None:
    """The type of a Var that a model holds as int32: its :meth:`~lava_mlsnn.lava_compat.DynamicMembers.member`."""
    return LavaPyType(np.ndarray, np.int32, precision=24) if name in _names else None


def float_var(name: str) -> LavaPyType | None:
    """The same in floats."""
    return LavaPyType(np.ndarray, float) if name in _names else None


def current_parameters(model: Any) -> dict[str, Any]:
    """The parameters that a model's Process was made with, with the values that its Vars hold now."""
    found = dict(model.proc_params["fixed"])
    for name, is_scalar in model.proc_params["variable"].items():
        value = getattr(model, name)
        found[name] = value.item() if is_scalar else value.copy()
    return found
