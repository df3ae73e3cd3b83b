"""Activity of a network: the counts that energy models, reports and papers are made from.

An event is a non-zero entry, whatever its value ([Castagnetti2025], Eq 11; an N-level spike is one event). Counts are
exact integers, per layer and timestep, summed over samples, so that two engines can be compared with ``==``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .graph import INPUT, Connection, Layer, NetGraph

if TYPE_CHECKING:
    import pandas as pd

Counts = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Activity:
    """Counts of one run of a NetGraph.

    Args:
        samples: number of samples counted.
        events: per layer and for "input": non-zero outputs at each of the T steps, summed over samples.
        values: the same for the sum of absolute values.
        sites: per layer, one row per connection: non-zero sites of the sum of the connection's sources, as the synapse
            sees them. With one source this equals the source's events; at a residual sum it is what a single neuron
            population behind the sum would send, while ``events_in`` is what the connections carry.

    Shape:
        events[name], values[name]: int64 (T,); sites[name]: int64 (connections, T).

    Example:
        >>> a = Activity(2, {"input": np.array([6])}, {"input": np.array([9])}, {})
        >>> (a + a).samples, a.mean_events("input")
        (4, 3.0)
    """

    samples: int
    events: Mapping[str, Counts]
    values: Mapping[str, Counts]
    sites: Mapping[str, Counts]

    @classmethod
    def zeros(cls, graph: NetGraph, samples: int = 0) -> Activity:
        """An activity of no events for ``graph``, the start of a sum."""
        names = (INPUT, *(layer.name for layer in graph))
        steps = graph.timesteps
        return cls(
            samples,
            {name: np.zeros(steps, np.int64) for name in names},
            {name: np.zeros(steps, np.int64) for name in names},
            {layer.name: np.zeros((len(layer.connections), steps), np.int64) for layer in graph},
        )

    @classmethod
    def of_spikes(cls, graph: NetGraph, spikes: Mapping[str, NDArray[Any]]) -> Activity:
        """Counts of the spikes (N, C, H, W, T) of "input" and of all layers, by name; sites are left at zero."""
        counts = cls.zeros(graph, len(spikes[INPUT]))
        for name in counts.events:
            if name == INPUT or graph[name].neuron.spiking:
                counts.events[name][:] = np.count_nonzero(spikes[name], axis=(0, 1, 2, 3))
                counts.values[name][:] = np.abs(spikes[name].astype(np.int64)).sum(axis=(0, 1, 2, 3))
        return counts

    @property
    def timesteps(self) -> int:
        """T."""
        return len(next(iter(self.events.values())))

    def __add__(self, other: Activity) -> Activity:
        """Counts of both runs together; ValueError if they are of different networks."""
        for f in _TABLES:
            mine, theirs = getattr(self, f), getattr(other, f)
            if {k: v.shape for k, v in mine.items()} != {k: v.shape for k, v in theirs.items()}:
                raise ValueError(f"activities of different networks: {f} of {list(mine)} and of {list(theirs)}")
        tables = {f: {k: v + getattr(other, f)[k] for k, v in getattr(self, f).items()} for f in _TABLES}
        return Activity(self.samples + other.samples, **tables)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Activity):
            return NotImplemented
        return self.samples == other.samples and all(_same(getattr(self, f), getattr(other, f)) for f in _TABLES)

    __hash__ = None  # type: ignore[assignment]

    def difference(self, other: Activity) -> str:
        """The first place where two activities differ, in words; "" if they are equal."""
        if self.samples != other.samples:
            return f"samples: {self.samples} and {other.samples}"
        for f in _TABLES:
            mine, theirs = getattr(self, f), getattr(other, f)
            if list(mine) != list(theirs):
                return f"{f}: layers {list(mine)} and {list(theirs)}"
            for name in mine:
                if not np.array_equal(mine[name], theirs[name]):
                    return f"{f} of {name!r}: {mine[name].tolist()} and {theirs[name].tolist()}"
        return ""

    def mean_events(self, name: str) -> float:
        """Events that a layer (or "input") emits per sample, over all T steps (theta of the energy models)."""
        return float(self._table("events", name).sum()) / max(self.samples, 1)

    def mean_sites(self, layer: Layer, connection: int = 0) -> float:
        """Non-zero sites per sample of the summed input of a connection, over all T steps."""
        return float(self._table("sites", layer.name)[connection].sum()) / max(self.samples, 1)

    def events_in(self, connection: Connection) -> float:
        """Events per sample that enter a synapse: the sum over its sources (theta_in)."""
        return sum(self.mean_events(source) for source in connection.sources)

    def _table(self, table: str, name: str) -> Counts:
        counts: Mapping[str, Counts] = getattr(self, table)
        if name not in counts:
            raise KeyError(f"no {table} of {name!r}: expected one of {', '.join(counts)}")
        return counts[name]

    def check(self, graph: NetGraph) -> None:
        """ValueError if these cannot be counts of ``graph``, or if no sample was counted."""
        if self.samples < 1:
            raise ValueError(f"activity: expected at least one sample, got {self.samples}")
        expected = {INPUT, *(layer.name for layer in graph)}
        if set(self.events) != expected:
            odd = sorted(expected ^ set(self.events))
            raise ValueError(f"activity of another network: layers {', '.join(odd)} are in only one of the two")
        if self.timesteps != graph.timesteps:
            raise ValueError(f"activity of {self.timesteps} timesteps, the network has {graph.timesteps}")
        for name, events in self.events.items():
            most = prod(graph.shape(name)) * self.samples
            if events.size and not 0 <= int(events.min()) <= int(events.max()) <= most:
                raise ValueError(f"activity of {name!r}: expected 0 .. {most} events per step, got {events.tolist()}")
        for layer in graph:
            if layer.name not in self.sites or len(self.sites[layer.name]) != len(layer.connections):
                raise ValueError(f"activity of {layer.name!r}: expected one row of sites per connection")

    def to_frame(self) -> pd.DataFrame:
        """One row per layer and step: events, values, and sites summed over connections (NaN for the input)."""
        import pandas as pd

        rows = [
            {
                "layer": name,
                "step": t,
                "events": int(self.events[name][t]),
                "values": int(self.values[name][t]),
                "sites": int(self.sites[name][:, t].sum()) if name in self.sites else np.nan,
            }
            for name in self.events
            for t in range(self.timesteps)
        ]
        return pd.DataFrame(rows)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready content; :meth:`from_dict` reads it back."""
        tables = {f: {k: v.tolist() for k, v in getattr(self, f).items()} for f in _TABLES}
        return {"samples": self.samples, **tables}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Activity:
        """Inverse of :meth:`to_dict`; ValueError names a missing table."""
        missing = [f.name for f in fields(cls) if f.name not in content]
        if missing:
            raise ValueError(f"activity: missing {', '.join(missing)}")
        tables = {f: {k: np.asarray(v, np.int64) for k, v in content[f].items()} for f in _TABLES}
        return cls(int(content["samples"]), **tables)


_TABLES = ("events", "values", "sites")


def _same(a: Mapping[str, Counts], b: Mapping[str, Counts]) -> bool:
    return list(a) == list(b) and all(np.array_equal(a[name], b[name]) for name in a)
