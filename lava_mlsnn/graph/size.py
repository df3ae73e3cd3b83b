"""Networks that are larger than anybody meant, found before memory is taken."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from .graph import INPUT, NetGraph

LARGEST = 2**28
"""Most values that a layer of a network from a file may hold, unless its reader is told otherwise."""

STEP = 2**12
"""Of these values each timestep of a sample counts as so many: T is at most 65,536."""


def require_size(graph: NetGraph, largest: int = LARGEST, reader: str = "netx.load") -> None:
    """ValueError if a network takes more memory or time than anybody meant; a small file can declare it.

    Args:
        graph: the network; nothing of that size is allocated to find out.
        largest: most neurons of a layer, sites of a padded map, taps along its rows and copies of weights for delays;
            for each timestep it must have 4096.
        reader: the function whose argument ``largest`` raises the limit.
    """
    require_steps(graph.timesteps, largest, reader)
    for where, value, what in _sizes(graph):
        if value > largest:
            raise ValueError(
                f"{where}: {value:,} {what}: expected at most {largest:,}; {reader}(..., largest=N), on the command "
                "line --largest N, raises the limit"
            )


def require_steps(steps: int, largest: int = LARGEST, reader: str = "netx.load") -> None:
    """ValueError for more timesteps of a sample than ``largest`` allows, see :func:`require_size`."""
    if steps > max(largest // STEP, 1):
        raise ValueError(
            f"timesteps: {steps:,}: expected at most {max(largest // STEP, 1):,}; {reader}(..., largest=N), on the "
            f"command line --largest N, raises the limit, here with N = {steps * STEP:,}"
        )


def _sizes(graph: NetGraph) -> Iterator[tuple[str, int, str]]:
    shapes = {INPUT: graph.input.shape, **{layer.name: layer.shape for layer in graph}}
    yield "input", prod(graph.input.shape), "values"
    for layer in graph:
        where = f"layer {layer.name!r}"
        yield where, layer.size, "neurons"
        for connection in layer.connections:
            synapse, (channels, height, width) = connection.synapse, shapes[connection.sources[0]]
            window, weights = synapse.window, synapse.weights
            if window is not None:
                padded = channels * (height + 2 * window.padding[0]) * (width + 2 * window.padding[1])
                yield where, padded, "sites of its input with padding"
                yield where, window.kernel[0] * layer.shape[1], "taps along its rows"
            if weights is not None and len(synapse.ages) > 1:
                yield where, weights.size * len(synapse.ages), "weights, one copy for each delay"
