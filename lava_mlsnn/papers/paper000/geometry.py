"""The SNN columns of Tables 3 and 4 of [Castagnetti2025] on its geometry: spikes as printed, their spread assumed.

The paper prints no activity per layer. Each row of a column is linear in the spikes of each layer, so for a given total
the lowest and highest value over all spreads are known exactly, beside the value for one firing rate in all layers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...energy import PRESETS, Options, lemaire, paper000
from ...energy.geometry import Geometry

READINGS: dict[str, Options] = {
    "qualia": PRESETS["qualia"],
    "decoded": PRESETS["paper000_tables"],
    "exact": PRESETS["paper000_tables"].but(strided="exact"),
}
"""The published code's options; those that the tables imply (post-hoc: see :mod:`lava_mlsnn.energy.paper000`); the
latter with exact counting, which is no reading of the paper."""

COLUMNS = {"cifar10": ((4, 1), (1, 4), (8, 1), (1, 8)), "cifar10dvs": ((10, 1), (1, 10))}
"""(T, N) of the columns."""

Rows = dict[str, float]


@dataclass(frozen=True)
class Column:
    """A column of joules per image.

    Args:
        rows: row -> joules at one firing rate in all layers.
        low, high: the least and most that any spread of the same total of spikes gives, row by row.
        spikes: the total.
    """

    rows: Rows
    low: Rows
    high: Rows
    spikes: float


def name(steps: int, levels: int) -> str:
    """Name of a column in :data:`lava_mlsnn.energy.paper000.PUBLISHED`.

    >>> name(4, 1)
    'T4 N1'
    """
    return f"T{steps} N{levels}"


def printed_spikes(dataset: str, steps: int, levels: int) -> float:
    """Spikes per image: as the text prints them, else what the In/Out row implies when each passes one queue.

    Example:
        >>> printed_spikes("cifar10", 1, 4), round(printed_spikes("cifar10", 8, 1), -3)
        (57000.0, 213000.0)
    """
    from .published import FIGURE_7

    known = FIGURE_7.get((steps, levels))
    return known or paper000.PUBLISHED[dataset][name(steps, levels)]["io"] / paper000.snn_io(1)


def ann(dataset: str, reading: str) -> Rows:
    """The ANN column: of true maps, but for "decoded", :func:`lava_mlsnn.energy.paper000.ann_column`'s reading."""
    found = paper000.ann_column(dataset, border=reading == "decoded", options=READINGS[reading])
    return _rows(found)


def snn(dataset: str, steps: int, levels: int, reading: str, spikes: float | None = None) -> Column:
    """A spiking column.

    The image is charged as the published code charges an analog first layer: every pixel non-zero, MACs once.

    Args:
        dataset: "cifar10" or "cifar10dvs".
        steps, levels: T and N.
        reading: one of :data:`READINGS`.
        spikes: per image, in place of the paper's.

    Raises:
        ValueError: more spikes than neurons times T.

    Example:
        >>> column = snn("cifar10", 1, 4, "decoded")
        >>> column.low["total"] < column.rows["total"] < column.high["total"]
        True
    """
    layers = paper000.vgg16(paper000.INPUTS[dataset], border=False)
    most = np.array([g.n_out * steps for g in layers[:-1]], float)  # the last layer is a readout
    total = printed_spikes(dataset, steps, levels) if spikes is None else spikes
    if total > most.sum():
        raise ValueError(f"spikes: {total:g} are more than {most.sum():g}, all neurons at all {steps} timesteps")
    options = READINGS[reading]
    base, per_spike = _linear(layers, steps, levels, options)
    equal = base + per_spike @ (most * total / most.sum())
    low = np.array([b + _extreme(p, most, total, least=True) for b, p in zip(base, per_spike, strict=True)])
    high = np.array([b + _extreme(p, most, total, least=False) for b, p in zip(base, per_spike, strict=True)])
    named = [dict(zip(paper000.ROWS, map(float, values), strict=True)) for values in (equal, low, high)]
    return Column(named[0], named[1], named[2], total)


def _linear(
    layers: tuple[Geometry, ...], steps: int, levels: int, options: Options
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Each row without any spike, and what a spike of each layer adds to it: (rows,), (rows, layers - 1)."""

    def column(spikes: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.array(list(_rows(_energy(layers, spikes, steps, levels, options)).values()))

    count = len(layers) - 1
    base = column(np.zeros(count))
    return base, np.stack([column(np.eye(count)[i]) - base for i in range(count)], axis=1)


def _energy(
    layers: tuple[Geometry, ...], spikes: NDArray[np.float64], steps: int, levels: int, options: Options
) -> lemaire.LayerEnergy:
    parts = []
    for i, g in enumerate(layers):
        analog = i == 0
        events = float(g.n_in * steps) if analog else float(spikes[i - 1])
        parts.append(lemaire.connection(g, events, steps, levels, options, analog=analog))
        sent = float(spikes[i]) if i < len(spikes) else 0.0
        parts.append(lemaire.population(g, sent, steps, options, leaky=False, analog=analog))
    return lemaire.total(parts)


def _extreme(price: NDArray[np.float64], most: NDArray[np.float64], total: float, *, least: bool) -> float:
    """The least (or most) of price . s with sum s = total, 0 <= s <= most: the cheapest (dearest) layers first."""
    found, left = 0.0, total
    for i in np.argsort(price if least else -price):
        taken = min(left, float(most[i]))
        found += taken * float(price[i])
        left -= taken
    return found


def _rows(energy: lemaire.LayerEnergy) -> Rows:
    return {row: getattr(energy, row) for row in paper000.ROWS}
