"""Lava Processes of populations of neurons."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import fields
from typing import Any, ClassVar

import numpy as np
from lava.magma.core.process.ports.ports import InPort, OutPort
from numpy.typing import ArrayLike

from lava_mlsnn.graph import neurons
from lava_mlsnn.graph.neurons import Neuron
from lava_mlsnn.helpers.check import positive_ints
from lava_mlsnn.proc.parameters import ParameterProcess, parameters_of
from lava_mlsnn.proc.ports import PortShape
from lava_mlsnn.proc.timing import Resets


class Population(ParameterProcess):
    """A population of any kind of neuron of a NetGraph, which computes the kind's own reference step.

    Ports: ``a_in``, the dendrite, and ``s_out``, graded spikes. Vars: the neuron's state (``v`` and so on), its integer
    parameters (``threshold``, ``levels`` and so on) and, if the kind has one, ``bias``. Model: ``fixed_pt``.

    Args:
        shape: (W, H, C), or (C,) behind a dense synapse: the channel is the last axis.
        neuron: the kind and its parameters, see :mod:`lava_mlsnn.graph.neurons`. Subclasses are of one kind, and its
            parameters can also be given to them one by one.
        bias: a scalar, one value per channel, or one per neuron.
        period: timesteps T after which parameters that differ from step to step begin again; None for as many as the
            parameters have. They also begin again with each reset.
        reset_interval: steps between two resets of the state, None for no resets.
        reset_offset: the state is zeroed, before integration, at steps where ``time_step % reset_interval`` equals
            ``reset_offset % reset_interval``, as in lava.proc.lif.LIFReset.
        start: first timestep in which the population computes; before, it sends zeros and keeps its state.
        name: of the Process.
        values: initial values of the state, by name (``v=3``), a scalar or one per neuron; in subclasses also the
            parameters (``threshold=64``).

    Raises:
        ValueError: an unknown argument, or one that does not fit; the message names it.

    Example:
        >>> leaky = neurons.SoftLIF(scale=[[3, 5]], shift=[2], offset=[[0, 1]], threshold=64, dv=516)
        >>> population = Population(shape=(8, 8, 1), neuron=leaky, period=2)
        >>> population.v.shape, population.dv.init.tolist()
        ((8, 8, 1), [516])
    """

    kind: ClassVar[type[Neuron]] = Neuron
    defaults: ClassVar[dict[str, Any]] = {}
    """Parameters of the kind that may be left out although the kind asks for them or has other defaults."""

    def __init__(
        self,
        *,
        shape: PortShape,
        neuron: Neuron | None = None,
        bias: ArrayLike | None = None,
        period: int | None = None,
        reset_interval: int | None = None,
        reset_offset: int = 0,
        start: int = 1,
        name: str | None = None,
        log_config: Any = None,
        **values: Any,
    ) -> None:
        shape = positive_ints(shape, "shape of a population", len(shape) if isinstance(shape, Sized) else 1)
        if len(shape) not in (1, 3):
            raise ValueError(f"shape of a population: expected (W, H, C) or (C,), got {shape}")
        timing = Resets(reset_interval, reset_offset, start).gated
        if period is not None:
            (period,) = positive_ints(period, "period", 1)
        neuron, parameters = self._accepted(neuron, values)
        if period is not None:
            neuron.check_steps(period)
        super().__init__(
            shape=shape,
            kind=type(neuron),
            state=neuron.state,
            period=period,
            name=name,
            log_config=log_config,
            **timing,
        )
        self.a_in = InPort(shape=(*shape[:-1], shape[-1] * neuron.currents))
        self.s_out = OutPort(shape=shape)
        neuron.check_population(shape[-1])
        self.declare_parameters(parameters)
        self._declare_bias(neuron, bias)
        for key in neuron.state:
            self.declare(key, np.broadcast_to(np.asarray(values.get(key, 0)), shape).copy())

    def _accepted(self, neuron: Neuron | None, values: dict[str, Any]) -> tuple[Neuron, dict[str, Any]]:
        """The neuron and its parameters, of ``neuron`` or, where it is None, of those among ``values``."""
        mine = type(self).__name__
        if neuron is not None or self.kind is Neuron:
            if not isinstance(neuron, self.kind):
                raise ValueError(f"neuron of a {mine}: expected {_a(self.kind)}, got {neuron!r}")
            given, parameters = {}, parameters_of(neuron)
        else:
            given = {field.name: values[field.name] for field in fields(self.kind) if field.name in values}
            neuron, parameters = self.accept({**self.defaults, **given})
        unknown = sorted(set(values) - set(given) - set(neuron.state))
        if unknown:
            raise ValueError(f"{mine} has no argument {unknown[0]!r}: see its docstring")
        return neuron, parameters

    @classmethod
    def accept(cls, parameters: dict[str, Any]) -> tuple[Neuron, dict[str, Any]]:
        """A neuron of these parameters, and the parameters as it holds them; ValueError if the kind refuses them."""
        try:
            neuron = cls.kind(**parameters)
        except TypeError as error:  # one is missing
            raise ValueError(f"{cls.__name__}: {error}") from None
        return neuron, parameters_of(neuron)

    def _declare_bias(self, neuron: Neuron, bias: ArrayLike | None) -> None:
        if not neuron.has_bias:
            if bias is not None:
                raise ValueError(f"bias: a {neuron.kind} neuron has none, got an array of shape {np.shape(bias)}")
            return
        array = np.atleast_1d(0 if bias is None else bias)
        if array.shape not in [(1,), self.shape[-1:], self.shape]:
            allowed = " or ".join(map(str, dict.fromkeys((self.shape[-1:], self.shape))))
            raise ValueError(f"bias: expected a scalar or shape {allowed}, got {array.shape}")
        self.declare("bias", array)

    @property
    def shape(self) -> PortShape:
        """Shape of the population, in the order of its ports."""
        shape: PortShape = self.proc_params["shape"]
        return shape


def _a(kind: type[Neuron]) -> str:
    return "a neuron of a NetGraph" if kind is Neuron else f"a {kind.kind} neuron"


class MultiLevel(Population):
    """Population of :class:`lava_mlsnn.netx.MultiLevel` neurons. Models: ``fixed_pt`` and ``floating_pt``.

    Args:
        threshold: > 0, a scalar or one per channel; real numbers for the model in floats.
        levels: N >= 1.
        shape, bias, v, reset_interval, reset_offset, start, name: see :class:`Population`.

    Example:
        >>> neuron = MultiLevel(shape=(8, 8, 16), threshold=64, levels=4)
        >>> neuron.v.shape, neuron.threshold.shape, neuron.s_out.shape
        ((8, 8, 16), (1,), (8, 8, 16))
    """

    kind = neurons.MultiLevel

    @classmethod
    def accept(cls, parameters: dict[str, Any]) -> tuple[Neuron, dict[str, Any]]:
        """As the kind does, but fractions are thresholds, too."""
        if "threshold" not in parameters:
            return super().accept(parameters)
        threshold = np.asarray(parameters["threshold"])
        if not (threshold > 0).all():
            raise ValueError(f"threshold: expected values > 0, got {threshold.tolist()}")
        neuron, accepted = super().accept({**parameters, "threshold": np.ceil(threshold)})
        return neuron, {**accepted, "threshold": threshold}


class Barrier(Population):
    """Population of :class:`lava_mlsnn.netx.Barrier` neurons. Models: ``fixed_pt`` and ``floating_pt``.

    Args:
        levels: N >= 1.
        shape, v, reset_interval, reset_offset, start, name: see :class:`Population`.

    Example:
        >>> Barrier(shape=(10,), levels=4).levels.init.tolist()
        [4]
    """

    kind = neurons.Barrier


class Readout(Population):
    """Population of :class:`lava_mlsnn.netx.Readout`: ``s_out`` carries V after each step.

    Arguments: see :class:`Population`. Models: ``fixed_pt`` and ``floating_pt``.
    """

    kind = neurons.Readout


class Relay(Population):
    """Population of :class:`lava_mlsnn.netx.Relay`, which sends what it receives.

    Arguments: see :class:`Population`. Models: ``fixed_pt`` and ``floating_pt``.
    """

    kind = neurons.Relay


class Scheduled(Population):
    """Population of :class:`lava_mlsnn.netx.Scheduled` neurons; arguments: see :class:`Population`.

    Example:
        >>> neuron = Scheduled(shape=(8, 8, 16), neuron=neurons.Scheduled(levels=1, thresholds=[[64, 48, 40, 32]]))
        >>> neuron.v.shape, neuron.thresholds.shape
        ((8, 8, 16), (1, 4))
    """

    kind = neurons.Scheduled


class Staircase(Population):
    """Population of :class:`lava_mlsnn.netx.Staircase` neurons; arguments: see :class:`Population`.

    Example:
        >>> Staircase(shape=(10,), neuron=neurons.Staircase([[3, 8, 20]])).thresholds.shape
        (1, 3)
    """

    kind = neurons.Staircase


class SoftLIF(Population):
    """Population of :class:`lava_mlsnn.netx.SoftLIF` neurons; arguments: see :class:`Population`."""

    kind = neurons.SoftLIF


class Rescale(Population):
    """Population of :class:`lava_mlsnn.netx.Rescale`; arguments: see :class:`Population`."""

    kind = neurons.Rescale


class ResetDelta(Population):
    """lava.proc.sdn.Delta with a reset and a choice of ``model`` (see :class:`lava_mlsnn.netx.Delta`).

    Args:
        vth, spike_exp, state_exp: as Lava's.
        model: "released" or "corrected".
        shape, reset_interval, reset_offset, start, name: see :class:`Population`.
    """

    kind = neurons.Delta
    defaults: ClassVar[dict[str, Any]] = {"spike_exp": 0, "state_exp": 0}


class ResetSigmaDelta(Population):
    """lava.proc.sdn.SigmaDelta (ReLU) with a reset and a choice of ``model``.

    Args:
        vth, spike_exp, state_exp: as Lava's.
        bias: a scalar, one per channel, or one per neuron, before its shift by spike_exp + state_exp.
        model: "released" or "corrected".
        shape, reset_interval, reset_offset, start, name: see :class:`Population`.
    """

    kind = neurons.SigmaDelta
    defaults: ClassVar[dict[str, Any]] = {"spike_exp": 0, "state_exp": 0}


class ResetSigma(Population):
    """lava.proc.sdn.Sigma with a reset; arguments: see :class:`Population`."""

    kind = neurons.Sigma


NAMED = (
    MultiLevel,
    Barrier,
    Readout,
    Relay,
    Scheduled,
    Staircase,
    SoftLIF,
    Rescale,
    ResetDelta,
    ResetSigmaDelta,
    ResetSigma,
)
"""Populations with a name of their own, for users and for models in floats or on a chip; others are a Population."""


def population(neuron: Neuron) -> type[Population]:
    """The Process class for a neuron.

    Example:
        >>> population(neurons.Barrier(4)).__name__, population(neurons.LIF(vth=10)).__name__
        ('Barrier', 'Population')
    """
    return next((process for process in NAMED if process.kind is type(neuron)), Population)
