"""The answer of an energy model for a network: joules per layer and term, with the spread of documented variants."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..helpers.shown import Grid, Shown
from ..helpers.tables import Table
from ..helpers.units import joules

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class LayerReport:
    """Joules of one layer and one inference.

    Args:
        name: of the layer in the NetGraph.
        kind: its synapses and neuron, such as "conv+multilevel".
        terms: term -> joules.
        counts: what was priced.
        extension: whether a formula without a publication took part.
    """

    name: str
    kind: str
    terms: Mapping[str, float]
    counts: Mapping[str, float] = field(default_factory=dict)
    extension: bool = False

    @property
    def total(self) -> float:
        """Joules of the layer."""
        return sum(self.terms.values())

    @property
    def memory(self) -> float:
        """Joules of the terms that are memory accesses (0 for models without memory)."""
        return sum(value for name, value in self.terms.items() if name in ("potentials", "weights", "bias", "io"))


@dataclass(frozen=True, repr=False)
class Report(Shown):
    """Energy of one inference of a network by one model.

    Args:
        model: "lemaire", "horowitz", "loihi1", "loihi2_estimate".
        network: "snn", or "ann" for the ANN of the same shapes.
        layers: in the graph's order.
        settings: what was chosen, ready for JSON.
        variants: name of a documented variant of the model -> total in joules under it; its extremes are the spread.
        tables: the constants used.
        notes: what the reader must know.
        counting: how the cost of an event in a kernel was counted: "exact" (the positions that it reaches) or
            "published" (the whole kernel; :mod:`lava_mlsnn.energy.counts`).
        countings: counting -> total in joules under it, all else equal, where the model knows both.
        seconds: time of one inference where the model has one, else None.
        step_seconds: time of one timestep where the model has one, else None.
    """

    model: str
    network: str
    layers: tuple[LayerReport, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    variants: Mapping[str, float] = field(default_factory=dict)
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()
    counting: str = ""
    countings: Mapping[str, float] = field(default_factory=dict)
    seconds: float | None = None
    step_seconds: float | None = None

    def __repr__(self) -> str:
        return f"Report({self.summary()})"

    def grid(self) -> Grid:
        """A row per layer and for all of them: joules per term and in total."""
        terms = self.terms
        rows = [
            (la.name, la.kind, *(joules(la.terms[t]) if t in la.terms else "" for t in terms), joules(la.total))
            for la in self.layers
        ]
        total = ("total", self.network, *map(joules, terms.values()), joules(self.total))
        return Grid(self.summary(), ("layer", "kind", *terms, "total"), [*rows, total], self.notes)

    @property
    def total(self) -> float:
        """Joules of one inference."""
        return sum(layer.total for layer in self.layers)

    @property
    def terms(self) -> dict[str, float]:
        """Term -> joules, over all layers."""
        result: dict[str, float] = {}
        for layer in self.layers:
            for name, value in layer.terms.items():
                result[name] = result.get(name, 0.0) + value
        return result

    @property
    def spread(self) -> tuple[float, float]:
        """Lowest and highest total over the chosen settings and all variants."""
        totals = (self.total, *self.variants.values())
        return min(totals), max(totals)

    def __getitem__(self, name: str) -> LayerReport:
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise KeyError(f"no layer {name!r}: expected one of {', '.join(layer.name for layer in self.layers)}")

    def __iter__(self) -> Iterator[LayerReport]:
        return iter(self.layers)

    def ratio(self, other: Report) -> tuple[float, float, float]:
        """This total over another's, and the lowest and highest ratio when both follow the same variant.

        Raises:
            ValueError: reports of different models, or a total of zero.
        """
        if self.model != other.model:
            raise ValueError(f"ratio of different models: {self.model} and {other.model}")
        if other.total <= 0:
            raise ValueError(f"ratio: expected a total above 0, got {other.total}")
        both = [(v, other.variants[k]) for k, v in self.variants.items() if other.variants.get(k, 0) > 0]
        ratios = [self.total / other.total, *(a / b for a, b in both)]
        return ratios[0], min(ratios), max(ratios)

    def ratios(self, other: Report) -> dict[str, float]:
        """Counting -> this total over another's, both counted alike; the chosen one first."""
        names = sorted(self.countings, key=lambda name: name != self.counting)
        return {
            name: self.countings[name] / other.countings[name] for name in names if other.countings.get(name, 0) > 0
        }

    def to_frame(self) -> pd.DataFrame:
        """One row per layer and a last row "total": kind, joules per term, joules in total."""
        import pandas as pd

        rows = [{"layer": la.name, "kind": la.kind, **la.terms, "total": la.total} for la in self.layers]
        rows.append({"layer": "total", "kind": self.network, **self.terms, "total": self.total})
        return pd.DataFrame(rows).set_index("layer")

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON, constants with their sources included."""
        low, high = self.spread
        return {
            "model": self.model,
            "network": self.network,
            "unit": "J",
            "total": self.total,
            "counting": self.counting,
            "countings": dict(self.countings),
            "spread": {"low": low, "high": high, "variants": dict(self.variants)},
            "terms": self.terms,
            "layers": [
                {
                    "name": layer.name,
                    "kind": layer.kind,
                    "terms": dict(layer.terms),
                    "total": layer.total,
                    "counts": dict(layer.counts),
                    "extension": layer.extension,
                }
                for layer in self.layers
            ],
            "seconds": self.seconds,
            "step_seconds": self.step_seconds,
            "settings": dict(self.settings),
            "constants": [
                dict(zip(("table", "version", "name", "value", "unit", "source"), row, strict=True))
                for table in self.tables
                for row in table.rows()
            ],
            "notes": list(self.notes),
            "missing": "",
        }

    @classmethod
    def without_figure(cls, model: str, network: str, why: str) -> dict[str, Any]:
        """What :meth:`to_dict` gives, of a network that the model cannot price: None for numbers, and the reason."""
        empty = cls(model, network, (), notes=(f"No figure: {why}",)).to_dict()
        return {**empty, "total": None, "spread": {"low": None, "high": None, "variants": {}}, "missing": why}

    def to_json(self, indent: int | None = 1) -> str:
        """:meth:`to_dict` as JSON text; no NaN or infinity can be in it."""
        return json.dumps(self.to_dict(), indent=indent, allow_nan=False)

    def summary(self) -> str:
        """One line: the total with its counting, the other counting's, and the spread.

        Example:
            >>> Report("lemaire", "snn", (LayerReport("a", "conv", {"io": 2e-6}),), variants={"b": 3e-6}).summary()
            'lemaire, snn: 2.00 µJ (2.00 µJ .. 3.00 µJ over 1 documented variant)'
        """
        low, high = self.spread
        count = len(self.variants)
        spread = f" ({joules(low)} .. {joules(high)} over {count} documented variant{'s' * (count != 1)})" * bool(count)
        counted = f", {self.counting} counting" * bool(self.countings)
        others = [f"{joules(total)} {name}" for name, total in self.countings.items() if name != self.counting]
        return f"{self.model}, {self.network}{counted}: {', '.join([joules(self.total), *others])}{spread}"

    def __str__(self) -> str:
        return self.summary()
