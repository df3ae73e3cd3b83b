r"""Energy and time of an operation on Loihi: all public figures, each with its source.

==================  ===============================================================================================
table               source
==================  ===============================================================================================
davies2018          Davies et al., IEEE Micro 2018, Table 2: Intel, pre-silicon simulation at 0.75 V
sanafe2025          Boyle et al., SANA-FE, IEEE TCAD 2025: fitted to Loihi 1 (at most 11.7 % energy, 24.3 % time error)
loihi2              nothing published: every figure is None, and asking for a sum raises :class:`UnpublishedError`
loihi2_estimate     a guess: times of sanafe2025 divided by the speed-ups of Intel's Loihi 2 brief, energies unchanged
==================  ===============================================================================================

SANA-FE charges every neuron an access in every step, and an update on top where its state changes: ``update_inactive``
is the access alone, ``update_active`` is both. The guess for Loihi 2 agrees with the only other one in public code
(7abushahla/SANA-FE, arch/loihi2.yaml: access 3.0, update 1.85, synaptic operation 0.76, spike 3.0, barrier 67 to 200
ns), which was scaled in the same way and is not Intel's either.
"""

from __future__ import annotations

from .tables import NANO, PICO, Constant, Table

QUANTITIES = ("synop_dense", "synop_conv", "synop_sparse", "update_inactive", "update_active", "spike_out",
              "spike_tile", "message_out", "message_in", "hop_x", "hop_y")  # fmt: skip
"""What a table prices: an energy ``<name>`` in J and a time ``<name>_time`` in s each.

``barrier_time`` (all of a chip's tiles) and ``barrier_least_time`` (one tile) are times alone.
"""

SYNOPS = {"conv": "synop_conv", "dense": "synop_dense"}
"""Kind of layer -> its synaptic operation; "synop_sparse" for all others."""

_DAVIES = "Davies et al., IEEE Micro 38(1), 2018, Table 2 (pre-silicon, 0.75 V); quoted, not checked against the PDF"
_SANAFE = "SANA-FE 2.2.9 Loihi architecture (Boyle et al., IEEE TCAD 2025)"
_GUESS = "scaled guess from sanafe2025: time / speed-up of Intel's Loihi 2 technology brief (2021); energy unchanged"
_ABSENT = "; not a row of its own there, so 0"
_NONE = "Intel has published no per-operation figure of Loihi 2"

Row = tuple[float | None, float | None]


def _loihi(name: str, source: str, rows: dict[str, Row], barrier: tuple[float | None, float | None]) -> Table:
    entries: dict[str, Constant] = {}
    for key in QUANTITIES:
        energy, time = rows.get(key, (0.0, 0.0))
        said = source if key in rows else source + _ABSENT
        entries[key] = Constant(None if energy is None else energy * PICO, "J", said)
        entries[f"{key}_time"] = Constant(None if time is None else time * NANO, "s", said)
    for key, nanoseconds in zip(("barrier_least_time", "barrier_time"), barrier, strict=True):
        entries[key] = Constant(None if nanoseconds is None else nanoseconds * NANO, "s", source)
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
    "davies2018": _loihi("davies2018", _DAVIES, _DAVIES_ROWS, (113.0, 465.0)),
    "sanafe2025": _loihi("sanafe2025", _SANAFE, _SANAFE_ROWS, (600.0, 1800.0)),
    "loihi2": _loihi("loihi2", _NONE, dict.fromkeys(QUANTITIES, (None, None)), (None, None)),
    "loihi2_estimate": _loihi("loihi2_estimate", _GUESS, _faster(_SANAFE_ROWS), (67.0, 200.0)),
}
"""Every table by its name; those of Loihi 2 hold no measured figure."""


def find(table: str) -> Table:
    """Table by name.

    Raises:
        ValueError: unknown name.
    """
    if table not in TABLES:
        raise ValueError(f"loihi table: expected one of {', '.join(TABLES)}, got {table!r}")
    return TABLES[table]
