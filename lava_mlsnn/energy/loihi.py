r"""Energy and time of counted events on Loihi, from the two public tables of per-operation figures.

==================  ===============================================================================================
table               source
==================  ===============================================================================================
davies2018          Davies et al., IEEE Micro 2018, Table 2: Intel, pre-silicon simulation at 0.75 V
sanafe2025          Boyle et al., SANA-FE, IEEE TCAD 2025: fitted to Loihi 1 (at most 11.7 % energy, 24.3 % time error)
loihi2              nothing published: every figure is None, and asking for a sum raises :class:`UnpublishedError`
loihi2_estimate     a guess: times of sanafe2025 divided by the speed-ups of Intel's Loihi 2 brief, energies unchanged
==================  ===============================================================================================

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
from .constants import NANO, PICO, Constant, Table, UnpublishedError

QUANTITIES = ("synop_dense", "synop_conv", "synop_sparse", "update_inactive", "update_active", "spike_out",
              "spike_tile", "message_out", "message_in", "hop_x", "hop_y")  # fmt: skip
"""What a table prices: an energy ``<name>`` in J and a time ``<name>_time`` in s each; ``barrier_time`` is apart."""

_DAVIES = "Davies et al., IEEE Micro 38(1), 2018, Table 2 (pre-silicon, 0.75 V); quoted, not checked against the PDF"
_SANAFE = "SANA-FE 2.2.9 Loihi architecture (Boyle et al., IEEE TCAD 2025)"
_GUESS = "scaled guess from sanafe2025: time / speed-up of Intel's Loihi 2 technology brief (2021); energy unchanged"
_ABSENT = "; not a row of its own there, so 0"
_NONE = "Intel has published no per-operation figure of Loihi 2"

Row = tuple[float | None, float | None]


def _loihi(name: str, source: str, rows: dict[str, Row], barrier: float | None) -> Table:
    entries: dict[str, Constant] = {}
    for key in QUANTITIES:
        energy, time = rows.get(key, (0.0, 0.0))
        said = source if key in rows else source + _ABSENT
        entries[key] = Constant(None if energy is None else energy * PICO, "J", said)
        entries[f"{key}_time"] = Constant(None if time is None else time * NANO, "s", said)
    entries["barrier_time"] = Constant(None if barrier is None else barrier * NANO, "s", source)
    return Table(name, "1", entries)


_DAVIES_ROWS: dict[str, Row] = {
    "synop_dense": (23.6, 3.5),
    "synop_conv": (23.6, 3.5),
    "synop_sparse": (23.6, 3.5),
    "update_inactive": (52.0, 5.3),
    "update_active": (81.0, 8.4),
    "spike_tile": (1.7, 2.1),
    "hop_x": (3.0, 4.1),
    "hop_y": (4.0, 6.5),
}
# SANA-FE charges every neuron an access in every step, and an update on top where its state changes.
_SANAFE_ROWS: dict[str, Row] = {
    "synop_dense": (35.5, 3.8),
    "synop_conv": (24.0, 3.1),
    "synop_sparse": (33.6, 4.7),
    "update_inactive": (51.2, 6.0),
    "update_active": (51.2 + 21.6, 6.0 + 3.7),
    "spike_out": (69.3, 30.0),
    "message_out": (111.0, 5.1),
    "message_in": (0.0, 16.0),
    "hop_x": (3.0, 4.1),
    "hop_y": (4.2, 6.5),
}
SPEEDUP = {"synop": 5.0, "update": 2.0, "spike": 10.0}
"""Loihi 2 over Loihi 1, from Intel's technology brief (2021, partly pre-silicon): the only scaling that is public."""


def _faster(rows: dict[str, Row]) -> dict[str, Row]:
    def divisor(key: str) -> float:
        return next((factor for stem, factor in SPEEDUP.items() if key.startswith(stem)), 1.0)

    return {k: (e, None if t is None else t / divisor(k)) for k, (e, t) in rows.items()}


TABLES: dict[str, Table] = {
    "davies2018": _loihi("davies2018", _DAVIES, _DAVIES_ROWS, 465.0),
    "sanafe2025": _loihi("sanafe2025", _SANAFE, _SANAFE_ROWS, 1800.0),
    "loihi2": _loihi("loihi2", _NONE, dict.fromkeys(QUANTITIES, (None, None)), None),
    "loihi2_estimate": _loihi("loihi2_estimate", _GUESS, _faster(_SANAFE_ROWS), 200.0),
}
"""Barrier times are those of a full chip: 113 to 465 ns for 1 to 32 tiles (davies2018), 0.6 to 1.8 us (sanafe2025)."""

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


def find(table: str) -> Table:
    """Table by name.

    Raises:
        ValueError: unknown name.
    """
    if table not in TABLES:
        raise ValueError(f"loihi table: expected one of {', '.join(TABLES)}, got {table!r}")
    return TABLES[table]


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
        lava_mlsnn.energy.constants.UnpublishedError: 'synop_dense' of table 'loihi2' has not been published ...
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
