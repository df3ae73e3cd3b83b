r"""Energy and time of counted events on Loihi, from the public tables of :mod:`lava_mlsnn.helpers.loihi`.

Energy of an inference: :math:`\sum` count x energy. Time of a timestep: the cores work in parallel and then meet at a
barrier, :math:`t = \max_{cores} \sum` count x time :math:`+ t_{barrier}`.

Warning:
    The figures are dynamic energy only. ``STATIC_POWER`` of a chip (derived, 104 mW) times the time of an inference
    often exceeds it. Spikes of Loihi 1 carry no value: a graded spike is counted as one event (extension). Loihi 2
    silicon measurements that exist are of whole networks, from which no per-operation figure follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from ..helpers.check import finite
from ..helpers.loihi import QUANTITIES, TABLES, find
from ..helpers.tables import Constant, UnpublishedError

STATIC_POWER = Constant(
    0.104, "W", "Loihi 1, per chip: derived from 3.34 W static of 32 chips (Frady et al., 2020); not an Intel figure"
)

COMPARTMENTS_PER_CORE = 1024
"""Neurons on one core of Loihi 1 (Davies et al., 2018)."""


@dataclass(frozen=True)
class Loihi1Counts:
    """Events of one inference, or of one core and step.

    Args:
        synop_dense, synop_conv, synop_sparse: synaptic operations by kind of connection.
        update_active, update_inactive: neuron updates (neurons times steps) with and without new input.
        spike_out: spikes generated.
        spike_tile: spikes sent within a tile (davies2018 prices them, and hops beyond).
        message_out, message_in: packets that leave and enter cores (sanafe2025 prices them).
        hop_x, hop_y: hops of packets between tiles, east-west and north-south.

    Raises:
        ValueError: a count that is not a finite number >= 0.
    """

    synop_dense: float = 0.0
    synop_conv: float = 0.0
    synop_sparse: float = 0.0
    update_active: float = 0.0
    update_inactive: float = 0.0
    spike_out: float = 0.0
    spike_tile: float = 0.0
    message_out: float = 0.0
    message_in: float = 0.0
    hop_x: float = 0.0
    hop_y: float = 0.0

    def __post_init__(self) -> None:
        for f in fields(self):
            object.__setattr__(self, f.name, finite(getattr(self, f.name), f.name, low=0))

    def __add__(self, other: Loihi1Counts) -> Loihi1Counts:
        return Loihi1Counts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def scaled(self, factor: float) -> Loihi1Counts:
        """Every count times ``factor``."""
        return Loihi1Counts(*(getattr(self, f.name) * factor for f in fields(self)))


TERMS = ("synapses", "neurons", "spikes", "network")
_TERM_OF = {
    **dict.fromkeys(("synop_dense", "synop_conv", "synop_sparse"), "synapses"),
    **dict.fromkeys(("update_active", "update_inactive"), "neurons"),
    "spike_out": "spikes",
    **dict.fromkeys(("spike_tile", "message_out", "message_in", "hop_x", "hop_y"), "network"),
}


def terms(counts: Loihi1Counts, table: str = "davies2018") -> dict[str, float]:
    """Joules per term: synapses, neurons, spikes, network.

    Raises:
        UnpublishedError: a figure that is needed has not been published (table "loihi2").
        ValueError: unknown table.

    Example:
        >>> terms(Loihi1Counts(synop_dense=1000, update_active=10))["synapses"]
        2.36e-08
        >>> terms(Loihi1Counts(synop_dense=1), table="loihi2")
        Traceback (most recent call last):
        lava_mlsnn.helpers.tables.UnpublishedError: 'synop_dense' of table 'loihi2' has not been published ...
    """
    found = find(table)
    result = dict.fromkeys(TERMS, 0.0)
    for key, term in _TERM_OF.items():
        result[term] += getattr(counts, key) * found[key]
    return result


def energy(counts: Loihi1Counts, table: str = "davies2018") -> float:
    """Joules of all counts; raises as :func:`terms` does."""
    return sum(terms(counts, table).values())


def busy_time(counts: Loihi1Counts, table: str = "davies2018") -> float:
    """Seconds that one core works through these counts, one after the other, without the barrier.

    Raises:
        UnpublishedError, ValueError: as :func:`terms`.
    """
    found = find(table)
    return sum(getattr(counts, key) * found[f"{key}_time"] for key in QUANTITIES)


def step_time(cores: Sequence[Loihi1Counts], table: str = "davies2018", barrier: float | None = None) -> float:
    """Seconds of one timestep: the busiest core, then the barrier.

    Args:
        cores: counts of one timestep, per core.
        barrier: seconds of the barrier; None: the table's, for a full chip.

    Raises:
        UnpublishedError, ValueError: as :func:`terms`.

    Example:
        >>> round(step_time([Loihi1Counts(update_active=100), Loihi1Counts()]) * 1e9)  # 840 + 465 ns
        1305
    """
    barrier = find(table)["barrier_time"] if barrier is None else finite(barrier, "barrier", low=0)
    return max((busy_time(core, table) for core in cores), default=0.0) + barrier


def published(table: str) -> dict[str, Any]:
    """Name -> value of every figure of a table, None where nothing is public.

    Example:
        >>> set(published("loihi2").values())
        {None}
    """
    return {key: constant.value for key, constant in find(table).entries.items()}


__all__ = [
    "QUANTITIES",
    "STATIC_POWER",
    "TABLES",
    "TERMS",
    "Loihi1Counts",
    "UnpublishedError",
    "busy_time",
    "energy",
    "find",
    "published",
    "step_time",
    "terms",
]
