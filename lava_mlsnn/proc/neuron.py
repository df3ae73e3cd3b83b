"""What the Processes of this package's neurons share: ports, the wave of resets, the gate before the first input."""

from __future__ import annotations

from collections.abc import Sized
from typing import Any

import numpy as np
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.variable import Var
from numpy.typing import ArrayLike, NDArray

from lava_mlsnn.graph.neurons import Neuron
from lava_mlsnn.helpers.check import positive_ints
from lava_mlsnn.lava_compat.runtime import Process
from lava_mlsnn.proc.layout import PortShape
from lava_mlsnn.sim import reference

INTERNAL = {"neuron", "bias", "period", "log_config"}
"""What subclasses hand on to their models, and Lava's own."""


class NeuronProcess(Process):
    """A population of point neurons with one dendrite ``a_in`` and graded spikes ``s_out``.

    Args:
        shape: (W, H, C), or (C,) behind a dense synapse: the channel is the last axis.
        reset_interval: steps between two resets of the state, None for no reset.
        reset_offset: the state is zeroed, before integration, at steps where ``time_step % reset_interval`` equals
            ``reset_offset % reset_interval``, as in lava.proc.lif.LIFReset.
        start: first timestep in which the population computes; before it is silent and keeps its state.
        name: of the Process.
    """

    def __init__(
        self,
        *,
        shape: PortShape,
        reset_interval: int | None = None,
        reset_offset: int = 0,
        start: int = 1,
        name: str | None = None,
        **params: Any,
    ) -> None:
        unknown = sorted(set(params) - INTERNAL)
        if unknown:  # Lava takes any keyword and forgets it
            raise ValueError(f"{type(self).__name__} has no argument {unknown[0]!r}: see its docstring")
        shape = positive_ints(shape, "shape of a neuron process", len(shape) if isinstance(shape, Sized) else 1)
        if len(shape) not in (1, 3):
            raise ValueError(f"shape of a neuron process: expected (W, H, C) or (C,), got {shape}")
        if reset_interval is not None:
            (reset_interval,) = positive_ints(reset_interval, "reset_interval", 1)
        super().__init__(
            shape=shape, reset_interval=reset_interval, reset_offset=reset_offset, start=start, name=name, **params
        )
        self.a_in = InPort(shape=shape)
        self.s_out = OutPort(shape=shape)

    @property
    def shape(self) -> PortShape:
        """Shape of the population, in the order of its ports."""
        shape: PortShape = self.proc_params["shape"]
        return shape

    def _per_channel(self, value: ArrayLike, what: str, whole: bool = False) -> Var:
        """A Var that broadcasts over the population: one value, one per channel or, if ``whole``, one per neuron."""
        array = np.asarray(value)
        allowed = [(1,), self.shape[-1:], *([self.shape] if whole else [])]
        if array.ndim == 0:
            array = array.reshape(1)
        if array.shape not in allowed:
            raise ValueError(
                f"{what}: expected a scalar or shape {' or '.join(map(str, allowed[1:]))}, got {array.shape}"
            )
        return Var(shape=array.shape, init=array)

    def _state(self, value: ArrayLike) -> Var:
        """A Var of one value per neuron."""
        return Var(shape=self.shape, init=np.broadcast_to(np.asarray(value), self.shape).copy())


class NeuronModel(PyLoihiProcessModel):
    """Receives the dendrite's sum, keeps reset and gate, and sends what :meth:`respond` makes of it."""

    a_in: Any
    s_out: Any

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.interval: int | None = proc_params["reset_interval"]
        self.offset: int = 0 if self.interval is None else proc_params["reset_offset"] % self.interval
        self.first_step: int = proc_params["start"]
        self.silence: NDArray[Any] = np.zeros(proc_params["shape"], np.int32)

    def run_spk(self) -> None:
        """One timestep."""
        current = self.a_in.recv()
        if self.time_step < self.first_step:
            self.s_out.send(self.silence)
            return
        if self.interval is not None and self.time_step % self.interval == self.offset:
            self.reset()
        self.s_out.send(self.respond(current))

    @property
    def since(self) -> int:
        """Timesteps since the state was last zeroed or, without resets, since the first step."""
        if self.interval is None:
            return int(self.time_step - self.first_step)
        return int((self.time_step - self.offset) % self.interval)

    def reset(self) -> None:
        """Zero the state."""
        raise NotImplementedError

    def respond(self, current: NDArray[Any]) -> NDArray[Any]:
        """Integrate ``current`` and return the spikes."""
        raise NotImplementedError


class FixedModel(NeuronModel):
    """A population in integers: one step of the reference engine, with ``v`` and ``bias`` where those are Vars."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    v: NDArray[np.int32] | None = None
    bias: NDArray[np.int32] | None = None
    neuron: Neuron | None = None

    def parameters(self) -> Neuron:
        """The neuron with the parameters that the Vars hold now."""
        raise NotImplementedError

    @property
    def turn(self) -> int:
        """Index of the step for parameters that differ from step to step."""
        return 0

    def reset(self) -> None:
        """Zero the membranes."""
        if self.v is not None:
            self.v[...] = 0

    def on_var_update(self) -> None:
        """Somebody set a Var: read the parameters again."""
        self.neuron = None

    def respond(self, current: NDArray[Any]) -> NDArray[np.int32]:
        """One step of the reference engine."""
        if self.neuron is None:
            self.neuron = self.parameters()
        state = {} if self.v is None else {"v": self.v}
        spikes, state = reference.step(self.neuron, state, current, self.bias, channel_axis=-1, t=self.turn)
        if self.v is not None:
            self.v[...] = state["v"]
        return spikes


class FloatModel(NeuronModel):
    """A population in floats."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, float)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, float)
    v: NDArray[np.float64] | None = None

    def reset(self) -> None:
        """Zero the membranes."""
        if self.v is not None:
            self.v[...] = 0


def soft_reset(v: NDArray[np.float64], current: Any, threshold: Any, levels: int) -> NDArray[np.float64]:
    r"""Spikes in floats, :math:`z = \mathrm{clip}(\lfloor (V + a) / \theta \rfloor, 0, N)`; ``v`` keeps the rest.

    Example:
        >>> v = np.array([0.5, 0.0])
        >>> soft_reset(v, np.array([2.0, 9.5]), 1.0, 4).tolist(), v.tolist()
        ([2.0, 4.0], [0.5, 5.5])
    """
    v += current
    spikes = np.clip(np.floor(v / threshold), 0, levels)
    v -= threshold * spikes
    return spikes
