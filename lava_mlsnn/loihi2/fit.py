"""Will it fit? Cores, memory and chips of a NetGraph on Loihi 2, the limit that binds, and what would help."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

from ..graph.graph import Layer, NetGraph, require_graph
from ..graph.hardware import problems, unproven
from ..helpers.shown import Grid, Shown
from ..helpers.tables import NoFigureError
from .limits import LOIHI2, SOURCES, Chip
from .partition import Part, partition

if TYPE_CHECKING:
    import pandas as pd

ADVICE = {
    "neurons": "fewer channels (width) or an earlier stride",
    "state_words": "fewer channels (width) or an earlier stride",
    "synaptic_words": "fewer channels (width), smaller kernels or groups",
    "axons_in": "fewer input channels, or a stride before this layer",
    "axons_out": "fewer channels, or fewer layers that read this one",
}
"""What to change where a resource binds."""


@dataclass(frozen=True)
class LayerFit:
    """One layer on the chip.

    ``part`` is what its fullest core holds. It is None, and ``why`` says so, if not even one neuron fits a core or if
    there is no figure for what its neurons or synapses take.
    """

    name: str
    kind: str
    neurons: int
    delay: int
    part: Part | None
    why: str = ""


@dataclass(frozen=True, repr=False)
class Fit(Shown):
    """Mapping estimate of a network.

    Args:
        layers: one entry per layer.
        chip: the limits used.
        problems: numbers that the hardware cannot store, one line each (:func:`lava_mlsnn.netx.problems`), long delays,
            layers that cannot be cut.
        unproven: registers of sigma-delta neurons that no interval bounds (:func:`lava_mlsnn.netx.unproven`).
    """

    layers: tuple[LayerFit, ...]
    chip: Chip
    problems: tuple[str, ...]
    unproven: tuple[str, ...] = ()

    def __repr__(self) -> str:
        what = (
            "fits one chip"
            if self.fits
            else f"{len(self.problems)} problems"
            if self.problems
            else "does not fit one chip"
        )
        return f"Fit({self.cores} cores, {self.chips} chip{'s' * (self.chips != 1)}, {what})"

    def grid(self) -> Grid:
        """A row per layer: its cores and the resource that is fullest; below, what to change."""
        rows = []
        for layer in self.layers:
            part = layer.part
            full = "" if part is None else f"{100 * max(part.shares(self.chip).values()):.0f} %"
            binding = layer.why if part is None else part.binding(self.chip)
            rows.append((layer.name, layer.kind, layer.neurons, part.cores if part else None, binding, full))
        return Grid(repr(self), ("layer", "kind", "neurons", "cores", "bound by", "full"), rows, self.advice)

    @property
    def cores(self) -> int:
        """Cores of all layers that can be cut; a core holds parts of one layer only."""
        return sum(layer.part.cores for layer in self.layers if layer.part)

    @property
    def chips(self) -> int:
        """Chips for these cores."""
        return ceil(self.cores / self.chip.cores)

    @property
    def fits(self) -> bool:
        """Whether one chip holds the network and all its numbers."""
        return not self.problems and self.chips == 1

    @property
    def advice(self) -> tuple[str, ...]:
        """What to change, largest layers first; empty if the network fits one chip."""
        if self.fits:
            return ()
        large = sorted((f for f in self.layers if f.part), key=lambda f: -f.part.cores if f.part else 0)
        lines = [
            f"layer {f.name!r} takes {f.part.cores} of {self.cores} cores, bound by {f.part.binding(self.chip)}: "
            f"{ADVICE[f.part.binding(self.chip)]}"
            for f in large[:3]
            if f.part and self.chips > 1
        ]
        return (*lines, *self.problems)

    def to_frame(self) -> pd.DataFrame:
        """One row per layer."""
        import pandas as pd

        return pd.DataFrame([self._row(layer) for layer in self.layers])

    def _row(self, layer: LayerFit) -> dict[str, Any]:
        row: dict[str, Any] = {"layer": layer.name, "kind": layer.kind, "neurons": layer.neurons, "delay": layer.delay}
        if layer.part is None:
            return {**row, "cores": None, "binding": layer.why}
        shares = {f"{k} %": round(100 * v, 1) for k, v in layer.part.shares(self.chip).items()}
        return {**row, "cores": layer.part.cores, "binding": layer.part.binding(self.chip), **shares}

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready content with the provenance of every limit."""
        return {
            "cores": self.cores,
            "chips": self.chips,
            "fits": self.fits,
            "layers": [asdict(layer) for layer in self.layers],
            "problems": list(self.problems),
            "unproven": list(self.unproven),
            "advice": list(self.advice),
            "chip": asdict(self.chip),
            "sources": SOURCES,
        }


def fit(graph: NetGraph, chip: Chip = LOIHI2) -> Fit:
    """Estimate what ``graph`` takes on Loihi 2.

    Warning:
        The limits are public, most rules that fill a core are inferred from public compiler logs
        (:data:`lava_mlsnn.loihi2.SOURCES`); nothing here has been run on silicon.

    Raises:
        ValueError: no NetGraph.

    Example:
        >>> import numpy as np
        >>> from lava_mlsnn.netx import Connection, Dense, Input, Layer, MultiLevel, NetGraph
        >>> sizes = (784, 128, 64, 10)
        >>> layers, source = [], "input"
        >>> for i, (n, m) in enumerate(zip(sizes, sizes[1:])):
        ...     dense = Connection((source,), Dense(np.ones((m, n), np.int32)))
        ...     layers.append(Layer(f"fc{i}", (dense,), (m, 1, 1), MultiLevel(1, 64)))
        ...     source = layers[-1].name
        >>> fit(NetGraph(Input((784, 1, 1)), tuple(layers))).cores
        5
    """
    require_graph(graph)
    layers = tuple(_layer(graph, layer, chip) for layer in graph)
    found = problems(graph)
    found += [f"layer {f.name!r}: {f.why}" for f in layers if f.part is None]
    found += [
        f"layer {f.name!r}: a skip connection is held back {f.delay} timesteps, expected at most {chip.max_delay}"
        for f in layers
        if f.delay > chip.max_delay
    ]
    return Fit(layers, chip, tuple(found), tuple(unproven(graph)))


def _layer(graph: NetGraph, layer: Layer, chip: Chip) -> LayerFit:
    what = (layer.name, _kind(layer), layer.size, _longest_delay(graph, layer))
    try:
        part = partition(graph, layer, chip)
    except NoFigureError as error:
        return LayerFit(*what, None, str(error))
    return LayerFit(*what, part, "" if part else "not even one neuron fits a core")


def _kind(layer: Layer) -> str:
    return "+".join(connection.synapse.kind for connection in layer.connections) + "-" + layer.neuron.kind


def _longest_delay(graph: NetGraph, layer: Layer) -> int:
    return max(
        graph.delay(layer, connection, source) for connection in layer.connections for source in connection.sources
    )
