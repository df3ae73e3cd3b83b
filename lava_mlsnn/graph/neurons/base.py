"""What every neuron kind states about itself; a kind is one file of this folder."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ...helpers.check import IntArray, int_array, integer, positive_ints
from ..fixed import Ints, Wide, per_channel
from ..ranges import UNBOUNDED, Inflow, Outflow, Range
from ..spec import INT24_MAX, Spec

State = Mapping[str, Ints]
"""What a population of neurons keeps between timesteps: name -> integers."""

MAX_LEVELS = 2**15 - 1
"""Widest graded spike allowed for a multi-level neuron: 16-bit messages."""

NEURONS: dict[str, type[Neuron]] = {}
"""Every kind by its name; a subclass of :class:`Neuron` that has a ``kind`` enters itself."""


@dataclass(frozen=True, eq=False)
class Neuron(Spec):
    """Base of all neuron kinds: a population of point neurons in integers.

    In every step a neuron receives the integer current ``a`` (sum of its synapses) plus the layer's bias ``b``, updates
    its state, which is zero at the start of each sample, and emits an integer spike ``z``. :meth:`step` is the
    definition that every engine equals. Integer division rounds down.

    A kind that takes several currents gets them from synapses with so many times the channels: those of the first
    current, then those of the next.

    Attributes:
        kind: name, also in files (in capitals) and tables.
        state: names of its state arrays, as Lava calls them.
        gated: whether it does nothing before the first real input of the first sample has had the time to arrive at its
            depth. Stock neurons are not: they run, with their bias, from the first timestep on, as Lava's do.
        spiking: whether it sends spikes at all.
        signed: whether a spike can be negative.
        has_bias: whether its layer may have a bias.
        currents: how many currents each neuron takes.
        state_words: 64-bit words of neuron state on Loihi 2. Inferred from two totals in public compiler logs (PilotNet
            SDNN 61 cores, LIF 74; :data:`lava_mlsnn.loihi2.SOURCES`), other kinds by analogy; None: no figure.
        priced: whether the energy models of spiking networks have a formula for it.
        derived: whether that formula is published nowhere, but derived by this project from the same accesses.
        updated_words: words of state that these models charge one update of it a read and a write each.
        update_adds: additions that they charge one update, beyond that of the bias.
        sends_values: whether what it sends are values, not spikes: a synaptic operation on one is never charged more
            than a multiply-accumulate.
        sends_changes: whether a spike is the change of a value that receivers add up.
        most_charged: most accumulations that a synaptic operation on one of its spikes is charged.
        updates_as: layer kind by which the energy models charge the update of neurons behind no weights.
        stock_blocks: types of stock NetX's blocks that can hold it.
    """

    state: ClassVar[tuple[str, ...]] = ()
    gated: ClassVar[bool] = True
    spiking: ClassVar[bool] = True
    signed: ClassVar[bool] = False
    has_bias: ClassVar[bool] = True
    currents: ClassVar[int] = 1
    state_words: ClassVar[int | None] = None
    priced: ClassVar[bool] = True
    derived: ClassVar[bool] = False
    updated_words: ClassVar[int] = 1
    update_adds: ClassVar[int] = 0
    sends_values: ClassVar[bool] = False
    sends_changes: ClassVar[bool] = False
    most_charged: ClassVar[float] = math.inf
    updates_as: ClassVar[str] = "identity"
    stock_blocks: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "kind" in cls.__dict__:
            NEURONS[cls.kind] = cls

    @classmethod
    def example(cls, channels: int = 3, timesteps: int = 1) -> Neuron:
        """A small neuron of this kind, for tests and tables."""
        raise NotImplementedError(f"neuron {cls.kind!r} defines no example")

    def step(
        self, state: State, current: Any, bias: IntArray | None = None, channel_axis: int = -3, t: int = 0
    ) -> tuple[Ints, dict[str, Ints]]:
        """One timestep of a population: slow, pure, obviously right.

        Args:
            state: of :meth:`initial_state` or of the step before; not written to.
            current: the sum of all synapses' currents, along ``channel_axis`` :attr:`currents` times the channels.
            bias: one per channel (1-D, along ``channel_axis``), or any array that broadcasts to ``current``.
            channel_axis: axis of channels in ``current``; -1 where they come last, as in Lava's (W, H, C) or for (C,).
            t: index of the step within its sample, for parameters that differ from step to step.

        Returns:
            (spikes, state): int32, of the shape of ``current``, of one current where there are several.

        Raises:
            ValueError: a bias for a neuron that has none.
        """
        raise NotImplementedError(f"neuron {self.kind!r} defines no step")

    def initial_state(self, shape: tuple[int, ...]) -> dict[str, Ints]:
        """The state at the start of a sample: zeros, int32."""
        return {name: np.zeros(shape, np.int32) for name in self.state}

    def ranges(self, inflow: Inflow) -> Outflow:
        """What the registers and spikes of each channel can be."""
        raise NotImplementedError(f"neuron {self.kind!r} defines no ranges")

    @property
    def largest_spike(self) -> int | None:
        """Largest absolute value of a spike, whatever the input; None if the input decides."""
        return None

    def spike_range(self, channels: int) -> Range:
        """One spike of each channel, before anything is known of the input."""
        high = np.full(channels, UNBOUNDED if self.largest_spike is None else float(self.largest_spike))
        return Range(-high if self.signed else np.zeros(channels), high)

    @property
    def charged_as(self) -> float | None:
        """Value of its largest spike as the energy models charge it; None: what its input can add up to."""
        return 1 if self.largest_spike is None else self.largest_spike

    @property
    def leaky(self) -> bool:
        """Whether its state decays in part; a full decay is a reset, not a multiplication."""
        return False

    @property
    def table_words(self) -> int:
        """Words per channel on Loihi 2 for parameters that differ from step to step or level to level (inference)."""
        return 0

    def check_population(self, channels: int) -> None:
        """ValueError if the parameters do not fit so many channels."""

    def check_steps(self, timesteps: int) -> None:
        """ValueError if parameters that differ from step to step do not fit T."""

    def shorten(self, timesteps: int) -> Neuron:
        """The neuron of a network that stops after fewer steps."""
        return self

    def unfit(self, bias: IntArray | None) -> Iterator[tuple[int | None, str]]:
        """What of its parameters a chip cannot hold: (channel or None, what is wrong)."""
        return iter(())

    def stock_keys(self) -> dict[str, Any] | None:
        """Keys of stock NetX that describe it exactly, None if stock computes something else."""
        return None

    def _no_bias(self, bias: IntArray | None) -> None:
        if bias is not None:
            raise ValueError(f"bias: a {self.kind} neuron has none, got an array of shape {np.shape(bias)}")


def driven(current: Any, bias: IntArray | None, channel_axis: int) -> Wide:
    """a + b."""
    current = np.asarray(current, np.int64)
    return current + per_channel(bias, current.ndim, channel_axis)


def as_levels(value: Any, what: str) -> int:
    """N, the largest value of a graded spike."""
    (levels,) = positive_ints(value, "levels", 1)
    if levels > MAX_LEVELS:
        raise ValueError(f"levels: expected at most {MAX_LEVELS}, got {levels}")
    return levels


def as_each(value: Any, what: str, low: int, high: int) -> int | IntArray:
    """One integer, or int32 (C,) where channels differ: one form for one meaning.

    Example:
        >>> as_each([3, 3], "vth", 0, 9), as_each([3, 4], "vth", 0, 9)
        (3, array([3, 4], dtype=int32))
    """
    if np.ndim(value) == 0:
        return integer(value, what, low, high)
    array = int_array(value, what, 1)
    if array.size == 0 or array.min() < low or array.max() > high:
        raise ValueError(f"{what}: expected integers in {low} .. {high}, got {array.tolist()}")
    return int(array[0]) if (array == array[0]).all() else array


def as_threshold(value: Any, what: str) -> IntArray:
    """theta >= 1, int32 () or (C,)."""
    array = int_array(value, "threshold", (0, 1))
    if array.size == 0 or array.min() < 1:
        raise ValueError(f"threshold: expected integers >= 1, got {array.tolist()}")
    return array


def as_threshold_table(value: Any, what: str) -> IntArray:
    """Thresholds >= 1, int32 (C, n), or (1, n) where all channels are the same."""
    table = int_array(value, what, 2)
    if table.size == 0 or table.min() < 1:
        raise ValueError(f"{what}: expected integers >= 1, one row per channel, int32 (C, n), got {table.tolist()}")
    return one_row(table, what)


def one_row(table: IntArray, what: str) -> IntArray:
    """A table (C, n), or (1, n) where all channels are the same: one form for one meaning."""
    return int_array(table[:1], what) if (table == table[:1]).all() else table


def check_rows(kind: str, what: str, rows: int, channels: int) -> None:
    """ValueError unless a parameter is given once, or once per channel."""
    if rows not in (1, channels):
        raise ValueError(f"a {kind} neuron with {what} of {rows} channels: expected 1 or {channels}")


def check_each(neuron: Neuron, channels: int, *names: str) -> None:
    """ValueError unless each of these parameters is given once, or once per channel."""
    for name in names:
        if np.ndim(values := getattr(neuron, name)):
            check_rows(neuron.kind, name, len(values), channels)


def wide_thresholds(table: IntArray) -> Iterator[tuple[int | None, str]]:
    """The largest threshold, () or one row per channel, if it exceeds a 24-bit register."""
    highest = table.reshape(table.shape[0] if table.ndim else 1, -1).max(axis=1)
    if highest.max() > INT24_MAX:
        yield int(highest.argmax()), f"threshold {highest.max()} exceeds 24 bits ({INT24_MAX})"
