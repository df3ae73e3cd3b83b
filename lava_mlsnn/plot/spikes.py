"""What single neurons do over the timesteps of a sample."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..helpers.check import choice, integer
from ..sim import Run
from .style import COLOURS, axes_or_new, finish, integer_steps


def raster(run: Run, layer: str, sample: int = 0, axes: Any = None) -> Any:
    """Spikes of a layer with their values: a dot per spike, colored by its value.

    Args:
        run: of ``sim.run(..., trace=True)``.
        layer: its name; its neurons are numbered channel by channel, row by row.
        sample: number of the sample.
        axes: where to draw; None makes a new figure.

    Returns:
        The axes.

    Raises:
        ValueError: a run without trace, or an unknown layer or sample.
    """
    spikes = _of_sample(run.trace, layer, sample)
    axes = axes_or_new(axes)
    neuron, step = np.nonzero(spikes)
    values = spikes[neuron, step]
    size, low = min(14.0, max(2.0, (250 / len(spikes)) ** 2)), int(values.min(initial=0))
    dots = axes.scatter(step + 1, neuron, size, c=values, marker="s", linewidths=0, cmap="viridis_r", vmin=low)
    axes.figure.colorbar(dots, ax=axes, label="value").ax.yaxis.get_major_locator().set_params(integer=True)
    axes.set_ylim(-0.5, len(spikes) - 0.5)
    axes.set_ylabel(f"neuron of {layer}")
    integer_steps(axes, spikes.shape[1])
    return finish(axes)


def membranes(run: Run, layer: str, neurons: Iterable[int] = range(5), sample: int = 0, axes: Any = None) -> Any:
    """What some neurons of a layer hold after each timestep.

    Args:
        run: of ``sim.run(..., trace="membrane")``.
        layer, sample, axes: as of :func:`raster`.
        neurons: their numbers, channel by channel, row by row.

    Returns:
        The axes.

    Raises:
        ValueError: a run without membranes, or an unknown layer, sample or neuron.
    """
    if not run.membranes:
        raise ValueError('this run has no membranes: expected sim.run(..., trace="membrane")')
    voltage = _of_sample(run.membranes, layer, sample)
    axes = axes_or_new(axes)
    for i, neuron in enumerate(neurons):
        row = voltage[integer(neuron, "neuron", 0, len(voltage) - 1)]
        color = COLOURS[i % len(COLOURS)]
        axes.plot(np.arange(1, len(row) + 1), row, marker="o", markersize=3, color=color, label=f"neuron {neuron}")
    axes.set_ylabel(f"membrane of {layer}")
    integer_steps(axes, voltage.shape[1])
    return finish(axes)


def _of_sample(traces: Mapping[str, NDArray[Any]], layer: str, sample: int) -> NDArray[Any]:
    """**Shape:** (neurons, T)."""
    found = traces[choice(layer, "layer", traces)]
    row: NDArray[Any] = found[integer(sample, "sample", 0, len(found) - 1)]
    return row.reshape(-1, row.shape[-1])
